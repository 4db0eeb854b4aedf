//! Table `replica`: the processes of the service, and when each last proved that it can commit.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// Commits a sign of life of this process. It fails if the database is read-only, full or unavailable, which
/// is what the readiness check wants to know.
pub async fn record_seen(db: &mut PgConnection, name: &str, version: &str, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "insert into replica (name, version, started_at, seen_at) values ($1, $2, $3, $3)
         on conflict (name) do update set seen_at = excluded.seen_at",
        name,
        version,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes processes not seen since a time.
pub async fn remove_unseen(db: &mut PgConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query!("delete from replica where seen_at < $1", before);
    Ok(done.execute(db).await?.rows_affected())
}
