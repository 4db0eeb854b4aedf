//! The loop: wait (notified, due, or the poll behind it), claim, spawn; until told to stop.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Shared, Worker};
use crate::store::{DUE_CHANNEL, Ear, StoreError, claim};

/// How long to sleep when nothing is due and notifications work: the poll is only a net behind them.
const POLL: Duration = Duration::from_secs(10);

/// The same while the listener is away.
const POLL_DEAF: Duration = Duration::from_secs(1);

/// While there is a backlog, a claim waits so long for more slots to be free: attempts end in batches, and to claim one by
/// one what is freed together costs a statement each.
const GATHERING: Duration = Duration::from_millis(2);

/// How long a round of claims may take.
const LONGEST_CLAIM: Duration = Duration::from_secs(20);

/// Pause after the database refused us, so that its return is not met by a storm.
const AWAY_PAUSE: Duration = Duration::from_millis(500);

impl Worker {
    /// Works until `soft` is cancelled, then claims nothing new, gives back what it has not begun, and lets running
    /// attempts finish until `hard` is cancelled. What is cut off then, its lease rescues.
    pub async fn run(&self, soft: CancellationToken, hard: CancellationToken) {
        let mut ear = Ear::new(self.shared.pool.clone(), DUE_CHANNEL);
        let mut rescue_at = Instant::now();
        let mut is_full = false;
        while !soft.is_cancelled() {
            let hears = ear.opens().await;
            if Instant::now() >= rescue_at {
                let _ = self.rescue().await; // told at the claim below, should the database be away
                rescue_at = Instant::now() + self.jittered(self.shared.options.lease / 4);
            }
            if is_full && self.shared.slots.are_scarce() {
                #[expect(clippy::disallowed_methods, reason = "what is waited for is company")]
                tokio::time::sleep(GATHERING).await;
            }
            // A claim that hangs in a dead connection is given up: what it may have claimed, its lease rescues.
            let claimed = tokio::time::timeout(LONGEST_CLAIM, self.claim_and_spawn()).await;
            let claimed = claimed.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut.into()));
            is_full = matches!(claimed, Ok(None));
            let sleep = match claimed {
                Ok(sleep) => sleep.unwrap_or(POLL).min(if hears { POLL } else { POLL_DEAF }),
                Err(error) => {
                    tracing::warn!(error = %error, "cannot claim");
                    ear.close();
                    AWAY_PAUSE
                }
            };
            let until = (Instant::now() + self.jittered(sleep)).min(rescue_at);
            self.wait(&mut ear, until, &soft).await;
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
        let Shared { pool, clock, slots, floor, pulse, .. } = &*self.shared;
        let since = floor.since(clock.now());
        loop {
            let free = slots.free().all;
            if free == 0 {
                pulse.beat(clock.now());
                return Ok(None);
            }
            let held = self.claim(since).await?;
            pulse.beat(clock.now());
            let claimed = held.len();
            for claimed in held {
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
        floor.raise(since, due.delivery, now);
        if due.probe.is_some_and(|at| at <= now) {
            self.probe_beside();
        }
        let next = [due.delivery, due.probe].into_iter().flatten().min();
        let until_due = next.map(|due| (due - now).to_std().unwrap_or(Duration::ZERO));
        // What is due already and was not claimed is locked, paused or without a slot: a short pause, not a spin.
        Ok(Some(until_due.map_or(POLL, |wait| if wait.is_zero() { AWAY_PAUSE } else { wait })))
    }

    /// Probes held connections, beside the loop: a system that hangs must not keep the others' deliveries waiting.
    fn probe_beside(&self) {
        let worker = self.clone();
        self.shared.tasks.spawn(async move {
            if let Err(error) = worker.probe().await {
                tracing::warn!(error = %error, "cannot probe");
            }
        });
    }

    async fn wait(&self, ear: &mut Ear, until: Instant, soft: &CancellationToken) {
        tokio::select! {
            () = ear.heard() => {}
            () = self.shared.wake.notified() => {}
            () = tokio::time::sleep_until(until) => {}
            () = soft.cancelled() => {}
        }
    }

    /// Stretches a wait by up to a tenth, so that replicas do not beat in step.
    fn jittered(&self, wait: Duration) -> Duration {
        wait.mul_f64(1.0 + self.shared.entropy.fraction() / 10.0)
    }
}
