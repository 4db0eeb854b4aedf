//! Table `rate_budget`: what all replicas together have spent of a system's rate.

use sqlx::PgConnection;

use super::Result;
use crate::domain::rate_limit::Standing;

/// A budget, if anything was ever spent of it.
pub async fn find(db: &mut PgConnection, connection: &str, system: &str) -> Result<Option<Standing>> {
    let row = sqlx::query_as!(
        Standing,
        "select spent_until, closed_until, share, taught_at from rate_budget where connection = $1 and system = $2",
        connection,
        system,
    );
    Ok(row.fetch_optional(db).await?)
}

/// Replaces a budget that still stands as it was read (`old` of `None`: that there was none); false where somebody else
/// was faster.
pub async fn replace(
    db: &mut PgConnection,
    connection: &str,
    system: &str,
    old: Option<&Standing>,
    new: &Standing,
) -> Result<bool> {
    let Standing { spent_until, closed_until, share, taught_at } = new;
    let done = match old {
        None => {
            sqlx::query!(
                "insert into rate_budget (connection, system, spent_until, closed_until, share, taught_at)
                 values ($1, $2, $3, $4, $5, $6) on conflict on constraint rate_budget_pkey do nothing",
                connection,
                system,
                spent_until,
                *closed_until,
                share,
                *taught_at,
            )
            .execute(db)
            .await?
        }
        Some(old) => {
            sqlx::query!(
                "update rate_budget set spent_until = $3, closed_until = $4, share = $5, taught_at = $6
                 where connection = $1 and system = $2 and spent_until = $7
                   and closed_until is not distinct from $8 and share = $9 and taught_at is not distinct from $10",
                connection,
                system,
                spent_until,
                *closed_until,
                share,
                *taught_at,
                old.spent_until,
                old.closed_until,
                old.share,
                old.taught_at,
            )
            .execute(db)
            .await?
        }
    };
    Ok(done.rows_affected() == 1)
}
