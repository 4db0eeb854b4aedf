//! Commits webhooks in groups and bounds how long they wait: see [`group_commit`](crate::store::group_commit).
//!
//! How many wait is bounded by the memory limit of all request bodies ([`request_body`](crate::web::request_body)): a waiting
//! webhook keeps what its body has reserved. One that has waited too long is answered 503 with `Retry-After`, and its sender
//! repeats it. So no webhook waits longer than its sender does. While the database is known to be away, it does not wait at
//! all.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::Instant;

use super::database_watch::{DatabaseWatch, Outlook};
use crate::{
    runtime::{
        clock::Clock,
        failpoints::{Failpoint, Failpoints},
        memory_limit::MemoryPermit,
        pressure::Pressure,
    },
    store::{
        self, StoreError,
        group_commit::{self, BatchHandler, GroupCommit},
        ingest::{self, IncomingEvent, Ingested},
        polls,
    },
};

/// One commit at a time, of 1 MiB of bodies at most. A second one at the same time halves the groups and gains
/// less.
const BATCH_LIMITS: group_commit::Limits =
    group_commit::Limits { workers: 1, max_items: 256, max_weight: 1 << 20 };

/// How long a commit waits for a connection. A webhook must be answered soon after.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1500);

/// Why a webhook was not committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommitError {
    /// More is waiting than the database can take now.
    Busy,
    /// The database is unavailable.
    Unavailable,
    /// The database rejected it.
    Rejected,
}

impl From<&StoreError> for CommitError {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Rejected(_) | StoreError::Inconsistent { .. } => Self::Rejected,
        }
    }
}

type CommitResult = Result<Ingested, CommitError>;

/// A webhook that waits for its commit.
struct PendingWebhook {
    event: IncomingEvent,
    /// Polls to bring forward, where the webhook does not say what happened.
    expedited_polls: &'static [&'static str],
    /// Memory, reserved until the commit.
    _permit: Option<MemoryPermit>,
}

/// Admits webhooks to the group commit.
#[derive(Clone)]
pub(super) struct Admission {
    queue: GroupCommit<Committer>,
    accept_within: Duration,
    watch: Arc<DatabaseWatch>,
    pressure: Pressure,
}

impl Admission {
    pub(super) fn new(
        pool: PgPool,
        clock: Arc<dyn Clock>,
        failpoints: Failpoints,
        (accept_within, pressure): (Duration, Pressure),
    ) -> Self {
        let watch = Arc::new(DatabaseWatch::default());
        let queue =
            GroupCommit::new(Committer { pool, clock, failpoints, watch: watch.clone() }, BATCH_LIMITS);
        Self { queue, accept_within, watch, pressure }
    }

    /// Commits a webhook with others and waits for that.
    pub(super) async fn commit(
        &self,
        event: IncomingEvent,
        expedited_polls: &'static [&'static str],
        permit: Option<MemoryPermit>,
    ) -> CommitResult {
        match self.watch.outlook(self.accept_within, Instant::now()) {
            Outlook::Open => {}
            Outlook::Stuck => return Err(CommitError::Busy),
            Outlook::Away => return Err(CommitError::Unavailable),
        }
        let _waiting = self.pressure.enter();
        let pending = PendingWebhook { event, expedited_polls, _permit: permit };
        match tokio::time::timeout(self.accept_within, self.queue.submit(pending)).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(CommitError::Unavailable), // the committer panicked; it restarts with the next batch
            // If it is committed after all, the sender's repeat is a duplicate.
            Err(_) => Err(CommitError::Busy),
        }
    }
}

/// Commits batches of webhooks.
struct Committer {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    failpoints: Failpoints,
    watch: Arc<DatabaseWatch>,
}

#[async_trait]
impl BatchHandler for Committer {
    type Item = PendingWebhook;
    type Answer = Ingested;
    type Error = CommitError;

    fn weight(&self, pending: &PendingWebhook) -> usize {
        pending.event.event.body.len()
    }

    async fn commit(&self, batch: &[PendingWebhook]) -> store::Result<Vec<Ingested>> {
        let watched = self.watch.begin(Instant::now());
        let stored = self.commit_batch(batch).await;
        watched.end(matches!(stored, Err(StoreError::Unavailable(_))), Instant::now());
        let stored = stored?;
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
    /// Stores events on a pooled connection, or on a new one where that had broken since its last use. If the first try was
    /// stored after all, the second is its duplicate.
    async fn commit_batch(&self, batch: &[PendingWebhook]) -> store::Result<Vec<Ingested>> {
        self.failpoints.hit(Failpoint::BeforeCommit, "").await;
        let commit = async |db: &mut PgConnection| self.store(db, batch).await;
        match store::with_commit_timeout(&self.pool, ACQUIRE_TIMEOUT, commit).await {
            Err(error) if error.is_broken_connection() => {
                store::with_new_connection(&self.pool, ACQUIRE_TIMEOUT, commit).await
            }
            stored => stored,
        }
    }

    /// Stores events, and the polls that they bring forward, in one commit.
    async fn store(&self, db: &mut PgConnection, batch: &[PendingWebhook]) -> store::Result<Vec<Ingested>> {
        let Self { clock, failpoints, .. } = self;
        let events: Vec<_> = batch.iter().map(|pending| &pending.event).collect();
        if batch.iter().all(|pending| pending.expedited_polls.is_empty()) {
            let no_subject = std::iter::once(String::new());
            return failpoints
                .hit_during(Failpoint::DuringCommit, no_subject, ingest::ingest(db, &events))
                .await;
        }
        // Some webhooks do not say what happened: the polls that find it are due at once.
        let mut db = db.begin().await?;
        let received = ingest::ingest(&mut db, &events).await?;
        for PendingWebhook { event, expedited_polls, .. } in
            batch.iter().filter(|it| !it.expedited_polls.is_empty())
        {
            let polls: Vec<_> = expedited_polls.iter().map(|&what| what.to_owned()).collect();
            polls::bring_forward(&mut db, &event.event.connection, &polls, clock.now()).await?;
        }
        failpoints.hit_during(Failpoint::DuringCommit, std::iter::once(String::new()), db.commit()).await?;
        Ok(received)
    }
}
