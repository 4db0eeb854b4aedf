//! Table `rate_limit`: the token buckets, shared by all replicas.

use sqlx::PgConnection;

use super::Result;
use crate::domain::rate_limit::TokenBucket;

/// Finds a token bucket; `None` if it was never used.
pub async fn find(db: &mut PgConnection, connection: &str, vendor: &str) -> Result<Option<TokenBucket>> {
    let row = sqlx::query_as!(
        TokenBucket,
        "select spent_until, blocked_until, share, lowered_at from rate_limit where connection = $1 and vendor = $2",
        connection,
        vendor,
    );
    Ok(row.fetch_optional(db).await?)
}

/// Replaces a token bucket if it is still as it was read (`old` is `None` if there was none); false if
/// another process was faster.
pub async fn replace(
    db: &mut PgConnection,
    connection: &str,
    vendor: &str,
    old: Option<&TokenBucket>,
    new: &TokenBucket,
) -> Result<bool> {
    let TokenBucket { spent_until, blocked_until, share, lowered_at } = new;
    let done = match old {
        None => {
            sqlx::query!(
                "insert into rate_limit (connection, vendor, spent_until, blocked_until, share, lowered_at)
                 values ($1, $2, $3, $4, $5, $6) on conflict on constraint rate_limit_pkey do nothing",
                connection,
                vendor,
                spent_until,
                *blocked_until,
                share,
                *lowered_at,
            )
            .execute(db)
            .await?
        }
        Some(old) => {
            sqlx::query!(
                "update rate_limit set spent_until = $3, blocked_until = $4, share = $5, lowered_at = $6
                 where connection = $1 and vendor = $2 and spent_until = $7
                   and blocked_until is not distinct from $8 and share = $9 and lowered_at is not distinct from $10",
                connection,
                vendor,
                spent_until,
                *blocked_until,
                share,
                *lowered_at,
                old.spent_until,
                old.blocked_until,
                old.share,
                old.lowered_at,
            )
            .execute(db)
            .await?
        }
    };
    Ok(done.rows_affected() == 1)
}
