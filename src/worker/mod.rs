//! The workshop: the life of a delivery after it is owed.
//!
//! ```text
//! claim (committed) ─▶ flow reads, decides, does one thing (no transaction open) ─▶ settle (one transaction, fenced)
//! ```
//!
//! Put your finger between any two lines and pull the plug:
//!
//! - before the claim commits: nothing happened, the delivery is still due;
//! - after it, before a call: the lease runs out, rescue makes the delivery in doubt, the next attempt looks and does it;
//! - after a deed is begun, before its call or in the middle of it: the same, and the begun deed in the link makes the
//!   next attempt look twice, a settling time apart, before it sends again;
//! - after the call, before the settle commits: the same; the look finds the deed done;
//! - after the settle commits: it is done, and the diary says so.
//!
//! A worker that was only asleep (a long pause, a lost network) and comes back after its rescue cannot settle, and
//! cannot begin a deed: both say the claim id that the rescue has cleared.
//!
//! Guarantee: at least once, in order per subject; the effect once, by looking before sending. Not guaranteed: that a
//! system which applies a request minutes after it answered 504, and hides it from its own search until then, sees it
//! once only. No caller of such a system can promise that.

mod attempt;
mod circuit_breaker;
mod heartbeat;
mod metrics;
mod run;
mod settler;
mod slots;
pub mod task_store;
mod watermark;

use std::{collections::HashMap, sync::Arc, time::Duration};

use attempt::Claimed;
use circuit_breaker::Circuits;
pub use heartbeat::Pulse;
pub use metrics::Metrics;
use settler::Settler;
use slots::Slots;
use sqlx::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use watermark::Floor;

use crate::{
    domain::{Timestamp, event::subject::SubjectKind, task::retry::RetryPolicy},
    flows::{Flow, Tied},
    runtime::{
        clock::{Clock, Entropy},
        failpoints::KillPoints,
    },
    store::{
        self, StoreError,
        claim::{self, Wanted},
        group_commit::Gather,
        subject_states, tasks,
    },
};

/// The knobs of `[worker]`.
#[derive(Clone, Debug)]
pub struct Options {
    /// Attempts at once, per process.
    pub concurrency: usize,
    /// How long a claim is ours; an attempt is cut off a little earlier.
    pub lease: Duration,
    /// The process's name, written into claims.
    pub name: String,
}

/// Claims due deliveries and brings their subjects into step.
#[derive(Clone)]
pub struct Worker {
    shared: Arc<Shared>,
}

struct Shared {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    entropy: Arc<Entropy>,
    tied: HashMap<String, Tied>,
    flows: FlowOf,
    settler: Gather<Settler>,
    retry: RetryPolicy,
    options: Options,
    metrics: Metrics,
    killpoints: KillPoints,
    tasks: TaskTracker,
    slots: Slots,
    circuits: Circuits,
    floor: Floor,
    pulse: Pulse,
    /// After this nothing claimed is begun any more.
    stopping: CancellationToken,
    /// A delivery of ours became due at once.
    wake: tokio::sync::Notify,
}

/// The flow of each kind of subject.
pub type FlowOf = fn(SubjectKind) -> &'static dyn Flow;

/// What a worker is made of.
pub struct Parts {
    /// Where the debts are.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fences and jitter.
    pub entropy: Arc<Entropy>,
    /// Every configured connection.
    pub tied: Vec<Tied>,
    /// How each kind of subject is brought into step.
    pub flows: FlowOf,
    /// When to try again.
    pub retry: RetryPolicy,
    /// The knobs.
    pub options: Options,
    /// Where attempts are counted.
    pub metrics: Metrics,
    /// Where a proof may interfere.
    pub killpoints: KillPoints,
}

impl Worker {
    /// A worker at rest.
    pub fn new(parts: Parts) -> Self {
        let Parts { pool, clock, entropy, tied, flows, retry, options, metrics, killpoints } = parts;
        let slots = Slots::new(options.concurrency, tied.iter().map(|tied| tied.name.clone()).collect());
        let tied = tied.into_iter().map(|tied| (tied.name.clone(), tied)).collect();
        let settler = Settler {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            retry,
            metrics: metrics.clone(),
            killpoints: killpoints.clone(),
        };
        let shared = Shared {
            pool,
            clock,
            entropy,
            tied,
            flows,
            settler: Gather::new(settler, settler::TOGETHER),
            retry,
            options,
            metrics,
            killpoints,
            tasks: TaskTracker::new(),
            slots,
            circuits: Circuits::default(),
            floor: Floor::default(),
            pulse: Pulse::default(),
            stopping: CancellationToken::new(),
            wake: tokio::sync::Notify::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Claims and finishes attempts until nothing is due now: the crank of the tests.
    pub async fn run_until_idle(&self) -> Result<usize, StoreError> {
        let mut finished = 0;
        loop {
            if self.shared.stopping.is_cancelled() {
                return Ok(finished); // what is claimed now would only be given back
            }
            self.rescue().await?;
            self.probe().await?;
            let held = self.claim(Timestamp::UNIX_EPOCH).await?;
            if held.is_empty() {
                return Ok(finished);
            }
            finished += held.len();
            let running: Vec<_> = held.into_iter().map(|held| self.spawn(held)).collect();
            for attempt in running {
                let _ = attempt.await; // a panic inside was settled as an outcome
            }
        }
    }

    /// Takes back leases that have run out.
    pub async fn rescue(&self) -> Result<u64, StoreError> {
        let Shared { pool, clock, retry, .. } = &*self.shared;
        let mut db = pool.acquire().await?;
        let rescued = tasks::rescue_expired(&mut db, retry.attempts, clock.now()).await?;
        if rescued > 0 {
            tracing::warn!(rescued, "leases ran out: their deliveries are in doubt and due again");
        }
        Ok(rescued)
    }

    /// Claims as many as there are free slots, and remembers what we know of each.
    async fn claim(&self, since: Timestamp) -> store::Result<Vec<Claimed>> {
        let Shared { pool, clock, entropy, options, slots, .. } = &*self.shared;
        let free = slots.free();
        let fences: Vec<_> = (0..free.all).map(|_| entropy.fence()).collect();
        let now = clock.now();
        let wanted = Wanted {
            fences: &fences,
            worker: &options.name,
            rooms: &free.rooms,
            background: free.background,
            since,
            now,
            leased_until: now + options.lease,
        };
        let mut db = pool.acquire().await?;
        let held = claim::claim_due(&mut db, &wanted).await?;
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let connections: Vec<_> = held.iter().map(|held| held.connection.as_str()).collect();
        let subjects: Vec<_> = held.iter().map(|held| held.subject.to_string()).collect();
        let mut remembered = match subject_states::remember(&mut db, &connections, &subjects).await {
            Ok(remembered) => remembered.into_iter(),
            Err(error) => {
                tracing::warn!(error = %error, "cannot read what we remember");
                Vec::new().into_iter()
            }
        };
        Ok(held.into_iter().map(|held| Claimed { held, remembered: remembered.next() }).collect())
    }

    /// Whether its loop can still claim: asked by `/readyz`.
    pub fn pulse(&self) -> Pulse {
        self.shared.pulse.clone()
    }
}
