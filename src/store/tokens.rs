//! Table `sealed_token`: the sealed OAuth tokens of each connection's OGOship account.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// Finds the sealed tokens of a connection.
pub async fn find(db: &mut PgConnection, connection: &str) -> Result<Option<Vec<u8>>> {
    let sealed = sqlx::query_scalar!("select sealed from sealed_token where connection = $1", connection);
    Ok(sealed.fetch_optional(db).await?)
}

/// Stores new tokens. Must be committed before their first use, since the refresh token that produced them is
/// used up.
pub async fn upsert(db: &mut PgConnection, connection: &str, sealed: &[u8], now: Timestamp) -> Result<()> {
    sqlx::query!(
        "insert into sealed_token (connection, sealed, updated_at) values ($1, $2, $3)
         on conflict (connection) do update set sealed = excluded.sealed, updated_at = excluded.updated_at",
        connection,
        sealed,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}
