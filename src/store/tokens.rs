//! Table `token`: the OAuth pair of each connection's OGOship account.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// An OAuth pair; secret.
#[derive(Clone)]
pub struct TokenRow {
    /// Bearer token.
    pub access_token: String,
    /// Good for one refresh.
    pub refresh_token: Option<String>,
    /// When the access token ends.
    pub expires_at: Timestamp,
}

/// The pair of a connection.
pub async fn find(db: &mut PgConnection, connection: &str) -> Result<Option<TokenRow>> {
    let row = sqlx::query_as!(
        TokenRow,
        "select access_token, refresh_token, expires_at from token where connection = $1",
        connection,
    );
    Ok(row.fetch_optional(db).await?)
}

/// Keeps a new pair; committed before its first use, since the refresh token that made it is spent.
pub async fn keep(db: &mut PgConnection, connection: &str, token: &TokenRow, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "insert into token (connection, access_token, refresh_token, expires_at, updated_at)
         values ($1, $2, $3, $4, $5)
         on conflict (connection) do update set
             access_token = excluded.access_token, refresh_token = excluded.refresh_token,
             expires_at = excluded.expires_at, updated_at = excluded.updated_at",
        connection,
        token.access_token,
        token.refresh_token,
        token.expires_at,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}
