//! The loop: wait (notified, due, or the poll behind it), claim, spawn; until told to stop.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Shared, Worker};
use crate::store::{DUE_CHANNEL, NotifyListener, StoreError, claim};

/// How long to sleep when nothing is due and notifications work: the poll is only a net behind them.
const POLL: Duration = Duration::from_secs(10);

/// The same while the listener is away.
const POLL_WITHOUT_LISTENER: Duration = Duration::from_secs(1);

/// While there is a backlog, a claim waits so long for more slots to be free: attempts end in batches, and to claim one by
/// one what is freed together costs a statement each.
const SLOT_BATCHING: Duration = Duration::from_millis(2);

/// How long a round of claims may take.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(20);

/// Pause after the database refused us, so that its return is not met by a storm.
const DATABASE_RETRY_PAUSE: Duration = Duration::from_millis(500);

impl Worker {
    /// Works until `soft` is cancelled, then claims nothing new, gives back what it has not begun, and lets running
    /// attempts finish until `hard` is cancelled. What is cut off then, its lease rescues.
    pub async fn run(&self, soft: CancellationToken, hard: CancellationToken) {
        let mut listener = NotifyListener::new(self.shared.pool.clone(), DUE_CHANNEL);
        let mut rescue_at = Instant::now();
        let mut is_full = false;
        while !soft.is_cancelled() {
            let is_listening = listener.ensure_open().await;
            if Instant::now() >= rescue_at {
                let _ = self.rescue().await; // told at the claim below, should the database be away
                rescue_at = Instant::now() + self.jittered(self.shared.options.lease / 4);
            }
            if is_full && self.shared.slots.is_nearly_full() {
                #[expect(clippy::disallowed_methods, reason = "what is waited for is company")]
                tokio::time::sleep(SLOT_BATCHING).await;
            }
            // A claim that hangs in a dead connection is given up: what it may have claimed, its lease rescues.
            let claimed = tokio::time::timeout(CLAIM_TIMEOUT, self.claim_and_spawn()).await;
            let claimed = claimed.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut.into()));
            is_full = matches!(claimed, Ok(None));
            let sleep = match claimed {
                Ok(sleep) => {
                    sleep.unwrap_or(POLL).min(if is_listening { POLL } else { POLL_WITHOUT_LISTENER })
                }
                Err(error) => {
                    tracing::warn!(error = %error, "cannot claim");
                    listener.close();
                    DATABASE_RETRY_PAUSE
                }
            };
            let until = (Instant::now() + self.jittered(sleep)).min(rescue_at);
            self.wait(&mut listener, until, &soft).await;
        }
        self.shared.stopping.cancel();
        self.shared.tasks.close();
        tokio::select! {
            () = self.shared.tasks.wait() => {}
            () = hard.cancelled() => tracing::warn!("attempts cut off: their leases will run out and be rescued"),
        }
    }

    /// Claims as many as there are free slots; answers how long nothing more will be due, or `None` where all slots are
    /// taken: the next settle wakes us.
    async fn claim_and_spawn(&self) -> Result<Option<Duration>, StoreError> {
        let Shared { pool, clock, slots, watermark, heartbeat, .. } = &*self.shared;
        let since = watermark.scan_start(clock.now());
        loop {
            let free = slots.free().all;
            if free == 0 {
                heartbeat.beat(clock.now());
                return Ok(None);
            }
            let leased = self.claim(since).await?;
            heartbeat.beat(clock.now());
            let claimed = leased.len();
            for claimed in leased {
                drop(self.spawn(claimed));
            }
            if claimed < free {
                break;
            }
        }
        let now = clock.now();
        let mut db = pool.acquire().await?;
        let due = claim::next_due(&mut db, slots.names(), since).await?;
        drop(db);
        watermark.advance(since, due.task, now);
        if due.probe.is_some_and(|at| at <= now) {
            self.spawn_probe();
        }
        let next = [due.task, due.probe].into_iter().flatten().min();
        let until_due = next.map(|due| (due - now).to_std().unwrap_or(Duration::ZERO));
        // What is due already and was not claimed is locked, paused or without a slot: a short pause, not a spin.
        Ok(Some(until_due.map_or(POLL, |wait| if wait.is_zero() { DATABASE_RETRY_PAUSE } else { wait })))
    }

    /// Probes held connections, beside the loop: a vendor that hangs must not keep the others' tasks waiting.
    fn spawn_probe(&self) {
        let worker = self.clone();
        self.shared.tasks.spawn(async move {
            if let Err(error) = worker.probe().await {
                tracing::warn!(error = %error, "cannot probe");
            }
        });
    }

    async fn wait(&self, listener: &mut NotifyListener, until: Instant, soft: &CancellationToken) {
        tokio::select! {
            () = listener.wait_for_notification() => {}
            () = self.shared.wake.notified() => {}
            () = tokio::time::sleep_until(until) => {}
            () = soft.cancelled() => {}
        }
    }

    /// Stretches a wait by up to a tenth, so that replicas do not beat in sync.
    fn jittered(&self, wait: Duration) -> Duration {
        wait.mul_f64(1.0 + self.shared.entropy.fraction() / 10.0)
    }
}
