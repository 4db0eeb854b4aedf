//! The workshop: the life of a task after it is owed.
//!
//! ```text
//! claim (committed) ─▶ flow reads, decides, does one thing (no transaction open) ─▶ settle (one transaction, fenced)
//! ```
//!
//! Put your finger between any two lines and pull the plug:
//!
//! - before the claim commits: nothing happened, the task is still due;
//! - after it, before a call: the lease runs out, rescue makes the task in doubt, the next attempt looks and does it;
//! - after an action is begun, before its call or in the middle of it: the same, and the begun action in the link makes the
//!   next attempt look twice, a settling time apart, before it sends again;
//! - after the call, before the settle commits: the same; the look finds the action done;
//! - after the settle commits: it is done, and the diary says so.
//!
//! A worker that was only asleep (a long pause, a lost network) and comes back after its rescue cannot settle, and
//! cannot begin an action: both say the claim id that the rescue has cleared.
//!
//! Guarantee: at least once, in order per subject; the effect once, by looking before sending. Not guaranteed: that a
//! vendor which applies a request minutes after it answered 504, and hides it from its own search until then, sees it
//! once only. No caller of such a vendor can promise that.

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

use attempt::ClaimedTask;
use circuit_breaker::CircuitBreaker;
pub use heartbeat::Heartbeat;
pub use metrics::Metrics;
use settler::Settler;
use slots::Slots;
use sqlx::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use watermark::DueWatermark;

use crate::{
    domain::{Timestamp, event::subject::SubjectKind, task::retry::RetryPolicy},
    flows::{ConnectionClients, Flow},
    runtime::{
        clock::{Clock, Entropy},
        failpoints::Failpoints,
    },
    store::{
        self, StoreError,
        claim::{self, ClaimRequest},
        group_commit::GroupCommit,
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

/// Claims due tasks and brings their subjects into sync.
#[derive(Clone)]
pub struct Worker {
    shared: Arc<Shared>,
}

struct Shared {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    entropy: Arc<Entropy>,
    clients: HashMap<String, ConnectionClients>,
    flows: FlowOf,
    settler: GroupCommit<Settler>,
    retry: RetryPolicy,
    options: Options,
    metrics: Metrics,
    failpoints: Failpoints,
    tasks: TaskTracker,
    slots: Slots,
    circuit_breaker: CircuitBreaker,
    watermark: DueWatermark,
    heartbeat: Heartbeat,
    /// After this nothing claimed is begun any more.
    stopping: CancellationToken,
    /// A task of ours became due at once.
    wake: tokio::sync::Notify,
}

/// The flow of each kind of subject.
pub type FlowOf = fn(SubjectKind) -> &'static dyn Flow;

/// What a worker is made of.
pub struct Deps {
    /// Where the tasks are.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fences and jitter.
    pub entropy: Arc<Entropy>,
    /// Every configured connection.
    pub clients: Vec<ConnectionClients>,
    /// How each kind of subject is brought into sync.
    pub flows: FlowOf,
    /// When to try again.
    pub retry: RetryPolicy,
    /// The knobs.
    pub options: Options,
    /// Where attempts are counted.
    pub metrics: Metrics,
    /// Where a proof may interfere.
    pub failpoints: Failpoints,
}

impl Worker {
    /// A worker at rest.
    pub fn new(deps: Deps) -> Self {
        let Deps { pool, clock, entropy, clients, flows, retry, options, metrics, failpoints } = deps;
        let slots =
            Slots::new(options.concurrency, clients.iter().map(|clients| clients.name.clone()).collect());
        let clients = clients.into_iter().map(|clients| (clients.name.clone(), clients)).collect();
        let settler = Settler {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            retry,
            metrics: metrics.clone(),
            failpoints: failpoints.clone(),
        };
        let shared = Shared {
            pool,
            clock,
            entropy,
            clients,
            flows,
            settler: GroupCommit::new(settler, settler::SETTLE_BATCH_LIMITS),
            retry,
            options,
            metrics,
            failpoints,
            tasks: TaskTracker::new(),
            slots,
            circuit_breaker: CircuitBreaker::default(),
            watermark: DueWatermark::default(),
            heartbeat: Heartbeat::default(),
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
            let leased = self.claim(Timestamp::UNIX_EPOCH).await?;
            if leased.is_empty() {
                return Ok(finished);
            }
            finished += leased.len();
            let running: Vec<_> = leased.into_iter().map(|leased| self.spawn(leased)).collect();
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
            tracing::warn!(rescued, "leases ran out: their tasks are in doubt and due again");
        }
        Ok(rescued)
    }

    /// Claims as many as there are free slots, and remembers what we know of each.
    async fn claim(&self, since: Timestamp) -> store::Result<Vec<ClaimedTask>> {
        let Shared { pool, clock, entropy, options, slots, .. } = &*self.shared;
        let free = slots.free();
        let claim_ids: Vec<_> = (0..free.all).map(|_| entropy.fence()).collect();
        let now = clock.now();
        let request = ClaimRequest {
            claim_ids: &claim_ids,
            worker: &options.name,
            capacities: &free.capacities,
            background: free.background,
            since,
            now,
            leased_until: now + options.lease,
        };
        let mut db = pool.acquire().await?;
        let leased = claim::claim_due(&mut db, &request).await?;
        if leased.is_empty() {
            return Ok(Vec::new());
        }
        let connections: Vec<_> = leased.iter().map(|leased| leased.connection.as_str()).collect();
        let subjects: Vec<_> = leased.iter().map(|leased| leased.subject.to_string()).collect();
        let mut known_state = match subject_states::load_with_intents(&mut db, &connections, &subjects).await
        {
            Ok(known_state) => known_state.into_iter(),
            Err(error) => {
                tracing::warn!(error = %error, "cannot read what we remember");
                Vec::new().into_iter()
            }
        };
        Ok(leased.into_iter().map(|leased| ClaimedTask { leased, known_state: known_state.next() }).collect())
    }

    /// Whether its loop can still claim: asked by `/readyz`.
    pub fn heartbeat(&self) -> Heartbeat {
        self.shared.heartbeat.clone()
    }
}
