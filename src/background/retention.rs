//! Retention: redacts personal data early, removes rows much later, and only of what is closed.
//!
//! Bodies and payloads are **redacted** once they are old enough and their task is closed: that an event arrived, and what
//! became of it, can still be read. Rows are **removed** much later, if at all. An open task keeps everything, however
//! old. `[retention]` sets the periods; `docs/data.md` lists what is kept where.

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, Postgres, pool::PoolConnection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    domain::{Timestamp, id::first_id_at},
    runtime::clock::Clock,
    store::{
        self, alerts, hours,
        redaction::{self, Redacted},
        replicas, retention,
    },
};

/// The time between two rounds.
const INTERVAL: Duration = Duration::from_secs(3600);

/// The pause between two pages: nothing is urgent here, and live work uses the same disk.
const PAUSE_BETWEEN_PAGES: Duration = Duration::from_millis(20);

/// How long answers to requests with an `Idempotency-Key` are kept. Clients repeat a request sooner.
const KEEP_IDEMPOTENCY_KEYS: chrono::Duration = chrono::Duration::days(7);

/// A process not seen for a day is gone.
const KEEP_REPLICAS: chrono::Duration = chrono::Duration::days(1);

/// How long data is kept, from `[retention]`; zero keeps it forever.
#[derive(Clone, Copy, Debug)]
pub struct Periods {
    /// Bodies of events and payloads of attempts, once closed.
    pub bodies: Duration,
    /// Closed tasks with their events and attempts, and the figures of each hour.
    pub rows: Duration,
    /// Reports of syncs.
    pub reports: Duration,
}

/// Redacts and removes old data.
#[derive(Clone)]
pub struct Retention {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    periods: Periods,
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Bodies and payloads redacted.
    pub redacted: u64,
    /// Rows removed.
    pub removed: u64,
}

impl Retention {
    /// Creates a retention that does nothing until it is run.
    pub const fn new(pool: PgPool, clock: Arc<dyn Clock>, periods: Periods) -> Self {
        Self { pool, clock, periods }
    }

    /// Runs a round every hour until `soft` is cancelled.
    pub async fn run(&self, soft: CancellationToken) {
        while !soft.is_cancelled() {
            tokio::select! {
                round = self.round() => match round {
                    Ok(Round { redacted: 0, removed: 0 }) => {}
                    Ok(Round { redacted, removed }) => tracing::info!(redacted, removed, "retention round ended"),
                    Err(error) => tracing::warn!(error = %error, "retention round failed, retrying in an hour"),
                },
                () = soft.cancelled() => return,
            }
            let _ = tokio::time::timeout(INTERVAL, soft.cancelled()).await;
        }
    }

    /// Redacts and removes everything that is old by now. Tests drive the retention with it.
    pub async fn round(&self) -> store::Result<Round> {
        let now = self.clock.now();
        let mut round = Round::default();
        if let Some(before) = self.before(self.periods.bodies) {
            for what in [Redacted::EventBodies, Redacted::AttemptPayloads] {
                round.redacted += self.redact(what, first_id_at(before)).await?;
            }
        }
        if let Some(before) = self.before(self.periods.rows) {
            let first = first_id_at(before);
            round.removed += self
                .all_pages(|mut db| async move { retention::remove_tasks(&mut db, first, before).await })
                .await?;
            round.removed += self
                .all_pages(
                    |mut db| async move { retention::remove_events_without_task(&mut db, first).await },
                )
                .await?;
            round.removed += hours::remove_before(&mut *self.pool.acquire().await?, before).await?;
        }
        if let Some(before) = self.before(self.periods.reports) {
            round.removed += self
                .all_pages(|mut db| async move { retention::remove_syncs(&mut db, before).await })
                .await?;
            round.removed +=
                self.all_pages(|mut db| async move { alerts::remove_closed(&mut db, before).await }).await?;
        }
        let before = now - KEEP_IDEMPOTENCY_KEYS;
        round.removed += self
            .all_pages(|mut db| async move { retention::remove_idempotency_keys(&mut db, before).await })
            .await?;
        replicas::remove_unseen(&mut *self.pool.acquire().await?, now - KEEP_REPLICAS).await?;
        Ok(round)
    }

    /// The time before which data of this period is old; `None` where it is kept forever.
    fn before(&self, period: Duration) -> Option<Timestamp> {
        (!period.is_zero()).then(|| self.clock.now() - period)
    }

    /// Removes page after page until one is empty; returns the number of rows.
    async fn all_pages<F: Future<Output = store::Result<u64>>>(
        &self,
        remove_page: impl Fn(PoolConnection<Postgres>) -> F,
    ) -> store::Result<u64> {
        let mut all = 0;
        loop {
            let count = remove_page(self.pool.acquire().await?).await?;
            if count == 0 {
                return Ok(all);
            }
            all += count;
            pause_between_pages().await;
        }
    }

    /// Redacts page after page; returns the number of rows.
    async fn redact(&self, what: Redacted, before: Uuid) -> store::Result<u64> {
        let mut db = self.pool.acquire().await?;
        let mut after = redaction::find_reached(&mut db, what).await?;
        drop(db);
        let (mut redacted, mut first_open) = (0, None);
        loop {
            let mut db = self.pool.acquire().await?;
            let page = redaction::redact(&mut db, what, after, before, self.clock.now()).await?;
            redacted += page.redacted.unsigned_abs();
            first_open = first_open.or(page.first_open);
            let Some(last) = page.last else { return Ok(redacted) };
            after = last;
            // The next round starts before the first row that is still open; its query selects ids after this one.
            let reached = first_open.map_or(last, |open| Uuid::from_u128(open.as_u128() - 1));
            redaction::record_reached(&mut db, what, reached, self.clock.now()).await?;
            drop(db);
            pause_between_pages().await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "leaves the disk to live work for a while")]
async fn pause_between_pages() {
    tokio::time::sleep(PAUSE_BETWEEN_PAGES).await;
}
