//! Many at once in one commit: by a connection that is believed for so long and no longer, and each by itself where one
//! spoils it for all.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection, PgPool};

use super::{Result, StoreError};

/// A commit that takes longer has gone into a connection that is dead and does not say so: nobody may hang in it for ever.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Whoever commits many things at once.
#[async_trait]
pub trait BatchCommitter: Sync {
    /// One of them.
    type Item: Sync;
    /// What became of it.
    type Answer: Send;

    /// BatchCommitter all of them as one; answers one for each, in their order.
    async fn commit(&self, batch: &[Self::Item]) -> Result<Vec<Self::Answer>>;
}

/// BatchCommitter a batch as one. Where the database refuses it, one of them may have spoilt it for all: then each by itself.
/// `told` says what its sender hears of a failure. Answers one for each, in their order.
pub async fn commit_all_or_each<C: BatchCommitter, E: Copy>(
    committer: &C,
    batch: &[C::Item],
    map_error: fn(&StoreError) -> E,
) -> Vec<std::result::Result<C::Answer, E>> {
    match committer.commit(batch).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(StoreError::Rejected(_)) if batch.len() > 1 => {
            let mut answers = Vec::with_capacity(batch.len());
            for item in batch {
                let alone = committer.commit(std::slice::from_ref(item)).await;
                answers.push(alone.map(|mut only| only.remove(0)).map_err(|error| map_error(&error)));
            }
            answers
        }
        Err(error) => {
            let mapped = map_error(&error);
            batch.iter().map(|_| Err(mapped)).collect()
        }
    }
}

/// Does something by a connection of the pool, as long as a commit may take.
pub async fn with_commit_timeout<T>(
    pool: &PgPool,
    commit: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    let mut db = pool.acquire().await?;
    if let Ok(done) = tokio::time::timeout(COMMIT_TIMEOUT, commit(&mut db)).await {
        db.shrink_buffers(); // a batch of large bodies must not stay with every connection of the pool
        return done;
    }
    drop(db.detach()); // whatever it says later is said to nobody, and its place in the pool is free
    Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut))
}
