//! Retention: what may speak of people goes first, the rows themselves later, and only what is closed.
//!
//! Bodies and payloads are **redacted** once they are old enough and what they belong to is closed: that an event came,
//! and what became of it, stays to be read. Rows are **removed** much later, if at all. An open task keeps everything
//! it has, however old. How long each is kept is `[retention]`; `docs/data.md` says what is kept where.

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    domain::{Timestamp, id::first_id_at},
    runtime::clock::Clock,
    store::{
        self, alerts,
        redaction::{self, Redacted},
        replicas, retention,
    },
};

/// How often it is looked for what is old.
const INTERVAL: Duration = Duration::from_secs(3600);

/// Between two pages: nothing is urgent here, and the disk is for others too.
const PAUSE_BETWEEN_PAGES: Duration = Duration::from_millis(20);

/// Answers to keyed requests are kept for a week: whoever repeats a request does it sooner.
const KEEP_IDEMPOTENCY_KEYS: chrono::Duration = chrono::Duration::days(7);

/// A process not seen for a day is gone.
const KEEP_REPLICAS: chrono::Duration = chrono::Duration::days(1);

/// How long each is kept, from `[retention]`; zero is for ever.
#[derive(Clone, Copy, Debug)]
pub struct Periods {
    /// Bodies of events and payloads of attempts, once closed.
    pub bodies: Duration,
    /// Closed tasks with their events and attempts.
    pub rows: Duration,
    /// Reports of syncs.
    pub reports: Duration,
}

/// Blanks and removes what is old.
#[derive(Clone)]
pub struct Retention {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    periods: Periods,
}

/// What a round has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Bodies and payloads redacted.
    pub redacted: u64,
    /// Rows removed.
    pub removed: u64,
}

/// Page after page until one is empty; answers how many rows they had.
macro_rules! pages {
    ($self:ident, $db:ident => $page:expr) => {{
        let mut all = 0;
        loop {
            let mut $db = $self.pool.acquire().await?;
            let count = $page.await?;
            drop($db);
            if count == 0 {
                break all;
            }
            all += count;
            pause_between_pages().await;
        }
    }};
}

impl Retention {
    /// At rest.
    pub const fn new(pool: PgPool, clock: Arc<dyn Clock>, periods: Periods) -> Self {
        Self { pool, clock, periods }
    }

    /// A round every hour, until told to stop.
    pub async fn run(&self, soft: CancellationToken) {
        while !soft.is_cancelled() {
            tokio::select! {
                round = self.round() => match round {
                    Ok(Round { redacted: 0, removed: 0 }) => {}
                    Ok(Round { redacted, removed }) => tracing::info!(redacted, removed, "retention"),
                    Err(error) => tracing::warn!(error = %error, "retention broke off: it goes on in an hour"),
                },
                () = soft.cancelled() => return,
            }
            let _ = tokio::time::timeout(INTERVAL, soft.cancelled()).await;
        }
    }

    /// One round: everything that is old by now. The crank of the tests.
    pub async fn round(&self) -> store::Result<Round> {
        let now = self.clock.now();
        let mut round = Round::default();
        if let Some(before) = self.before(self.periods.bodies) {
            for what in [Redacted::EventBodies, Redacted::AttemptPayloads] {
                round.redacted += self.blank(what, first_id_at(before)).await?;
            }
        }
        if let Some(before) = self.before(self.periods.rows) {
            let first = first_id_at(before);
            round.removed += pages!(self, db => retention::remove_tasks(&mut db, first, before));
            round.removed += pages!(self, db => retention::remove_events_without_task(&mut db, first));
        }
        if let Some(before) = self.before(self.periods.reports) {
            round.removed += pages!(self, db => retention::remove_syncs(&mut db, before));
            round.removed += pages!(self, db => alerts::remove_closed(&mut db, before));
        }
        round.removed +=
            pages!(self, db => retention::remove_idempotency_keys(&mut db, now - KEEP_IDEMPOTENCY_KEYS));
        replicas::remove_unseen(&mut *self.pool.acquire().await?, now - KEEP_REPLICAS).await?;
        Ok(round)
    }

    /// The time before which things of this period are old; nothing where they are kept for ever.
    fn before(&self, period: Duration) -> Option<Timestamp> {
        (!period.is_zero()).then(|| self.clock.now() - period)
    }

    async fn blank(&self, what: Redacted, before: Uuid) -> store::Result<u64> {
        let mut db = self.pool.acquire().await?;
        let mut after = redaction::find_reached(&mut db, what).await?;
        drop(db);
        let (mut redacted, mut first_open) = (0, None);
        loop {
            let mut db = self.pool.acquire().await?;
            let page = redaction::redact(&mut db, what, after, before, self.clock.now()).await?;
            redacted += page.redacted.unsigned_abs();
            first_open = first_open.or(page.first_open);
            let Some(last) = page.last else { break };
            after = last;
            // The next round begins before the first that is still open; ids are compared with "after".
            let reached = first_open.map_or(last, |open| Uuid::from_u128(open.as_u128() - 1));
            redaction::record_reached(&mut db, what, reached, self.clock.now()).await?;
            drop(db);
            pause_between_pages().await;
        }
        Ok(redacted)
    }
}

#[expect(clippy::disallowed_methods, reason = "leaving the disk to others is waiting for time to pass")]
async fn pause_between_pages() {
    tokio::time::sleep(PAUSE_BETWEEN_PAGES).await;
}
