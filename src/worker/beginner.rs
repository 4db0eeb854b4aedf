//! Begins actions: those of attempts at the same moment share one statement and one commit.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::PgPool;

use crate::{
    domain::task::{action::NewAction, reason::Reason, state::LeasedTask},
    runtime::clock::Clock,
    store::{
        self, StoreError,
        begun_actions::{self, Beginning, Begun},
        group_commit::{self, BatchHandler, GroupCommit},
    },
};

/// Two commits at once: a call waits for its own and the one before it at most.
const LIMITS: group_commit::Limits =
    group_commit::Limits { workers: 2, max_items: 256, max_weight: usize::MAX };

/// An action that an attempt is about to perform.
pub(super) struct NewBeginning {
    pub(super) leased: Arc<LeasedTask>,
    pub(super) action: NewAction,
}

/// Commits to the ledger what is about to be performed.
#[derive(Clone)]
pub(super) struct Beginner(GroupCommit<BeginningWriter>);

impl Beginner {
    pub(super) fn new(pool: PgPool, clock: Arc<dyn Clock>) -> Self {
        Self(GroupCommit::new(BeginningWriter { pool, clock }, LIMITS))
    }

    /// Commits that an action begins, and returns its number in the ledger. On an error it must not be performed, though it
    /// may have been entered.
    pub(super) async fn begin(&self, beginning: NewBeginning) -> Result<i32, Reason> {
        match self.0.submit(beginning).await {
            Some(Ok(Begun::Entered(number))) => Ok(number),
            Some(Ok(Begun::LeaseLost)) => Err(Reason::LeaseExpired),
            Some(Ok(Begun::TooOften)) => Err(Reason::RepeatedTooOften),
            Some(Err(BeginError)) | None => Err(Reason::DatabaseUnavailable),
        }
    }
}

struct BeginningWriter {
    pool: PgPool,
    clock: Arc<dyn Clock>,
}

/// The database did not confirm the beginning.
#[derive(Clone, Copy, Debug)]
struct BeginError;

#[async_trait]
impl BatchHandler for BeginningWriter {
    type Item = NewBeginning;
    type Answer = Begun;
    type Error = BeginError;

    async fn commit(&self, batch: &[NewBeginning]) -> store::Result<Vec<Begun>> {
        let now = self.clock.now();
        let beginnings: Vec<_> =
            batch.iter().map(|it| Beginning { leased: &it.leased, action: &it.action }).collect();
        store::with_commit_timeout(&self.pool, store::ACQUIRE_TIMEOUT, async |db| {
            begun_actions::begin(db, &beginnings, now).await
        })
        .await
    }

    fn to_error(&self, error: &StoreError) -> BeginError {
        tracing::warn!(error = %error, "an action cannot be begun: nothing is sent");
        BeginError
    }
}
