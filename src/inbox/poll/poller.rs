//! Polls the vendors' lists to find changes that no webhook reported.
//!
//! Webhooks get lost, and no vendor is known to send one when an order is paid later. So each connection's
//! lists are read from a durable cursor on, with an overlap: the vendors' clocks differ from ours, and a change
//! may appear late. What the list shows at a version that has not been read becomes an event like any other. A
//! version is stored once, so the overlap costs nothing.
//!
//! The cursor moves only after every page is stored: a poll that fails starts again where it began. A stretch
//! that the shop cannot list is narrowed down, stored as a gap and read again by later polls
//! ([`crate::domain::time_window`]).

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

pub use super::lists::{Intervals, PolledConnection};
use super::{error::PollError, lists::PolledList, reader::ListReader};
use crate::{
    domain::{Timestamp, time_window::TimeWindow},
    inbox::{ingester::Ingester, metrics::Metrics},
    runtime::clock::{Clock, Entropy},
    store::{
        self,
        polls::{self, LeasedPoll, PollResult},
    },
};

/// How far a poll reads back behind its cursor.
const OVERLAP: chrono::Duration = chrono::Duration::minutes(10);

/// A poll that takes longer is cut off and starts again.
const MAX_DURATION: Duration = Duration::from_secs(540);

/// When a failed poll is retried.
const RETRY_DELAY: Duration = Duration::from_secs(30);

/// When a list that this configuration does not poll is looked at again.
const UNCONFIGURED_DELAY: Duration = Duration::from_secs(86_400);

/// Polls at once in a process. A vendor that hangs delays its own lists only.
const MAX_CONCURRENT: usize = 16;

/// Running polls; each returns how many events it found.
type RunningPolls = JoinSet<store::Result<usize>>;

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
    lease: Duration,
    connections: Arc<HashMap<String, PolledConnection>>,
}

impl Poller {
    /// Creates a poller that does not run yet.
    pub fn new(deps: Deps) -> Self {
        let Deps { pool, clock, entropy, metrics, lease, connections } = deps;
        let ingester =
            Ingester { pool: pool.clone(), clock: clock.clone(), entropy: entropy.clone(), metrics };
        let connections = connections.into_iter().map(|polled| (polled.connection.clone(), polled)).collect();
        Self { pool, clock, entropy, ingester, lease, connections: Arc::new(connections) }
    }

    /// Makes sure that every list has its cursor. A new one begins now: history is never imported.
    pub async fn prepare(&self) -> store::Result<()> {
        let now = self.clock.now();
        let mut db = self.pool.acquire().await?;
        for polled in self.connections.values() {
            for (list, _) in polled.intervals.enabled() {
                polls::ensure(&mut db, &polled.connection, list, now, now).await?;
            }
        }
        Ok(())
    }

    /// Polls what is due until `soft` is cancelled; then waits for running polls.
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
        }
        while let Some(result) = running.join_next().await {
            log_failure(result);
        }
    }

    /// How often due polls are looked for: a quarter of the shortest interval, within limits.
    fn tick(&self) -> Duration {
        let enabled = self.connections.values().flat_map(|polled| polled.intervals.enabled());
        let shortest = enabled.map(|(_, interval)| interval).min().unwrap_or(Duration::from_secs(60));
        (shortest / 4).clamp(Duration::from_millis(200), Duration::from_secs(10))
    }

    /// Polls everything that is due now and returns how many events were found. For tests.
    pub async fn poll_due(&self) -> store::Result<usize> {
        let (mut running, mut found) = (RunningPolls::new(), 0);
        loop {
            self.start_due(&mut running).await?;
            let Some(result) = running.join_next().await else { return Ok(found) };
            found += result.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))?;
        }
    }

    /// Starts due polls while there are slots, each as its own task, so that a panic ends one poll only.
    async fn start_due(&self, running: &mut RunningPolls) -> store::Result<()> {
        while running.len() < MAX_CONCURRENT {
            let now = self.clock.now();
            let mut db = self.pool.acquire().await?;
            let claimed = polls::claim_due(&mut db, self.entropy.fence(), now, now + self.lease).await?;
            drop(db); // never held across calls to a vendor
            let Some(leased) = claimed else { break };
            let poller = self.clone();
            running.spawn(async move { poller.poll(&leased, now).await });
        }
        Ok(())
    }

    /// Reads a leased list from its cursor on, settles the poll, and returns how many events were new.
    async fn poll(&self, leased: &LeasedPoll, started_at: Timestamp) -> store::Result<usize> {
        let Some((polled, list)) = self.find_list(leased) else {
            // Polled by an earlier configuration or another process.
            let due_at = started_at + UNCONFIGURED_DELAY;
            let result = PollResult { cursor: None, found: 0, error: None, due_at, gaps: None };
            return self.settle(leased, &result).await.map(|()| 0);
        };
        let interval = polled.intervals.get(list);
        // The vendors' clocks may be ahead of ours.
        let window = TimeWindow { from: leased.cursor - OVERLAP, to: started_at + OVERLAP };
        let Self { pool, clock, ingester, lease, .. } = self;
        let reader = ListReader { pool, clock: &**clock, ingester, lease: *lease, leased, polled, list };
        let read = tokio::time::timeout(MAX_DURATION, reader.read_windows(window)).await;
        let (connection, what) = (&leased.connection, list.as_str());
        let (found, result) = match read.unwrap_or(Err(PollError::Overran)) {
            Ok((found, gaps)) => {
                if let Some(gaps) = gaps.as_ref().map(Vec::len).filter(|count| *count > 0) {
                    tracing::warn!(connection, what, gaps, "the list has gaps that cannot be read");
                }
                let (cursor, due_at) = (Some(started_at), started_at + interval);
                (found, PollResult { cursor, found: saturating_i64(found), error: None, due_at, gaps })
            }
            Err(error) => {
                let Some(reason) = reason_of(&error) else { return Ok(0) };
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(connection, what, error = %error, cause, "poll failed, retrying");
                let due_at = self.clock.now() + RETRY_DELAY.min(interval);
                (0, PollResult { cursor: None, found: 0, error: Some(reason), due_at, gaps: None })
            }
        };
        self.settle(leased, &result).await?;
        if found > 0 {
            tracing::info!(connection, what, found, "poll found changes");
        }
        Ok(found)
    }

    /// The connection and list of a poll, where this configuration polls it.
    fn find_list(&self, leased: &LeasedPoll) -> Option<(&PolledConnection, PolledList)> {
        let list: PolledList = leased.what.parse().ok()?;
        let polled = self.connections.get(&leased.connection)?;
        (!polled.intervals.get(list).is_zero()).then_some((polled, list))
    }

    async fn settle(&self, leased: &LeasedPoll, result: &PollResult) -> store::Result<()> {
        let mut db = self.pool.begin().await?;
        polls::settle(&mut db, leased, result, self.clock.now()).await?; // a lost lease: another replica polls
        Ok(db.commit().await?)
    }
}

/// The reason code of a failed poll; `None` where another replica polls the list now and will settle it.
fn reason_of(error: &PollError) -> Option<&'static str> {
    match error {
        PollError::Call(error) => Some(error.read_failure_reason().code()),
        PollError::Store(_) => Some("database_unavailable"),
        PollError::Overran => Some("overran"),
        PollError::LeaseLost => None,
    }
}

/// Logs a poll that could not be settled.
fn log_failure(result: Result<store::Result<usize>, JoinError>) {
    match result {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(error = %error, "poll not settled, retrying when its lease ends"),
        Err(_) => tracing::error!("poll panicked, retrying when its lease ends"),
    }
}

fn saturating_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
