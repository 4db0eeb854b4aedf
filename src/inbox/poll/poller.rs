//! The second endpoint: a periodic sync that finds what no webhook told us.
//!
//! Webhooks are lost, and no vendor of ours is known to send one when an order is paid later. So each connection's
//! lists are read from a durable cursor on, with an overlap (their clocks are not ours, and a change may show late),
//! and whatever stands there at a version that we have not read is an event like any other, by the same
//! [`receive`](super). A version that was told twice is stored once, so the overlap costs nothing.
//!
//! The cursor moves only after every page was received: a poll that breaks off begins again where it began. A stretch
//! that the shop cannot list is narrowed down, remembered as a gap and tried again ([`crate::domain::time_window`]).

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::lists::PolledList;
pub use super::lists::{Intervals, PolledConnection};
use crate::inbox::{Metrics, webhook::receive::Ingester};
use crate::{
    domain::{Timestamp, order_rate::OrderRate, time_window::TimeWindow},
    runtime::clock::{Clock, Entropy},
    store::{
        self, StoreError, connections, order_rate,
        polls::{self, LeasedPoll, PollResult},
    },
    vendors::http::error::CallError,
};

/// How far a poll reaches back behind its cursor.
const OVERLAP: chrono::Duration = chrono::Duration::minutes(10);

/// How long a poll may take; one that takes longer is cut off and begins again.
const MAX_DURATION: Duration = Duration::from_secs(540);

/// When a failed poll is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(30);

/// Polls at once in a process: a vendor that hangs keeps its own lists waiting, and nobody else's.
const MAX_CONCURRENT: usize = 16;

/// Polls every connection, each list in its turn.
#[derive(Clone)]
pub struct Poller {
    pub(in crate::inbox) pool: PgPool,
    pub(in crate::inbox) clock: Arc<dyn Clock>,
    entropy: Arc<Entropy>,
    pub(in crate::inbox) ingester: Ingester,
    pub(in crate::inbox) lease: Duration,
    connections: Arc<HashMap<String, PolledConnection>>,
}

/// Polls on their way; each answers how many events it has found.
type Polling = JoinSet<store::Result<usize>>;

/// What a poller is made of.
pub struct Deps {
    /// Where cursors and events are.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and fences.
    pub entropy: Arc<Entropy>,
    /// Where finds are counted.
    pub metrics: Metrics,
    /// How long a poll stays ours without a sign of life: every page is one.
    pub lease: Duration,
    /// What to poll.
    pub connections: Vec<PolledConnection>,
}

/// Why a poll broke off.
#[derive(Debug, thiserror::Error)]
pub(in crate::inbox) enum PollError {
    #[error("a list could not be read")]
    Call(#[from] CallError),
    #[error("the finds could not be stored")]
    Store(#[from] StoreError),
    #[error("it took too long")]
    Overran,
    #[error("somebody else polls it now")]
    LeaseLost,
}

impl Poller {
    /// A poller at rest.
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
            for what in PolledList::ALL.into_iter().filter(|what| !polled.intervals.get(*what).is_zero()) {
                polls::ensure(&mut db, &polled.connection, what.as_str(), now, now).await?;
            }
        }
        Ok(())
    }

    /// Polls what is due until told to stop; what is on its way then comes to its end.
    pub async fn run(&self, soft: CancellationToken) {
        let shortest = self
            .connections
            .values()
            .flat_map(|polled| PolledList::ALL.map(|what| polled.intervals.get(what)));
        let shortest =
            shortest.filter(|interval| !interval.is_zero()).min().unwrap_or(Duration::from_secs(60));
        let poll = (shortest / 4).clamp(Duration::from_millis(200), Duration::from_secs(10));
        let mut polling = Polling::new();
        while !soft.is_cancelled() {
            if let Err(error) = self.start_due(&mut polling).await {
                tracing::warn!(error = %error, "cannot poll");
            }
            let pause = poll.mul_f64(1.0 + self.entropy.fraction() / 10.0);
            let was_full = polling.len() >= MAX_CONCURRENT;
            let ended = async {
                while let Some(ended) = polling.join_next().await {
                    log_result(ended);
                    if was_full {
                        return; // more may be due
                    }
                }
                std::future::pending::<()>().await;
            };
            let _ = tokio::time::timeout(pause, async {
                tokio::select! { () = ended => {}, () = soft.cancelled() => {} }
            })
            .await;
        }
        while let Some(ended) = polling.join_next().await {
            log_result(ended);
        }
    }

