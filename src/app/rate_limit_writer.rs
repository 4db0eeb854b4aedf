//! Writes the states of rate limits: those of all connections that are written at the same moment share one statement. With
//! thousands of stores at rest, most of what the database has to do is this.

use async_trait::async_trait;
use sqlx::PgPool;

use crate::{
    domain::Timestamp,
    store::{
        self, StoreError,
        group_commit::{self, BatchHandler, GroupCommit},
        rate_limits::{self, NewLimit},
    },
    vendors::http::rate_limit_store::RateLimitStoreError,
};

/// Two statements at once: a call waits for its own and the one before it at most.
const LIMITS: group_commit::Limits =
    group_commit::Limits { workers: 2, max_items: 256, max_weight: usize::MAX };

/// Writes the states of the rate limits of all connections.
#[derive(Clone)]
pub(super) struct RateLimitWriter(GroupCommit<Writer>);

impl std::fmt::Debug for RateLimitWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimitWriter").finish_non_exhaustive()
    }
}

impl RateLimitWriter {
    pub(super) fn new(pool: PgPool) -> Self {
        Self(GroupCommit::new(Writer { pool }, LIMITS))
    }

    /// Replaces a state that is still as it was read, and returns the database's time; `None` if another process was faster.
    pub(super) async fn replace(&self, new: NewLimit) -> Result<Option<Timestamp>, RateLimitStoreError> {
        self.0.submit(new).await.unwrap_or(Err(RateLimitStoreError))
    }
}

struct Writer {
    pool: PgPool,
}

#[async_trait]
impl BatchHandler for Writer {
    type Item = NewLimit;
    type Answer = Option<Timestamp>;
    type Error = RateLimitStoreError;

    async fn commit(&self, batch: &[NewLimit]) -> store::Result<Vec<Option<Timestamp>>> {
        let new: Vec<_> = batch.iter().collect();
        store::with_commit_timeout(&self.pool, store::ACQUIRE_TIMEOUT, async |db| {
            rate_limits::replace(db, &new).await
        })
        .await
    }

    fn to_error(&self, _: &StoreError) -> RateLimitStoreError {
        RateLimitStoreError
    }
}
