//! Table `reference_prefix`: which connection gave its references which prefix, now and before.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// A prefix that another connection of the merchant has, or had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedPrefix {
    /// The prefix.
    pub prefix: String,
    /// Its connection.
    pub connection: String,
}

/// Registers a prefix for a connection. Where another connection has it, nothing is changed, unless that is
/// `replaced`: the one that this connection takes the place of.
pub async fn register(
    db: &mut PgConnection,
    merchant: &str,
    owned: &OwnedPrefix,
    replaced: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into reference_prefix (merchant, prefix, connection, created_at) values ($1, $2, $3, $4)
         on conflict (merchant, lower(prefix)) do update set connection = excluded.connection
         where reference_prefix.connection = $5",
        merchant,
        owned.prefix,
        owned.connection,
        now,
        replaced,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lists every prefix of a merchant's connections.
pub async fn list(db: &mut PgConnection, merchant: &str) -> Result<Vec<OwnedPrefix>> {
    let rows = sqlx::query_as!(
        OwnedPrefix,
        "select prefix, connection from reference_prefix where merchant = $1 order by created_at, prefix",
        merchant,
    );
    Ok(rows.fetch_all(db).await?)
}
