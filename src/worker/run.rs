//! The claim loop: wait (notification, due time or poll), claim, spawn, until shutdown.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::{sync::Notify, task::JoinHandle, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, field::Empty};

use super::{
    Deps,
    agenda::Agenda,
    attempt::AttemptRunner,
    claim::{ClaimedTask, claim},
    probe::Prober,
    slots::Slots,
    watermark::{COMMIT_LAG, DueWatermark},
};
use crate::{
    domain::{
        Timestamp,
        task::{state::LeasedTask, transition::LONGEST_OUTAGE_CIRCUIT},
    },
    runtime::heartbeat::Heartbeat,
    store::{
        DUE_CHANNEL, NotifyListener, StoreError,
        claim::{self as claims, NextDue},
        tasks,
    },
};

/// How long the loop sleeps when nothing is due and notifications work: the poll only covers a lost notification.
const POLL: Duration = Duration::from_secs(10);

/// The same while the listener is disconnected.
const POLL_WITHOUT_LISTENER: Duration = Duration::from_secs(1);

/// Under load, a claim waits this long for more free slots. Attempts end in batches, and claiming the freed slots one by
/// one costs a statement each.
const SLOT_BATCHING: Duration = Duration::from_millis(2);

/// How long the loop rests at most while many webhooks wait: they go first, and still nothing starves.
const LONGEST_REST: Duration = Duration::from_millis(50);

/// How long a round of claims may take.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(20);

/// Pause after a database error, so that a recovering database is not flooded.
const DATABASE_RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Claims due tasks and runs their attempts.
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

struct Inner {
    deps: Arc<Deps>,
    runner: Arc<AttemptRunner>,
    prober: Prober,
    slots: Slots,
    agenda: Agenda,
    watermark: DueWatermark,
    heartbeat: Heartbeat,
    /// Every task spawned for an attempt or a probe.
    tracker: TaskTracker,
    /// Cancelled at shutdown: a claimed task that has not begun is released.
    stopping: CancellationToken,
    /// Notified when an attempt ends: its slot is free, and its task may be due again at once.
    wake: Notify,
}

impl Worker {
    /// Creates a worker that does nothing until it is run.
    pub fn new(deps: Deps) -> Self {
        let connections = deps.clients.iter().map(|it| (it.name.clone(), it.calls_per_second));
        let slots = Slots::new(deps.options.concurrency, connections);
        let deps = Arc::new(deps);
        let tracker = TaskTracker::new();
        let runner = Arc::new(AttemptRunner::new(deps.clone(), tracker.clone()));
        Self(Arc::new(Inner {
            prober: Prober::new(deps.clone(), tracker.clone(), runner.clone()),
            runner,
            deps,
            slots,
            agenda: Agenda::default(),
            watermark: DueWatermark::default(),
            heartbeat: Heartbeat::default(),
            tracker,
            stopping: CancellationToken::new(),
            wake: Notify::new(),
        }))
    }

