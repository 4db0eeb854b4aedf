//! Tells which listed changes a read has covered: polls that ask at the same moment share one statement. A list at rest shows
//! its newest rows again with each poll, so nearly every poll asks.

use async_trait::async_trait;
use sqlx::PgPool;

use super::error::PollError;
use crate::store::{
    self, StoreError,
    group_commit::{BatchHandler, GroupCommit, Limits},
    polled_changes::{self, ListedChanges},
};

/// The weight is that of changes.
const LIMITS: Limits = Limits { workers: 1, max_items: 256, max_weight: 10_000 };

/// Asks which changes are covered.
#[derive(Clone)]
pub(super) struct CoveredChanges(GroupCommit<Asker>);

/// What is covered could not be read, which is logged.
#[derive(Clone, Copy, Debug)]
struct Unknown;

struct Asker {
    pool: PgPool,
}

impl CoveredChanges {
    pub(super) fn new(pool: PgPool) -> Self {
        Self(GroupCommit::new(Asker { pool }, LIMITS))
    }

    /// One answer per change, in order; those that a read has covered are no longer counted.
    pub(super) async fn take(&self, listed: ListedChanges) -> Result<Vec<bool>, PollError> {
        self.0.submit(listed).await.and_then(Result::ok).ok_or(PollError::CoverUnknown)
    }
}

#[async_trait]
impl BatchHandler for Asker {
    type Item = ListedChanges;
    type Answer = Vec<bool>;
    type Error = Unknown;

    fn weight(&self, listed: &ListedChanges) -> usize {
        listed.subjects.len()
    }

    async fn commit(&self, listed: &[ListedChanges]) -> store::Result<Vec<Vec<bool>>> {
        polled_changes::take_covered(&mut *self.pool.acquire().await?, listed).await
    }

    fn to_error(&self, error: &StoreError) -> Unknown {
        tracing::warn!(%error, "cannot read which changes are new");
        Unknown
    }
}
