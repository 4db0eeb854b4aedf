//! The second door: a periodic comparison that finds what no webhook told us.
//!
//! Webhooks are lost, and no vendor of ours is known to send one when an order is paid later. So each connection's
//! lists are read from a durable cursor on, with an overlap (their clocks are not ours, and a change may show late),
//! and whatever stands there at a version that we have not read is an event like any other, by the same
//! [`receive`](super). A version that was told twice is stored once, so the overlap costs nothing.
//!
//! The cursor moves only after every page was received: a sweep that breaks off begins again where it began. A stretch
//! that the shop cannot list is narrowed down, remembered as a gap and tried again ([`crate::domain::time_window`]).

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::lists::What;
pub use super::lists::{Intervals, SweptConnection};
use crate::inbox::{Metrics, webhook::receive::Receiver};
use crate::{
    domain::{Timestamp, order_rate::Rhythm, time_window::Window},
    runtime::clock::{Clock, Entropy},
    store::{
        self, StoreError, connections, order_rate,
        polls::{self, LeasedSweep, Swept},
    },
    vendors::http::error::CallError,
};

/// How far a sweep reaches back behind its cursor.
const OVERLAP: chrono::Duration = chrono::Duration::minutes(10);

/// How long a sweep may take; one that takes longer is cut off and begins again.
const LONGEST: Duration = Duration::from_secs(540);

/// When a failed sweep is tried again.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// Sweeps at once in a process: a system that hangs keeps its own lists waiting, and nobody else's.
const AT_ONCE: usize = 16;

/// Sweeps every connection, each list in its turn.
#[derive(Clone)]
pub struct Sweeper {
    pub(in crate::inbox) pool: PgPool,
    pub(in crate::inbox) clock: Arc<dyn Clock>,
    entropy: Arc<Entropy>,
    pub(in crate::inbox) receiver: Receiver,
    pub(in crate::inbox) lease: Duration,
    connections: Arc<HashMap<String, SweptConnection>>,
}

/// Sweeps on their way; each answers how many events it has found.
type Sweeping = JoinSet<store::Result<usize>>;

/// What a sweeper is made of.
pub struct Parts {
    /// Where cursors and events are.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and fences.
    pub entropy: Arc<Entropy>,
    /// Where finds are counted.
    pub metrics: Metrics,
    /// How long a sweep stays ours without a sign of life: every page is one.
    pub lease: Duration,
    /// What to sweep.
    pub connections: Vec<SweptConnection>,
}

