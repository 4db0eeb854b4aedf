//! Webhooks that arrive together share one statement and one commit: see [`group_commit`](crate::store::group_commit).
//!
//! The line is short by design. The bodies of all webhooks being read or waiting have one bounded room; who finds it
//! full, or has waited too long, is answered 503 with `Retry-After` and sends again. Memory stays flat, and nobody
//! waits for an answer that his own patience will not see.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    runtime::{
        clock::Clock,
        failpoints::{KillPoint, KillPoints},
    },
    store::{
        self, StoreError,
        batch::{self, Commits},
        group_commit::{self, Gather, Together},
        ingest::{self, Arrival, Received},
        polls,
    },
};

/// One commit at a time, and the bytes of its bodies after which no more is added. A second one beside it takes more from
/// the first (it halves what gathers) than it gives.
const TOGETHER: group_commit::Limits = group_commit::Limits { workers: 1, most: 256, most_weight: 1 << 20 };

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
pub(in crate::inbox) enum NotCommitted {
    /// More is waiting than the database can take now.
    Busy,
    /// The database is away.
    Away,
    /// The database refused it.
    Refused,
}

impl From<&StoreError> for NotCommitted {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Away(_) => Self::Away,
            StoreError::Refused(_) | StoreError::Inconsistent { .. } => Self::Refused,
        }
    }
}

type Answer = Result<Received, NotCommitted>;

/// One webhook in line.
struct Waiting {
    arrival: Arrival,
    /// Sweeps that must look soon, since it says that something happened and not what.
    brings_forward: &'static [&'static str],
    /// Held until it is committed.
    _room: OwnedSemaphorePermit,
}

/// The line, and the room for those in it.
#[derive(Clone)]
pub(in crate::inbox) struct Intake {
    line: Gather<Commit>,
    room: Arc<Semaphore>,
    accept_within: Duration,
}

impl Intake {
    /// An empty line.
    pub(in crate::inbox) fn new(
        pool: PgPool,
        clock: Arc<dyn Clock>,
        killpoints: KillPoints,
        limits: Limits,
    ) -> Self {
        let Limits { waiting, accept_within } = limits;
        let line = Gather::new(Commit { pool, clock, killpoints }, TOGETHER);
        Self { line, room: Arc::new(Semaphore::new(waiting.min(Semaphore::MAX_PERMITS))), accept_within }
    }

    /// Room for so many bytes, or none now.
    pub(in crate::inbox) fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, NotCommitted> {
        let bytes = u32::try_from(bytes.max(1)).unwrap_or(u32::MAX);
        self.room.clone().try_acquire_many_owned(bytes).map_err(|_| NotCommitted::Busy)
    }

    /// Puts a webhook in line and waits for its commit.
    pub(in crate::inbox) async fn commit(
        &self,
        arrival: Arrival,
        brings_forward: &'static [&'static str],
        room: OwnedSemaphorePermit,
    ) -> Answer {
        let waiting = Waiting { arrival, brings_forward, _room: room };
        match tokio::time::timeout(self.accept_within, self.line.put(waiting)).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(NotCommitted::Away), // the committer panicked; the next one goes on
            // Should it be committed after all, the sender's repeat is a duplicate.
            Err(_) => Err(NotCommitted::Busy),
        }
    }
}

/// How webhooks are committed.
struct Commit {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    killpoints: KillPoints,
}

#[async_trait]
impl Together for Commit {
    type Item = Waiting;
    type Answer = Answer;

    fn weight(&self, waiting: &Waiting) -> usize {
        waiting.arrival.event.body.len()
    }

    async fn together(&self, batch: Vec<Waiting>) -> Vec<Answer> {
        batch::all_or_each(self, &batch, told).await
    }
}

#[async_trait]
impl Commits for Commit {
    type Item = Waiting;
    type Answer = Received;

    async fn commit(&self, batch: &[Waiting]) -> store::Result<Vec<Received>> {
        self.killpoints.reach(KillPoint::BeforeCommit, "").await;
        let pooled = batch::in_time(&self.pool, async |db| self.store(db, batch).await);
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
        self.killpoints.reach(KillPoint::AfterCommit, "").await;
        Ok(stored)
    }
}

impl Commit {
    /// Arrivals, and the sweeps that they bring forward, in one commit.
    async fn store(&self, db: &mut PgConnection, batch: &[Waiting]) -> store::Result<Vec<Received>> {
        let Self { clock, killpoints, .. } = self;
        let arrivals: Vec<_> = batch.iter().map(|waiting| &waiting.arrival).collect();
        if batch.iter().all(|waiting| waiting.brings_forward.is_empty()) {
            let nobody = std::iter::once(String::new());
            return killpoints.within(KillPoint::DuringCommit, nobody, ingest::receive(db, &arrivals)).await;
        }
        // Something happened that we cannot read: look everywhere soon.
        let mut db = db.begin().await?;
        let received = ingest::receive(&mut db, &arrivals).await?;
        for Waiting { arrival, brings_forward, .. } in batch.iter().filter(|it| !it.brings_forward.is_empty())
        {
            let sweeps: Vec<_> = brings_forward.iter().map(|&what| what.to_owned()).collect();
            polls::bring_forward(&mut db, &arrival.event.connection, &sweeps, clock.now()).await?;
        }
        killpoints.within(KillPoint::DuringCommit, std::iter::once(String::new()), db.commit()).await?;
        Ok(received)
    }
}

fn told(error: &StoreError) -> NotCommitted {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(error = %error, cause, "webhooks not stored");
    NotCommitted::from(error)
}
