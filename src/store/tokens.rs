//! Table `sealed_token`: the OAuth pair of each connection's OGOship account. What is in it, only its key knows.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// The sealed pair of a connection.
pub async fn find(db: &mut PgConnection, connection: &str) -> Result<Option<Vec<u8>>> {
    let sealed = sqlx::query_scalar!("select sealed from sealed_token where connection = $1", connection);
    Ok(sealed.fetch_optional(db).await?)
}

/// Keeps a new pair; committed before its first use, since the refresh token that made it is spent.
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
