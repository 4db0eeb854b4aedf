//! Table `replica`: the processes of the service, each as it last showed that it can commit.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// Commits that this process is here. A database that is read-only, full or away refuses: that is the question.
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

/// Forgets those not seen since then.
pub async fn remove_unseen(db: &mut PgConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query!("delete from replica where seen_at < $1", before);
    Ok(done.execute(db).await?.rows_affected())
}