    /// Polls everything that is due now; answers how many events were found: the crank of the tests.
    pub async fn poll_due(&self) -> store::Result<usize> {
        let (mut polling, mut found) = (Polling::new(), 0);
        loop {
            self.start_due(&mut polling).await?;
            let Some(ended) = polling.join_next().await else { return Ok(found) };
            found += ended.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))?;
        }
    }

    /// Begins what is due now, as far as there is permit: each beside the others, and one that panics costs its own turn.
    async fn start_due(&self, polling: &mut Polling) -> store::Result<()> {
        while polling.len() < MAX_CONCURRENT {
            let now = self.clock.now();
            let mut db = self.pool.acquire().await?;
            let claimed = polls::claim_due(&mut db, self.entropy.fence(), now, now + self.lease).await?;
            drop(db); // never held across the network
            let Some(leased) = claimed else { break };
            let poller = self.clone();
            polling.spawn(async move { poller.poll(&leased, now).await });
        }
        Ok(())
    }

    async fn poll(&self, leased: &LeasedPoll, started_at: Timestamp) -> store::Result<usize> {
        let what = PolledList::ALL.into_iter().find(|what| what.as_str() == leased.what);
        let polled = self.connections.get(&leased.connection).zip(what);
        let Some((polled, what)) = polled.filter(|(polled, what)| !polled.intervals.get(*what).is_zero())
        else {
            // PollResult by an earlier configuration: not ours now, asked again in a day.
            let day = Duration::from_secs(86_400);
            let rest =
                PollResult { cursor: None, found: 0, error: None, due_at: started_at + day, gaps: None };
            return self.settle(leased, &rest).await.map(|()| 0);
        };
        let interval = polled.intervals.get(what);
        let from = leased.cursor - OVERLAP;
        // Their clocks may be ahead of ours.
        let window = TimeWindow { from, to: started_at + OVERLAP };
        let pages = tokio::time::timeout(MAX_DURATION, self.read_windows(leased, polled, what, window)).await;
        let (found, end) = match pages.unwrap_or(Err(PollError::Overran)) {
            Ok((found, gaps)) => {
                if let Some(gaps) = gaps.as_ref().filter(|gaps| !gaps.is_empty()) {
                    let (connection, what, gaps) = (&leased.connection, what.as_str(), gaps.len());
                    tracing::warn!(connection, what, gaps, "the list has stretches that cannot be read");
                }
                let (cursor, due_at) = (Some(started_at), started_at + interval);
                (found, PollResult { cursor, found: saturating_i32(found), error: None, due_at, gaps })
            }
            Err(error) => {
                let reason = match &error {
                    PollError::Call(error) => error.read_failure_reason().code(),
                    PollError::Store(_) => "database_unavailable",
                    PollError::Overran => "overran",
                    PollError::LeaseLost => return Ok(0), // whoever polls now will end it
                };
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                let (connection, what) = (&leased.connection, what.as_str());
                tracing::warn!(connection, what, error = %error, cause, "poll broken off");
                let due_at = self.clock.now() + RETRY_DELAY.min(interval);
                (0, PollResult { cursor: None, found: 0, error: Some(reason), due_at, gaps: None })
            }
        };
        self.settle(leased, &end).await?;
        if found > 0 {
            tracing::info!(connection = leased.connection, what = what.as_str(), found, "poll found news");
        }
        if what == PolledList::Orders {
            self.warn_if_silent(&leased.connection).await?;
        }
        Ok(found)
    }

    /// Warns when orders have stopped coming, by the connection's own order_rate: no report of what happened can show it.
    async fn warn_if_silent(&self, connection: &str) -> store::Result<()> {
        let mut db = self.pool.acquire().await?;
        let Some(row) = connections::find(&mut db, connection).await? else { return Ok(()) };
        let order_rate = order_rate::read(&mut db, connection, row.created_at, self.clock.now()).await?;
        if order_rate.is_suspicious {
            let OrderRate { silent_seconds, expected, .. } = order_rate;
            tracing::warn!(
                connection,
                silent_seconds,
                expected,
                "no orders come, and by the weeks before they should"
            );
        }
        Ok(())
    }

    async fn settle(&self, leased: &LeasedPoll, end: &PollResult) -> store::Result<()> {
        let mut db = self.pool.begin().await?;
        polls::settle(&mut db, leased, end, self.clock.now()).await?; // a lost lease: another one polls
        Ok(db.commit().await?)
    }
}

/// Tells of a poll that could not even be settled.
fn log_result(ended: Result<store::Result<usize>, JoinError>) {
    match ended {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(error = %error, "cannot poll"),
        Err(_) => {
            tracing::error!("a poll panicked: a fault of ours; it begins again when its lease runs out");
        }
    }
}

fn saturating_i32(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