    /// Runs until `soft` is cancelled. Then claims nothing new, releases what has not begun, and lets running attempts
    /// finish until `hard` is cancelled. The leases of aborted attempts run out and are rescued.
    pub async fn run(&self, soft: CancellationToken, hard: CancellationToken) {
        let Inner { deps, slots, agenda, tracker, stopping, .. } = &*self.0;
        let mut listener = NotifyListener::new(deps.pool.clone(), DUE_CHANNEL);
        let mut rescue_at = Instant::now();
        let mut is_full = false;
        while !soft.is_cancelled() {
            let is_listening = listener.ensure_open().await;
            if !is_listening {
                agenda.distrust();
            }
            agenda.note(&listener.take_heard(), |name| slots.has(name), deps.clock.now() - COMMIT_LAG);
            if Instant::now() >= rescue_at {
                let _ = self.rescue().await; // a database error is logged by the claim below
                rescue_at = Instant::now() + self.jittered(deps.options.lease / 4);
            }
            if is_full && slots.is_nearly_full() {
                #[expect(clippy::disallowed_methods, reason = "attempts that end soon free more slots")]
                tokio::time::sleep(SLOT_BATCHING).await;
            }
            let _ = tokio::time::timeout(LONGEST_REST, deps.pressure.relieved()).await;
            // A claim that hangs on a dead connection is abandoned; the lease of what it may have claimed is rescued.
            let claimed = tokio::time::timeout(CLAIM_TIMEOUT, self.claim_and_spawn()).await;
            let claimed = claimed.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut.into()));
            is_full = matches!(claimed, Ok(None));
            let sleep = match claimed {
                Ok(sleep) => {
                    sleep.unwrap_or(POLL).min(if is_listening { POLL } else { POLL_WITHOUT_LISTENER })
                }
                Err(error) => {
                    tracing::warn!(error = %error, "claim failed, retrying");
                    agenda.distrust();
                    listener.close();
                    DATABASE_RETRY_PAUSE
                }
            };
            let until = (Instant::now() + self.jittered(sleep)).min(rescue_at);
            self.wait(&mut listener, until, &soft).await;
        }
        stopping.cancel();
        tracker.close();
        tokio::select! {
            () = tracker.wait() => {}
            () = hard.cancelled() => tracing::warn!("attempts aborted at shutdown: their leases will run out and be rescued"),
        }
    }

    /// Claims and finishes attempts until nothing is due; returns how many. Tests drive the worker with it.
    pub async fn run_until_idle(&self) -> Result<usize, StoreError> {
        let mut finished = 0;
        loop {
            if self.0.stopping.is_cancelled() {
                return Ok(finished); // what is claimed now would only be released
            }
            self.rescue().await?;
            self.0.prober.probe_due().await?;
            let Inner { deps, slots, .. } = &*self.0;
            let claimed = claim(deps, slots, slots.connections(), Timestamp::UNIX_EPOCH).await?;
            if claimed.is_empty() {
                return Ok(finished);
            }
            finished += claimed.len();
            let running: Vec<_> = claimed.into_iter().map(|task| self.spawn_attempt(task)).collect();
            for attempt in running {
                let _ = attempt.await; // a panic inside was settled as an outcome
            }
        }
    }

    /// The heartbeat of the claim loop, which `/readyz` reads.
    pub fn heartbeat(&self) -> Heartbeat {
        self.0.heartbeat.clone()
    }

    /// Claims as many tasks as there are free slots, in connections where something may be due. Returns when the next one is
    /// due, or `None` where all slots are used: the next settle wakes the loop.
    async fn claim_and_spawn(&self) -> Result<Option<Duration>, StoreError> {
        let Inner { deps, slots, agenda, watermark, heartbeat, .. } = &*self.0;
        let now = deps.clock.now();
        if slots.count_free() == 0 {
            heartbeat.beat(now);
            return Ok(None);
        }
        let due = agenda.take_due(now);
        let looks_at_all = agenda.take_distrust() || watermark.wants_full_scan(now);
        let mut open: BTreeSet<_> = due.iter().cloned().collect();
        let asked = if looks_at_all { slots.connections().to_vec() } else { due };
        if asked.is_empty() {
            heartbeat.beat(now);
            return Ok(Some(self.until_next_due()));
        }
        let since = watermark.scan_start(now);
        loop {
            let free = slots.count_free();
            if free == 0 {
                for connection in &open {
                    agenda.hint(connection, since); // there may be more
                }
                return Ok(None);
            }
            let claimed = claim(deps, slots, &asked, since).await?;
            heartbeat.beat(deps.clock.now());
            let count = claimed.len();
            for task in claimed {
                open.insert(task.leased.connection.clone());
                drop(self.spawn_attempt(task));
            }
            if count < free {
                break;
            }
        }
        self.look_ahead(&asked, since).await?;
        Ok(Some(self.until_next_due()))
    }

    /// Looks when the next tasks of these connections are due, and probes connections whose time it is.
    async fn look_ahead(&self, asked: &[String], since: Timestamp) -> Result<(), StoreError> {
        let Inner { deps, agenda, watermark, .. } = &*self.0;
        let now = deps.clock.now();
        let mut db = deps.pool.acquire().await?;
        let next = claims::next_due(&mut db, asked, since).await?;
        drop(db);
        let is_probe_due =
            next.iter().filter_map(|it| it.probe).any(|at| at <= now || at > now + LONGEST_OUTAGE_CIRCUIT);
        agenda.record(asked, next.into_iter().filter_map(NextDue::first));
        watermark.advance(since, agenda.first_due(), now);
        if is_probe_due {
            self.spawn_probes();
        }
        Ok(())
    }

    fn until_next_due(&self) -> Duration {
        let Inner { deps, agenda, .. } = &*self.0;
        let Some(due) = agenda.first_due() else { return POLL };
        let wait = (due - deps.clock.now()).to_std().unwrap_or(Duration::ZERO);
        // A due task that was not claimed is locked, paused or without a slot: pause instead of spinning.
        if wait.is_zero() { DATABASE_RETRY_PAUSE } else { wait }
    }

    /// Runs the attempt of a claimed task in a slot of its own.
    fn spawn_attempt(&self, claimed: ClaimedTask) -> JoinHandle<()> {
        let worker = self.clone();
        let slot = self.0.slots.acquire(&claimed.leased);
        let LeasedTask { id, connection, subject, .. } = &claimed.leased;
        let span = tracing::debug_span!("attempt", task = %id, connection, %subject, outcome = Empty);
        let attempt = async move {
            let Inner { deps, runner, prober, agenda, watermark, stopping, wake, .. } = &*worker.0;
            let connection = claimed.leased.connection.clone();
            if stopping.is_cancelled() {
                runner.release(&claimed.leased).await;
            } else {
                let due_at = claimed.leased.due_at;
                let ending = runner.run(claimed).await;
                if let Some(wait) = ending.turn_in {
                    slot.defer(wait, deps.clock.monotonic());
                    watermark.lower(due_at);
                    agenda.hint(&connection, due_at);
                }
                if let Err(error) = prober.confirm(&connection, &ending).await {
                    tracing::warn!(connection, error = %error, "cannot record a probe's result");
                }
            }
            drop(slot);
            agenda.hint(&connection, deps.clock.now()); // the task may be due again, and others have waited for the slot
            wake.notify_one();
        };
        self.0.tracker.spawn(attempt.instrument(span))
    }

    /// Probes connections with an open circuit beside the loop: a vendor that hangs must not delay other connections.
    fn spawn_probes(&self) {
        let worker = self.clone();
        self.0.tracker.spawn(async move {
            if let Err(error) = worker.0.prober.probe_due().await {
                tracing::warn!(error = %error, "cannot load the connections to probe");
            }
        });
    }

    /// Marks tasks whose lease has run out as in doubt and due again; returns how many.
    async fn rescue(&self) -> Result<u64, StoreError> {
        let Deps { pool, clock, retry, .. } = &*self.0.deps;
        let mut db = pool.acquire().await?;
        let rescued = tasks::rescue_expired(&mut db, retry.attempts, clock.now()).await?;
        if rescued > 0 {
            self.0.agenda.distrust();
            tracing::warn!(rescued, "leases ran out: their tasks are in doubt and due again");
        }
        Ok(rescued)
    }

    async fn wait(&self, listener: &mut NotifyListener, until: Instant, soft: &CancellationToken) {
        tokio::select! {
            () = listener.wait_for_notification() => {}
            () = self.0.wake.notified() => {}
            () = tokio::time::sleep_until(until) => {}
            () = soft.cancelled() => {}
        }
    }

    /// Adds up to a tenth to a wait, so that replicas do not claim at the same moment.
    fn jittered(&self, wait: Duration) -> Duration {
        wait.mul_f64(1.0 + self.0.deps.entropy.fraction() / 10.0)
    }
}
