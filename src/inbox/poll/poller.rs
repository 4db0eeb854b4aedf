//! Polls the vendors' lists to find changes that no webhook reported.
//!
//! Webhooks get lost, and no vendor is known to send one when an order is paid later. So each connection's
//! lists are read from a durable cursor on, with an overlap, since a change may appear late. What the list shows at
//! a version that no read has covered becomes an event like any other, and again with the next poll, until a read
//! covers it (`store/polled_changes.rs`).
//!
//! The cursor is the vendor's own time, taken from the rows: our clock being wrong skips nothing. It never moves past
//! what was not read: a poll that is cut off goes on where it came. A stretch that the vendor cannot list is narrowed
//! down, stored as a gap and read again on a schedule of its own (`gaps.rs`). Rows that move while a list is read
//! are met twice, never missed (`walk.rs`).
//!
//! A process claims only polls that its own configuration names.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use sqlx::PgPool;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

pub use super::lists::{Intervals, PolledConnection, PolledList};
use super::{
    covered::CoveredChanges,
    error::{PollError, UnfinishedPoll},
    reader::{ListReader, Progress},
    settler::Settler,
};
use crate::{
    domain::Timestamp,
    inbox::{ingester::Ingester, metrics::Metrics},
    runtime::clock::{Clock, Entropy},
    store::{
        self,
        group_commit::GroupCommit,
        poll_gaps::{self, GapChanges, PollGap},
        polls::{self, ConfiguredPoll, EndedPoll, LeasedPoll, PollResult},
    },
};

/// How far a poll reads back behind its cursor.
pub(super) const OVERLAP: chrono::Duration = chrono::Duration::minutes(10);

/// A poll that takes longer is cut off and starts again.
const MAX_DURATION: Duration = Duration::from_secs(540);

/// How long running polls delay the end of the process: a vendor that hangs must not keep it alive.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// When a failed poll is retried.
const RETRY_DELAY: Duration = Duration::from_secs(30);

/// Polls at once in a process. A vendor that hangs delays its own lists only.
const MAX_CONCURRENT: usize = 64;

/// Where all slots are used, a claim waits this long for more of them to be free: it looks at every list of every store.
const SLOT_BATCHING: Duration = Duration::from_millis(100);

/// Running polls; each returns how many events it found.
type RunningPolls = JoinSet<Result<usize, UnfinishedPoll>>;

/// What a poller depends on.
pub struct Deps {
    /// Where cursors and events are stored.
    pub pool: PgPool,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and claim ids.
    pub entropy: Arc<Entropy>,
    /// Counts events.
    pub metrics: Metrics,
    /// How long a poll's lease lasts after each page.
    pub lease: Duration,
    /// What to poll.
    pub connections: Vec<PolledConnection>,
}

/// Polls the lists of every connection.
#[derive(Clone)]
pub struct Poller {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    entropy: Arc<Entropy>,
    ingester: Ingester,
    covered: CoveredChanges,
    lease: Duration,
    connections: Arc<HashMap<String, PolledConnection>>,
    configured: Arc<[ConfiguredPoll]>,
    settler: GroupCommit<Settler>,
}

impl Poller {
    /// Creates a poller that does not run yet.
    pub fn new(deps: Deps) -> Self {
        let Deps { pool, clock, entropy, metrics, lease, connections } = deps;
        let ingester =
            Ingester { pool: pool.clone(), clock: clock.clone(), entropy: entropy.clone(), metrics };
        let configured = connections.iter().flat_map(configured_polls).collect();
        let connections = connections.into_iter().map(|polled| (polled.connection.clone(), polled)).collect();
        let settler = Settler::queue(pool.clone(), clock.clone());
        let covered = CoveredChanges::new(pool.clone());
        Self {
            pool,
            clock,
            entropy,
            ingester,
            covered,
            lease,
            connections: Arc::new(connections),
            configured,
            settler,
        }
    }

