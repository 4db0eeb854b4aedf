//! Table `session`: who is signed in on the dashboard.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// The admin token shown at the sign-in.
    pub token_name: String,
    /// Its digest as configured then.
    pub token_sha256: String,
    /// What every form of the session carries.
    pub csrf: String,
}

/// Begins a session under the digest of its cookie, and lets go of those that are over.
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

/// The session of a cookie, while it lasts.
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