/// Why a sweep broke off.
#[derive(Debug, thiserror::Error)]
pub(in crate::inbox) enum Broken {
    #[error("a list could not be read")]
    Call(#[from] CallError),
    #[error("the finds could not be stored")]
    Store(#[from] StoreError),
    #[error("it took too long")]
    Overran,
    #[error("somebody else sweeps it now")]
    LeaseLost,
}

impl Sweeper {
    /// A sweeper at rest.
    pub fn new(parts: Parts) -> Self {
        let Parts { pool, clock, entropy, metrics, lease, connections } = parts;
        let receiver =
            Receiver { pool: pool.clone(), clock: clock.clone(), entropy: entropy.clone(), metrics };
        let connections = connections.into_iter().map(|swept| (swept.connection.clone(), swept)).collect();
        Self { pool, clock, entropy, receiver, lease, connections: Arc::new(connections) }
    }

    /// Makes sure that every list has its cursor. A new one begins now: history is never imported.
    pub async fn prepare(&self) -> store::Result<()> {
        let now = self.clock.now();
        let mut db = self.pool.acquire().await?;
        for swept in self.connections.values() {
            for what in What::ALL.into_iter().filter(|what| !swept.intervals.of(*what).is_zero()) {
                polls::ensure(&mut db, &swept.connection, what.as_str(), now, now).await?;
            }
        }
        Ok(())
    }

    /// Sweeps what is due until told to stop; what is on its way then comes to its end.
    pub async fn run(&self, soft: CancellationToken) {
        let shortest =
            self.connections.values().flat_map(|swept| What::ALL.map(|what| swept.intervals.of(what)));
        let shortest =
            shortest.filter(|interval| !interval.is_zero()).min().unwrap_or(Duration::from_secs(60));
        let poll = (shortest / 4).clamp(Duration::from_millis(200), Duration::from_secs(10));
        let mut sweeping = Sweeping::new();
        while !soft.is_cancelled() {
            if let Err(error) = self.begin_due(&mut sweeping).await {
                tracing::warn!(error = %error, "cannot sweep");
            }
            let pause = poll.mul_f64(1.0 + self.entropy.fraction() / 10.0);
            let was_full = sweeping.len() >= AT_ONCE;
            let ended = async {
                while let Some(ended) = sweeping.join_next().await {
                    tell(ended);
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
        while let Some(ended) = sweeping.join_next().await {
            tell(ended);
        }
    }

    /// Sweeps everything that is due now; answers how many events were found: the crank of the tests.
    pub async fn sweep_due(&self) -> store::Result<usize> {
        let (mut sweeping, mut found) = (Sweeping::new(), 0);
        loop {
            self.begin_due(&mut sweeping).await?;
            let Some(ended) = sweeping.join_next().await else { return Ok(found) };
            found += ended.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))?;
        }
    }

    /// Begins what is due now, as far as there is room: each beside the others, and one that panics costs its own turn.
    async fn begin_due(&self, sweeping: &mut Sweeping) -> store::Result<()> {
        while sweeping.len() < AT_ONCE {
            let now = self.clock.now();
            let mut db = self.pool.acquire().await?;
            let claimed = polls::claim_due(&mut db, self.entropy.fence(), now, now + self.lease).await?;
            drop(db); // never held across the network
            let Some(held) = claimed else { break };
            let sweeper = self.clone();
            sweeping.spawn(async move { sweeper.sweep(&held, now).await });
        }
        Ok(())
    }

    async fn sweep(&self, held: &LeasedSweep, begun_at: Timestamp) -> store::Result<usize> {
        let what = What::ALL.into_iter().find(|what| what.as_str() == held.what);
        let swept = self.connections.get(&held.connection).zip(what);
        let Some((swept, what)) = swept.filter(|(swept, what)| !swept.intervals.of(*what).is_zero()) else {
            // Swept by an earlier configuration: not ours now, asked again in a day.
            let day = Duration::from_secs(86_400);
            let rest = Swept { cursor: None, found: 0, error: None, due_at: begun_at + day, gaps: None };
            return self.settle(held, &rest).await.map(|()| 0);
        };
        let interval = swept.intervals.of(what);
        let from = held.cursor - OVERLAP;
        // Their clocks may be ahead of ours.
        let window = Window { from, to: begun_at + OVERLAP };
        let pages = tokio::time::timeout(LONGEST, self.read_windows(held, swept, what, window)).await;
        let (found, end) = match pages.unwrap_or(Err(Broken::Overran)) {
            Ok((found, gaps)) => {
                if let Some(gaps) = gaps.as_ref().filter(|gaps| !gaps.is_empty()) {
                    let (connection, what, gaps) = (&held.connection, what.as_str(), gaps.len());
                    tracing::warn!(connection, what, gaps, "the list has stretches that cannot be read");
                }
                let (cursor, due_at) = (Some(begun_at), begun_at + interval);
                (found, Swept { cursor, found: signed(found), error: None, due_at, gaps })
            }
            Err(error) => {
                let reason = match &error {
                    Broken::Call(error) => error.reason_unread().code(),
                    Broken::Store(_) => "database_away",
                    Broken::Overran => "overran",
                    Broken::LeaseLost => return Ok(0), // whoever sweeps now will end it
                };
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                let (connection, what) = (&held.connection, what.as_str());
                tracing::warn!(connection, what, error = %error, cause, "sweep broken off");
                let due_at = self.clock.now() + AFTER_FAILURE.min(interval);
                (0, Swept { cursor: None, found: 0, error: Some(reason), due_at, gaps: None })
            }
        };
        self.settle(held, &end).await?;
        if found > 0 {
            tracing::info!(connection = held.connection, what = what.as_str(), found, "sweep found news");
        }
        if what == What::Orders {
            self.listen_for_silence(&held.connection).await?;
        }
        Ok(found)
    }

    /// Warns when orders have stopped coming, by the connection's own rhythm: no report of what happened can show it.
    async fn listen_for_silence(&self, connection: &str) -> store::Result<()> {
        let mut db = self.pool.acquire().await?;
        let Some(row) = connections::find(&mut db, connection).await? else { return Ok(()) };
        let rhythm = order_rate::read(&mut db, connection, row.created_at, self.clock.now()).await?;
        if rhythm.is_suspicious {
            let Rhythm { silent_seconds, expected, .. } = rhythm;
            tracing::warn!(
                connection,
                silent_seconds,
                expected,
                "no orders come, and by the weeks before they should"
            );
        }
        Ok(())
    }

    async fn settle(&self, held: &LeasedSweep, end: &Swept) -> store::Result<()> {
        let mut db = self.pool.begin().await?;
        polls::settle(&mut db, held, end, self.clock.now()).await?; // a lost lease: another one sweeps
        Ok(db.commit().await?)
    }
}

/// Tells of a sweep that could not even be settled.
fn tell(ended: Result<store::Result<usize>, JoinError>) {
    match ended {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(error = %error, "cannot sweep"),
        Err(_) => {
            tracing::error!("a sweep panicked: a fault of ours; it begins again when its lease runs out");
        }
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
