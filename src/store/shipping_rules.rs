//! Table `shipping_rule`: rules that operators made, for methods that no rule of the configuration matches.

use sqlx::PgConnection;

use super::Result;
use crate::domain::{Timestamp, shipping::ShippingRule};

/// A rule as pages and the API show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RuleRow {
    /// A product code or a name; `*` stands for anything.
    pub pattern: String,
    /// The warehouse's shipping code.
    pub code: String,
    /// True if the shop's pickup points are the carrier's own.
    pub pickup: bool,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// Lists a connection's rules by pattern.
pub async fn list(db: &mut PgConnection, connection: &str) -> Result<Vec<RuleRow>> {
    let rows = sqlx::query_as!(
        RuleRow,
        "select pattern, code, pickup, created_by, created_at from shipping_rule
         where connection = $1 order by pattern",
        connection,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Loads the rules as domain values.
pub async fn load(db: &mut PgConnection, connection: &str) -> Result<Vec<ShippingRule>> {
    let rows = list(db, connection).await?.into_iter();
    Ok(rows.map(|RuleRow { pattern, code, pickup, .. }| ShippingRule { pattern, code, pickup }).collect())
}

/// Creates or replaces a rule.
pub async fn upsert(
    db: &mut PgConnection,
    connection: &str,
    rule: &ShippingRule,
    actor: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into shipping_rule (connection, pattern, code, pickup, created_by, created_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (connection, pattern) do update
             set code = excluded.code, pickup = excluded.pickup,
                 created_by = excluded.created_by, created_at = excluded.created_at",
        connection,
        rule.pattern,
        rule.code,
        rule.pickup,
        actor,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes a rule; false if there is none.
pub async fn remove(db: &mut PgConnection, connection: &str, pattern: &str) -> Result<bool> {
    let done =
        sqlx::query!("delete from shipping_rule where connection = $1 and pattern = $2", connection, pattern);
    Ok(done.execute(db).await?.rows_affected() == 1)
}