    /// Makes sure that every list has its cursor. A new one begins now: history is never imported.
    pub async fn prepare(&self) -> store::Result<()> {
        let now = self.clock.now();
        let mut db = self.pool.acquire().await?;
        polls::ensure(&mut db, &self.configured, now).await
    }

    /// Polls what is due until `soft` is cancelled; then waits a moment for running polls.
    pub async fn run(&self, soft: CancellationToken) {
        let tick = self.tick();
        let mut running = RunningPolls::new();
        while !soft.is_cancelled() {
            if let Err(error) = self.start_due(&mut running).await {
                tracing::warn!(error = %error, "cannot claim due polls, retrying");
            }
            let pause = tick.mul_f64(1.0 + self.entropy.fraction() / 10.0);
            let was_full = running.len() >= MAX_CONCURRENT;
            let slot_freed = async {
                while let Some(result) = running.join_next().await {
                    log_failure(result);
                    if was_full {
                        return; // more may be due
                    }
                }
                std::future::pending::<()>().await;
            };
            let _ = tokio::time::timeout(pause, async {
                tokio::select! { () = slot_freed => {}, () = soft.cancelled() => {} }
            })
            .await;
            if was_full {
                let _ = tokio::time::timeout(SLOT_BATCHING, log_ended(&mut running)).await;
            }
        }
        // One that is cut off has stored nothing by half and begins at its cursor again.
        let _ = tokio::time::timeout(STOP_TIMEOUT, log_ended(&mut running)).await;
    }

    /// How often due polls are looked for: a quarter of the shortest interval, within limits.
    fn tick(&self) -> Duration {
        let shortest = self.configured.iter().map(|it| it.interval).min().unwrap_or(Duration::from_secs(60));
        (shortest / 4).clamp(Duration::from_millis(200), Duration::from_secs(10))
    }

