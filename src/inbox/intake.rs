//! Group commit: webhooks that arrive together share one statement and one commit.
//!
//! A webhook is put in line; if fewer committers than [`COMMITTERS`] are at work, one is begun. A committer takes all
//! that is in line, commits it as one, answers each, and goes on until the line is empty. So one webhook alone waits for
//! nobody, and a thousand at once cost a handful of commits: while one commit is on its way, the next one gathers.
//!
//! The line is short by design. The bodies of all webhooks being read or waiting have one bounded room; who finds it
//! full, or has waited too long, is answered 503 with `Retry-After` and sends again. Memory stays flat, and nobody
//! waits for an answer that his own patience will not see.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::task::TaskTracker;

use crate::{
    clock::Clock,
    killpoints::{KillPoint, KillPoints},
    store::{
        self, StoreError,
        events::{self, Arrival, Received},
        sweeps,
    },
};

/// Commits on their way at once: while one is waiting for the disk, the other gathers.
const COMMITTERS: usize = 2;

/// Webhooks in one commit, and the bytes of their bodies after which no more is added.
const MOST: usize = 256;
const MOST_BYTES: usize = 1 << 20;

/// A commit that takes longer has gone into a connection that is dead and does not say so: a committer must not hang in it
/// for ever.
const LONGEST_COMMIT: Duration = Duration::from_secs(10);

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
pub(super) enum NotCommitted {
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
    answer: oneshot::Sender<Answer>,
    /// Held until it is committed.
    room: OwnedSemaphorePermit,
}

#[derive(Default)]
struct Line {
    waiting: Vec<Waiting>,
    committers: usize,
}

/// The line, and who works on it.
#[derive(Clone)]
pub(super) struct Intake {
    shared: Arc<Shared>,
}

struct Shared {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    killpoints: KillPoints,
    limits: Limits,
    room: Arc<Semaphore>,
    line: Mutex<Line>,
    tasks: TaskTracker,
}

impl Intake {
    /// An empty line.
    pub(super) fn new(pool: PgPool, clock: Arc<dyn Clock>, killpoints: KillPoints, limits: Limits) -> Self {
        let room = Arc::new(Semaphore::new(limits.waiting.min(Semaphore::MAX_PERMITS)));
        let (line, tasks) = (Mutex::default(), TaskTracker::new());
        Self { shared: Arc::new(Shared { pool, clock, killpoints, limits, room, line, tasks }) }
    }

    /// Room for so many bytes, or none now.
    pub(super) fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, NotCommitted> {
        let bytes = u32::try_from(bytes.max(1)).unwrap_or(u32::MAX);
        self.shared.room.clone().try_acquire_many_owned(bytes).map_err(|_| NotCommitted::Busy)
    }

