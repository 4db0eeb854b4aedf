//! Ends polls: those that end together share one statement and one commit.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::PgPool;

use crate::{
    runtime::clock::Clock,
    store::{
        self, StoreError,
        group_commit::{BatchHandler, GroupCommit, Limits},
        polls::{self, EndedPoll},
    },
};

const LIMITS: Limits = Limits { workers: 1, max_items: 256, max_weight: 256 };

/// Stores the ends of polls.
pub(super) struct Settler {
    pool: PgPool,
    clock: Arc<dyn Clock>,
}

/// The end of a poll was not stored, which is logged: it runs again when its lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotSettled;

impl Settler {
    /// A queue of polls that have ended.
    pub(super) fn queue(pool: PgPool, clock: Arc<dyn Clock>) -> GroupCommit<Self> {
        GroupCommit::new(Self { pool, clock }, LIMITS)
    }
}

#[async_trait]
impl BatchHandler for Settler {
    type Item = EndedPoll;
    type Answer = ();
    type Error = NotSettled;

    async fn commit(&self, ended: &[EndedPoll]) -> store::Result<Vec<()>> {
        let mut db = self.pool.begin().await?;
        polls::settle(&mut db, ended, self.clock.now()).await?;
        db.commit().await?;
        Ok(vec![(); ended.len()])
    }

    fn to_error(&self, error: &StoreError) -> NotSettled {
        tracing::warn!(%error, "poll not settled, retrying when its lease ends");
        NotSettled
    }
}
