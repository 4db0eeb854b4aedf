//! Settling in common: attempts that end together share one statement and one commit, and what each has learnt goes
//! with them.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection, PgPool};

use super::{Metrics, circuit_breaker::Seen};
use crate::{
    domain::{
        Timestamp,
        event::{
            source::Source,
            subject::{Subject, Urgency},
        },
        id::{DeliveryId, EventId},
        task::{
            outcome::{Outcome, Reason},
            retry::RetryPolicy,
            state::{DeliveryState, Leased},
            transition::{Settlement, hold_for, settle},
        },
    },
    flows::Report,
    runtime::{
        clock::{Clock, Entropy},
        failpoints::{KillPoint, KillPoints},
    },
    store::{
        self, StoreError,
        batch::{self, Commits},
        connections,
        group_commit::{self, Together},
        ingest::{self, Arrival, OwnNews},
        observations,
        settle::{self, Entry, Settled},
        tasks::Fenced,
    },
};

/// Two commits at once, and the bytes of a commit's call records after which no more is added.
pub(super) const TOGETHER: group_commit::Limits =
    group_commit::Limits { workers: 2, most: 512, most_weight: 4 << 20 };

/// An attempt that has ended, and is to be settled.
pub(super) struct Ended {
    pub(super) held: Leased,
    pub(super) report: Report,
    /// Since when a begun deed is not known to have ended.
    pub(super) doubt: Option<Timestamp>,
    /// A deed was begun by this attempt, or left open by an earlier one.
    pub(super) was_begun: bool,
    /// What it says of its connection.
    pub(super) seen: Seen,
    /// Its calls, as a JSON array.
    pub(super) calls: String,
}

/// Why an attempt was not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotSettled {
    /// The database is away: try again.
    Away,
    /// The database refused it.
    Refused,
}

/// How attempts are settled.
pub(super) struct Settler {
    pub(super) pool: PgPool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<Entropy>,
    pub(super) retry: RetryPolicy,
    pub(super) metrics: Metrics,
    pub(super) killpoints: KillPoints,
}

#[async_trait]
impl Together for Settler {
    type Item = Arc<Ended>;
    type Answer = Result<Fenced, NotSettled>;

    fn weight(&self, ended: &Arc<Ended>) -> usize {
        ended.calls.len()
    }

    async fn together(&self, batch: Vec<Arc<Ended>>) -> Vec<Self::Answer> {
        batch::all_or_each(self, &batch, told).await
    }
}

#[async_trait]
impl Commits for Settler {
    type Item = Arc<Ended>;
    type Answer = Fenced;

    async fn commit(&self, batch: &[Arc<Ended>]) -> store::Result<Vec<Fenced>> {
        let now = self.clock.now();
        let fraction = || self.entropy.fraction();
        let next: Vec<_> = batch
            .iter()
            .map(|it| settle(&it.held, &it.report.outcome, it.doubt, &self.retry, now, fraction()))
            .collect();
        let written = batch::in_time(&self.pool, async |db| self.write(db, batch, &next, now).await).await?;
        for ((ended, next), fenced) in batch.iter().zip(&next).zip(&written) {
            match fenced {
                Fenced::Written => tell(ended, next),
                Fenced::LeaseLost => {
                    self.metrics.lease_lost();
                    tracing::warn!(
                        delivery = %ended.held.id, "lease lost: somebody rescued it, our outcome is dropped"
                    );
                }
            }
        }
        Ok(written)
    }
}

impl Settler {
    /// The settlements, and whatever else follows from the attempts, in one commit.
    async fn write(
        &self,
        db: &mut PgConnection,
        batch: &[Arc<Ended>],
        next: &[Settlement],
        now: Timestamp,
    ) -> store::Result<Vec<Fenced>> {
        let settled: Vec<_> = batch.iter().zip(next).map(|(it, next)| it.settled(next)).collect();
        let subjects = || batch.iter().map(|it| it.held.subject.to_string());
        let during = KillPoint::DuringSettle;
        if batch.iter().zip(next).all(|(ended, next)| !ended.has_more(next, now)) {
            return self.killpoints.within(during, subjects(), settle::settle(db, &settled, now)).await;
        }
        let mut db = db.begin().await?;
        let written = settle::settle(&mut db, &settled, now).await?;
        let mut follow_ups = Vec::new();
        for ((ended, next), fenced) in batch.iter().zip(next).zip(&written) {
            if *fenced == Fenced::Written {
                ended.write_more(&mut db, next, now).await?;
                follow_ups
                    .extend(ended.report.follow_ups.iter().map(|it| self.follow_up(&ended.held, it, now)));
            }
        }
        if !follow_ups.is_empty() {
            ingest::receive(&mut db, &follow_ups).await?;
        }
        self.killpoints.within(during, subjects(), db.commit()).await?;
        Ok(written)
    }