    /// Polls everything that is due now and returns how many events were found. For tests.
    pub async fn poll_due(&self) -> Result<usize, UnfinishedPoll> {
        let (mut running, mut found) = (RunningPolls::new(), 0);
        loop {
            self.start_due(&mut running).await?;
            let Some(result) = running.join_next().await else { return Ok(found) };
            found += result.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))?;
        }
    }

    /// Starts due polls while there are slots, each as its own task, so that a panic ends one poll only.
    async fn start_due(&self, running: &mut RunningPolls) -> store::Result<()> {
        let free = MAX_CONCURRENT.saturating_sub(running.len());
        if free == 0 {
            return Ok(());
        }
        let (now, claimed_at) = (self.clock.now(), self.clock.monotonic());
        let mut db = self.pool.acquire().await?;
        let (claim_id, until) = (self.entropy.fence(), now + self.lease);
        let claimed = polls::claim_due(&mut db, claim_id, (&self.configured, free), now, until).await?;
        drop(db); // never held across calls to a vendor
        for leased in claimed {
            let poller = self.clone();
            running.spawn(async move { poller.poll(&leased, (now, claimed_at)).await });
        }
        Ok(())
    }

    /// Reads a leased list from its cursor on, settles the poll, and returns how many events were new.
    async fn poll(
        &self,
        leased: &LeasedPoll,
        (started_at, claimed_at): (Timestamp, Duration),
    ) -> Result<usize, UnfinishedPoll> {
        let Some((polled, list)) = self.find_list(leased) else { return Ok(0) }; // never claimed
        let gaps = if leased.has_gaps { self.list_gaps(leased).await? } else { Vec::new() };
        let Self { pool, clock, ingester, covered, lease, .. } = self;
        let (clock, lease, gaps) = (&**clock, *lease, &*gaps);
        let progress = &Mutex::new(Progress::leased_at(claimed_at));
        let reader =
            ListReader { pool, clock, ingester, covered, lease, leased, polled, list, gaps, progress };
        let read = tokio::time::timeout(MAX_DURATION, reader.read_changes()).await;
        let retried = match read.unwrap_or(Err(PollError::Overran)) {
            Ok(mut changes) => {
                // A gap that fails is no failure of the poll.
                let retried = tokio::time::timeout(MAX_DURATION, reader.retry_gaps(&mut changes)).await;
                match retried.unwrap_or(Err(PollError::Overran)) {
                    Err(error @ (PollError::LeaseLost | PollError::Store(_) | PollError::CoverUnknown)) => {
                        Err(error)
                    }
                    Ok(()) | Err(PollError::Call(_) | PollError::Overran) => Ok(changes),
                }
            }
            Err(error) => Err(error),
        };
        let progress = progress.lock().clone();
        let interval = polled.intervals.get(list);
        let Some(result) = self.result(leased, list, &progress, retried, started_at + interval) else {
            return Ok(0);
        };
        let ended = EndedPoll { leased: leased.clone(), result };
        let Some(Ok(())) = self.settler.submit(ended).await else { return Err(UnfinishedPoll::NotSettled) };
        if progress.found > 0 {
            let (connection, what, found) = (&leased.connection, list.as_str(), progress.found);
            tracing::info!(connection, what, found, "poll found changes");
        }
        Ok(progress.found)
    }

    async fn list_gaps(&self, leased: &LeasedPoll) -> store::Result<Vec<PollGap>> {
        let mut db = self.pool.acquire().await?;
        poll_gaps::list(&mut db, &leased.connection, &leased.what).await
    }

    /// What is stored of a poll; `None` where another replica polls the list now.
    fn result(
        &self,
        leased: &LeasedPoll,
        list: PolledList,
        progress: &Progress,
        read: Result<GapChanges, PollError>,
        due_at: Timestamp,
    ) -> Option<PollResult> {
        let (connection, what) = (&leased.connection, list.as_str());
        let found = i64::try_from(progress.found).unwrap_or(i64::MAX);
        match read {
            Ok(gaps) => {
                let (opened, closed) = (gaps.opened.len(), gaps.closed.len());
                if opened > 0 {
                    tracing::warn!(connection, what, opened, closed, "the list has gaps that cannot be read");
                }
                let cursor = progress.cursor_at_end(leased.cursor);
                Some(PollResult { cursor, found, error: None, due_at, gaps })
            }
            Err(error) => {
                let reason = error.reason()?;
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(connection, what, error = %error, cause, "poll failed, retrying");
                let due_at = due_at.min(self.clock.now() + RETRY_DELAY);
                let cursor = progress.cursor_reached(leased.cursor);
                Some(PollResult { cursor, found, error: Some(reason), due_at, gaps: GapChanges::default() })
            }
        }
    }

    /// The connection and list of a poll.
    fn find_list(&self, leased: &LeasedPoll) -> Option<(&PolledConnection, PolledList)> {
        let list: PolledList = leased.what.parse().ok()?;
        self.connections.get(&leased.connection).map(|polled| (polled, list))
    }
}

/// Waits for all running polls.
async fn log_ended(running: &mut RunningPolls) {
    while let Some(result) = running.join_next().await {
        log_failure(result);
    }
}

/// Logs a poll that could not be begun or has panicked.
fn log_failure(result: Result<Result<usize, UnfinishedPoll>, JoinError>) {
    match result {
        Ok(Ok(_) | Err(UnfinishedPoll::NotSettled)) => {}
        Ok(Err(UnfinishedPoll::Store(error))) => {
            tracing::warn!(error = %error, "poll not begun, retrying when its lease ends");
        }
        Err(_) => tracing::error!("poll panicked, retrying when its lease ends"),
    }
}

/// The lists of a connection that are polled.
fn configured_polls(polled: &PolledConnection) -> impl Iterator<Item = ConfiguredPoll> {
    let connection = &polled.connection;
    polled.intervals.enabled().map(|(what, interval)| ConfiguredPoll {
        connection: connection.clone(),
        what,
        interval,
    })
}
