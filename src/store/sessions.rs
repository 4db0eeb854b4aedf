//! Table `session`: who is signed in to the dashboard.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// A signed-in user.
#[derive(Clone, Debug)]
pub struct Session {
    /// The name of the admin token used to sign in.
    pub token_name: String,
    /// Its digest as configured then: the session ends with the token.
    pub token_sha256: String,
    /// The CSRF token of the session's forms.
    pub csrf: String,
}

/// Begins a session under the digest of its cookie, and removes expired ones.
pub async fn begin(
    db: &mut PgConnection,
    digest: &str,
    session: &Session,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    sqlx::query!("delete from session where expires_at <= $1", now).execute(&mut *db).await?;
    sqlx::query!(
        "insert into session (digest, token_name, token_sha256, csrf, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
        digest,
        session.token_name,
        session.token_sha256,
        session.csrf,
        now,
        expires_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Finds the session of a cookie; `None` once it has expired.
pub async fn find(db: &mut PgConnection, digest: &str, now: Timestamp) -> Result<Option<Session>> {
    let session = sqlx::query_as!(
        Session,
        "select token_name, token_sha256, csrf from session where digest = $1 and expires_at > $2",
        digest,
        now,
    );
    Ok(session.fetch_optional(db).await?)
}

/// Ends a session.
pub async fn end(db: &mut PgConnection, digest: &str) -> Result<()> {
    sqlx::query!("delete from session where digest = $1", digest).execute(db).await?;
    Ok(())
}