    /// News of our own making about another subject.
    fn follow_up(&self, held: &Leased, subject: &Subject, at: Timestamp) -> Arrival {
        let news = OwnNews {
            connection: &held.connection,
            subject: subject.clone(),
            source: Source::Sweep,
            topic: "follow_up",
            body: serde_json::json!({ "after": held.id, "claim": held.claim, "subject": subject.to_string() }),
            urgency: Urgency::live(subject.kind),
            at,
        };
        news.arrival(EventId(self.entropy.id(at)), DeliveryId(self.entropy.id(at)))
    }
}

impl Ended {
    fn settled<'a>(&'a self, next: &'a Settlement) -> Settled<'a> {
        let Self { held, report, calls, .. } = self;
        let entry = Entry {
            outcome: &report.outcome,
            deed: report.deed,
            idempotency_key: report.key.as_deref(),
            detail: report.detail.as_deref(),
            calls,
        };
        Settled { held, next, entry }
    }

    /// Is there anything to be written beside the settlement?
    fn has_more(&self, next: &Settlement, now: Timestamp) -> bool {
        let Report { outcome, learnt, follow_ups, .. } = &self.report;
        !learnt.is_empty()
            || !follow_ups.is_empty()
            || self.was_begun
            || matches!(outcome, Outcome::Ambiguous { .. })
            || self.holds_connection(next, now).is_some()
            || self.clears_faults()
    }

    async fn write_more(
        &self,
        db: &mut PgConnection,
        next: &Settlement,
        now: Timestamp,
    ) -> store::Result<()> {
        let Self { held, report, .. } = self;
        for learnt in &report.learnt {
            observations::learn(db, held, learnt).await?;
        }
        if matches!(report.outcome, Outcome::Ambiguous { .. }) {
            observations::doubt_from(db, held, now).await?;
        }
        if report.doubt_ended && self.was_begun {
            observations::end_begun(db, &held.connection, &held.subject.to_string()).await?;
        }
        if let Some((until, reason)) = self.holds_connection(next, now) {
            tracing::warn!(connection = held.connection, reason = reason.code(), %until, "the connection is held");
            connections::hold(db, &held.connection, until, reason).await?;
        } else if self.clears_faults() {
            connections::clear_faults(db, &held.connection).await?;
        }
        Ok(())
    }

    fn clears_faults(&self) -> bool {
        self.seen == Seen::Alive && self.held.connection_faults > 0
    }

    /// Until when nothing of the whole connection is claimed, and why, where the attempt says so: by its own outcome,
    /// or as one failure too many in a row.
    fn holds_connection(&self, next: &Settlement, now: Timestamp) -> Option<(Timestamp, Reason)> {
        let down = (self.seen == Seen::Down).then(|| {
            let reason = Reason::SystemDown;
            (now + hold_for(reason, self.held.connection_faults), reason)
        });
        next.hold_until.zip(next.reason).or(down)
    }
}

/// One line per settled attempt: info when it rests, warn when a person must look.
fn tell(Ended { held, report, .. }: &Ended, next: &Settlement) {
    let (outcome, reason) = (report.outcome.as_str(), next.reason.map(Reason::code));
    let (id, connection, subject, state) = (held.id, &held.connection, &held.subject, next.state);
    let (attempt, deed) = (held.number, report.deed);
    if next.state == DeliveryState::Dead {
        tracing::warn!(delivery = %id, connection, %subject, attempt, outcome, deed, reason, "delivery is dead: a person must look");
    } else {
        tracing::info!(delivery = %id, connection, %subject, attempt, outcome, deed, reason, %state, "attempt settled");
    }
}

fn told(error: &StoreError) -> NotSettled {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    if matches!(error, StoreError::Away(_)) {
        tracing::warn!(error = %error, cause, "attempts not settled yet");
        return NotSettled::Away;
    }
    tracing::error!(error = %error, cause, "an attempt cannot be settled: its lease will run out");
    NotSettled::Refused
}