    /// Puts a webhook in line and waits for its commit.
    pub(super) async fn commit(
        &self,
        arrival: Arrival,
        brings_forward: &'static [&'static str],
        room: OwnedSemaphorePermit,
    ) -> Answer {
        let (answer, answered) = oneshot::channel();
        let is_committer_needed = {
            let mut line = self.line();
            line.waiting.push(Waiting { arrival, brings_forward, answer, room });
            let is_needed = line.committers < COMMITTERS;
            line.committers += usize::from(is_needed);
            is_needed
        };
        if is_committer_needed {
            let intake = self.clone();
            // On a task of its own: the sender of the first webhook may hang up, the others' commit goes on.
            self.shared.tasks.spawn(async move { intake.work().await });
        }
        match tokio::time::timeout(self.shared.limits.accept_within, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(NotCommitted::Away), // the committer panicked; the next one goes on
            // Should it be committed after all, the sender's repeat is a duplicate.
            Err(_) => Err(NotCommitted::Busy),
        }
    }

    /// Commits until the line is empty.
    async fn work(&self) {
        let mut at_work = AtWork { intake: self, counted: true };
        loop {
            let batch = self.next_batch(&mut at_work);
            if batch.arrivals.is_empty() {
                return;
            }
            self.shared.killpoints.reach(KillPoint::BeforeCommit, "").await;
            let committed = self.commit_all(&batch.arrivals, &batch.brings_forward).await;
            if committed.is_ok() {
                self.shared.killpoints.reach(KillPoint::AfterCommit, "").await;
            }
            self.answer(batch, committed).await;
        }
    }

    async fn answer(&self, batch: Batch, committed: store::Result<Vec<Received>>) {
        let Batch { arrivals, brings_forward, answers, room: _room } = batch;
        match committed {
            Ok(received) => {
                for (answer, received) in answers.into_iter().zip(received) {
                    let _ = answer.send(Ok(received));
                }
            }
            // One of them may have spoilt it for all: each by itself.
            Err(StoreError::Refused(_)) if arrivals.len() > 1 => {
                for ((answer, arrival), brings) in answers.into_iter().zip(&arrivals).zip(brings_forward) {
                    let alone = self.commit_all(std::slice::from_ref(arrival), &[brings]).await;
                    let alone = alone.map(|mut received| received.remove(0));
                    let _ = answer.send(alone.map_err(|error| told(&error)));
                }
            }
            Err(error) => {
                let told = told(&error);
                for answer in answers {
                    let _ = answer.send(Err(told));
                }
            }
        }
    }

    /// What is in line, up to the size of a commit. Where that is not all of it, whoever came last is served first: those
    /// who have waited longest are about to be told 503, and to commit them is to commit what nobody hears of. The order
    /// of webhooks means nothing to us. Where the line is empty, the committer is counted off under the same
    /// lock: whoever comes next begins a new one.
    fn next_batch(&self, at_work: &mut AtWork<'_>) -> Batch {
        let mut line = self.line();
        let (mut batch, mut bytes) = (Batch::default(), 0);
        while batch.arrivals.len() < MOST && bytes < MOST_BYTES {
            let Some(waiting) = line.waiting.pop() else { break };
            if waiting.answer.is_closed() {
                continue; // its sender was told 503, or is gone
            }
            bytes += waiting.arrival.event.body.len();
            batch.push(waiting);
        }
        if batch.arrivals.is_empty() {
            line.committers -= 1;
            at_work.counted = false;
        }
        batch
    }

    async fn commit_all(
        &self,
        arrivals: &[Arrival],
        brings_forward: &[&'static [&'static str]],
    ) -> store::Result<Vec<Received>> {
        let pooled = async {
            let mut db = self.shared.pool.acquire().await?;
            let stored = self.store(&mut db, arrivals, brings_forward);
            if let Ok(stored) = tokio::time::timeout(LONGEST_COMMIT, stored).await {
                db.shrink_buffers(); // a batch of large bodies must not stay with every connection of the pool
                return stored;
            }
            drop(db.detach()); // whatever it says later is said to nobody, and its place in the pool is free
            Err(StoreError::Away(sqlx::Error::PoolTimedOut))
        };
        match pooled.await {
            // The pooled connection had died with its server since it was last used: once more, by a new one. Had the
            // first been stored all the same, the second is its duplicate.
            Err(error) if error.is_broken_connection() => {
                let options = self.shared.pool.connect_options();
                let mut db = PgConnection::connect_with(&options).await.map_err(StoreError::from)?;
                let stored = self.store(&mut db, arrivals, brings_forward).await;
                let _ = db.close().await;
                stored
            }
            stored => stored,
        }
    }

    /// Arrivals, and the sweeps that they bring forward, in one commit.
    async fn store(
        &self,
        db: &mut PgConnection,
        arrivals: &[Arrival],
        brings_forward: &[&'static [&'static str]],
    ) -> store::Result<Vec<Received>> {
        let Shared { clock, killpoints, .. } = &*self.shared;
        if brings_forward.iter().all(|sweeps| sweeps.is_empty()) {
            return killpoints.within(KillPoint::DuringCommit, events::receive(db, arrivals)).await;
        }
        // Something happened that we cannot read: look everywhere soon.
        let mut db = db.begin().await?;
        let received = events::receive(&mut db, arrivals).await?;
        for (arrival, sweeps) in arrivals.iter().zip(brings_forward).filter(|(_, sweeps)| !sweeps.is_empty())
        {
            let sweeps: Vec<_> = sweeps.iter().map(|&what| what.to_owned()).collect();
            sweeps::bring_forward(&mut db, &arrival.event.connection, &sweeps, clock.now()).await?;
        }
        killpoints.within(KillPoint::DuringCommit, db.commit()).await?;
        Ok(received)
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.shared.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one commit holds, turned on its side.
#[derive(Default)]
struct Batch {
    arrivals: Vec<Arrival>,
    brings_forward: Vec<&'static [&'static str]>,
    answers: Vec<oneshot::Sender<Answer>>,
    /// Held until they are committed.
    room: Vec<OwnedSemaphorePermit>,
}

impl Batch {
    fn push(&mut self, Waiting { arrival, brings_forward, answer, room }: Waiting) {
        self.arrivals.push(arrival);
        self.brings_forward.push(brings_forward);
        self.answers.push(answer);
        self.room.push(room);
    }
}

/// A committer at work: counted off also where it ends in a panic.
struct AtWork<'a> {
    intake: &'a Intake,
    counted: bool,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        if self.counted {
            self.intake.line().committers -= 1;
        }
    }
}

fn told(error: &StoreError) -> NotCommitted {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(error = %error, cause, "webhooks not stored");
    NotCommitted::from(error)
}
