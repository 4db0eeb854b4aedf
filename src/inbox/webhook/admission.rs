//! Webhooks that arrive together share one statement and one commit: see [`group_commit`](crate::store::group_commit).
//!
//! The line is short by design. The bodies of all webhooks being read or waiting have one bounded permit; who finds it
//! full, or has waited too long, is answered 503 with `Retry-After` and sends again. Memory stays flat, and nobody
//! waits for an answer that his own grace_period will not see.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    runtime::{
        clock::Clock,
        failpoints::{Failpoint, Failpoints},
    },
    store::{
        self, StoreError,
        group_commit::{self, BatchHandler, GroupCommit},
        ingest::{self, IncomingEvent, Ingested},
        polls,
    },
};

/// One commit at a time, and the bytes of its bodies after which no more is added. A second one beside it takes more from
/// the first (it halves what gathers) than it gives.
const BATCH_LIMITS: group_commit::Limits =
    group_commit::Limits { workers: 1, max_items: 256, max_weight: 1 << 20 };

/// How much may wait, and how long: `[http] waiting` and `accept_within`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of bodies being read or waiting, all together.
    pub waiting: usize,
    /// How long a webhook waits for its commit.
    pub accept_within: Duration,
}

/// Why a webhook was not committed, as far as its sender is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::inbox) enum CommitError {
    /// More is waiting than the database can take now.
    Busy,
    /// The database is away.
    Away,
    /// The database refused it.
    Refused,
}

impl From<&StoreError> for CommitError {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Away,
            StoreError::Rejected(_) | StoreError::Inconsistent { .. } => Self::Refused,
        }
    }
}

type Answer = Result<Ingested, CommitError>;

/// One webhook in line.
struct PendingWebhook {
    arrival: IncomingEvent,
    /// Polls that must look soon, since it says that something happened and not what.
    expedited_polls: &'static [&'static str],
    /// Held until it is committed.
    _permit: OwnedSemaphorePermit,
}

/// The line, and the permit for those in it.
#[derive(Clone)]
pub(in crate::inbox) struct Admission {
    queue: GroupCommit<Committer>,
    capacity: Arc<Semaphore>,
    accept_within: Duration,
}

impl Admission {
    /// An empty line.
    pub(in crate::inbox) fn new(
        pool: PgPool,
        clock: Arc<dyn Clock>,
        failpoints: Failpoints,
        limits: Limits,
    ) -> Self {
        let Limits { waiting, accept_within } = limits;
        let queue = GroupCommit::new(Committer { pool, clock, failpoints }, BATCH_LIMITS);
        Self { queue, capacity: Arc::new(Semaphore::new(waiting.min(Semaphore::MAX_PERMITS))), accept_within }
    }

    /// Room for so many bytes, or none now.
    pub(in crate::inbox) fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, CommitError> {
        let bytes = u32::try_from(bytes.max(1)).unwrap_or(u32::MAX);
        self.capacity.clone().try_acquire_many_owned(bytes).map_err(|_| CommitError::Busy)
    }

    /// Puts a webhook in line and waits for its commit.
    pub(in crate::inbox) async fn commit(
        &self,
        arrival: IncomingEvent,
        expedited_polls: &'static [&'static str],
        permit: OwnedSemaphorePermit,
    ) -> Answer {
        let waiting = PendingWebhook { arrival, expedited_polls, _permit: permit };
        match tokio::time::timeout(self.accept_within, self.queue.submit(waiting)).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(CommitError::Away), // the committer panicked; the next one goes on
            // Should it be committed after all, the sender's repeat is a duplicate.
            Err(_) => Err(CommitError::Busy),
        }
    }
}

/// How webhooks are committed.
struct Committer {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    failpoints: Failpoints,
}

#[async_trait]
impl BatchHandler for Committer {
    type Item = PendingWebhook;
    type Answer = Ingested;
    type Error = CommitError;

    fn weight(&self, waiting: &PendingWebhook) -> usize {
        waiting.arrival.event.body.len()
    }

    async fn commit(&self, batch: &[PendingWebhook]) -> store::Result<Vec<Ingested>> {
        self.failpoints.hit(Failpoint::BeforeCommit, "").await;
        let pooled = store::with_commit_timeout(&self.pool, async |db| self.store(db, batch).await);
        let stored = match pooled.await {
            // The pooled connection had died with its server since it was last used: once more, by a new one. Had the
            // first been stored all the same, the second is its duplicate.
            Err(error) if error.is_broken_connection() => {
                let options = self.pool.connect_options();
                let mut db = PgConnection::connect_with(&options).await.map_err(StoreError::from)?;
                let stored = self.store(&mut db, batch).await;
                let _ = db.close().await;
                stored
            }
            stored => stored,
        }?;
        self.failpoints.hit(Failpoint::AfterCommit, "").await;
        Ok(stored)
    }

    fn to_error(&self, error: &StoreError) -> CommitError {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(error = %error, cause, "webhooks not stored");
        CommitError::from(error)
    }
}

impl Committer {
    /// Arrivals, and the polls that they bring forward, in one commit.
    async fn store(&self, db: &mut PgConnection, batch: &[PendingWebhook]) -> store::Result<Vec<Ingested>> {
        let Self { clock, failpoints, .. } = self;
        let arrivals: Vec<_> = batch.iter().map(|waiting| &waiting.arrival).collect();
        if batch.iter().all(|waiting| waiting.expedited_polls.is_empty()) {
            let no_subject = std::iter::once(String::new());
            return failpoints
                .hit_during(Failpoint::DuringCommit, no_subject, ingest::ingest(db, &arrivals))
                .await;
        }
        // Something happened that we cannot read: look everywhere soon.
        let mut db = db.begin().await?;
        let received = ingest::ingest(&mut db, &arrivals).await?;
        for PendingWebhook { arrival, expedited_polls, .. } in
            batch.iter().filter(|it| !it.expedited_polls.is_empty())
        {
            let polls: Vec<_> = expedited_polls.iter().map(|&what| what.to_owned()).collect();
            polls::bring_forward(&mut db, &arrival.event.connection, &polls, clock.now()).await?;
        }
        failpoints.hit_during(Failpoint::DuringCommit, std::iter::once(String::new()), db.commit()).await?;
        Ok(received)
    }
}
