//! Settling in common: attempts that end together share one statement and one commit, and what each has learnt goes
//! with them.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection, PgPool};

use super::{Metrics, circuit_breaker::ConnectionSignal};
use crate::{
    domain::{
        Timestamp,
        event::{
            source::Source,
            subject::{Priority, Subject},
        },
        id::{EventId, TaskId},
        task::{
            outcome::{Outcome, Reason},
            retry::RetryPolicy,
            state::{LeasedTask, TaskState},
            transition::{Transition, circuit_open_for, transition},
        },
    },
    flows::AttemptResult,
    runtime::{
        clock::{Clock, Entropy},
        failpoints::{Failpoint, Failpoints},
    },
    store::{
        self, StoreError, connections,
        group_commit::{self, BatchHandler},
        ingest::{self, IncomingEvent, InternalEvent},
        observations,
        settle::{self, AttemptRecord, SettledAttempt},
        tasks::Fenced,
    },
};

/// Two commits at once, and the bytes of a commit's call records after which no more is added.
pub(super) const SETTLE_BATCH_LIMITS: group_commit::Limits =
    group_commit::Limits { workers: 2, max_items: 512, max_weight: 4 << 20 };

/// An attempt that has ended, and is to be settled.
pub(super) struct EndedAttempt {
    pub(super) leased: LeasedTask,
    pub(super) result: AttemptResult,
    /// Since when a begun action is not known to have ended.
    pub(super) in_doubt_since: Option<Timestamp>,
    /// An action was begun by this attempt, or left open by an earlier one.
    pub(super) has_open_action: bool,
    /// What it says of its connection.
    pub(super) signal: ConnectionSignal,
    /// Its calls, as a JSON array.
    pub(super) calls: String,
}

/// Why an attempt was not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SettleError {
    /// The database is away: try again.
    Unavailable,
    /// The database refused it.
    Rejected,
}

/// How attempts are settled.
pub(super) struct Settler {
    pub(super) pool: PgPool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<Entropy>,
    pub(super) retry: RetryPolicy,
    pub(super) metrics: Metrics,
    pub(super) failpoints: Failpoints,
}

#[async_trait]
impl BatchHandler for Settler {
    type Item = Arc<EndedAttempt>;
    type Answer = Fenced;
    type Error = SettleError;

    fn weight(&self, ended: &Arc<EndedAttempt>) -> usize {
        ended.calls.len()
    }

    async fn commit(&self, batch: &[Arc<EndedAttempt>]) -> store::Result<Vec<Fenced>> {
        let now = self.clock.now();
        let fraction = || self.entropy.fraction();
        let next: Vec<_> = batch
            .iter()
            .map(|it| {
                transition(&it.leased, &it.result.outcome, it.in_doubt_since, &self.retry, now, fraction())
            })
            .collect();
        let written =
            store::with_commit_timeout(&self.pool, async |db| self.write(db, batch, &next, now).await)
                .await?;
        for ((ended, next), fenced) in batch.iter().zip(&next).zip(&written) {
            match fenced {
                Fenced::Written => log_settled(ended, next),
                Fenced::LeaseLost => {
                    self.metrics.record_lost_lease();
                    tracing::warn!(
                        task = %ended.leased.id, "lease lost: somebody rescued it, our outcome is dropped"
                    );
                }
            }
        }
        Ok(written)
    }

    fn to_error(&self, error: &StoreError) -> SettleError {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        if matches!(error, StoreError::Unavailable(_)) {
            tracing::warn!(error = %error, cause, "attempts not settled yet");
            return SettleError::Unavailable;
        }
        tracing::error!(error = %error, cause, "an attempt cannot be settled: its lease will run out");
        SettleError::Rejected
    }
}

impl Settler {
    /// The settlements, and whatever else follows from the attempts, in one commit.
    async fn write(
        &self,
        db: &mut PgConnection,
        batch: &[Arc<EndedAttempt>],
        next: &[Transition],
        now: Timestamp,
    ) -> store::Result<Vec<Fenced>> {
        let settled: Vec<_> = batch.iter().zip(next).map(|(it, next)| it.as_settled(next)).collect();
        let subjects = || batch.iter().map(|it| it.leased.subject.to_string());
        let during = Failpoint::DuringSettle;
        if batch.iter().zip(next).all(|(ended, next)| !ended.has_side_effects(next, now)) {
            return self.failpoints.hit_during(during, subjects(), settle::settle(db, &settled, now)).await;
        }
        let mut db = db.begin().await?;
        let written = settle::settle(&mut db, &settled, now).await?;
        let mut follow_ups = Vec::new();
        for ((ended, next), fenced) in batch.iter().zip(next).zip(&written) {
            if *fenced == Fenced::Written {
                ended.write_side_effects(&mut db, next, now).await?;
                follow_ups.extend(
                    ended.result.follow_ups.iter().map(|it| self.follow_up_event(&ended.leased, it, now)),
                );
            }
        }
        if !follow_ups.is_empty() {
            ingest::ingest(&mut db, &follow_ups).await?;
        }
        self.failpoints.hit_during(during, subjects(), db.commit()).await?;
        Ok(written)
    }

    /// Revision of our own making about another subject.
    fn follow_up_event(&self, leased: &LeasedTask, subject: &Subject, at: Timestamp) -> IncomingEvent {
        let event = InternalEvent {
            connection: &leased.connection,
            subject: subject.clone(),
            source: Source::Poll,
            topic: "follow_up",
            body: serde_json::json!({ "after": leased.id, "claim": leased.claim, "subject": subject.to_string() }),
            priority: Priority::live(subject.kind),
            at,
        };
        event.into_incoming(EventId(self.entropy.id(at)), TaskId(self.entropy.id(at)))
    }
}

impl EndedAttempt {
    fn as_settled<'a>(&'a self, next: &'a Transition) -> SettledAttempt<'a> {
        let Self { leased, result, calls, .. } = self;
        let entry = AttemptRecord {
            outcome: &result.outcome,
            action: result.action,
            idempotency_key: result.key.as_deref(),
            detail: result.detail.as_deref(),
            calls,
        };
        SettledAttempt { leased, next, entry }
    }

    /// Is there anything to be written beside the settlement?
    fn has_side_effects(&self, next: &Transition, now: Timestamp) -> bool {
        let AttemptResult { outcome, learnt, follow_ups, .. } = &self.result;
        !learnt.is_empty()
            || !follow_ups.is_empty()
            || self.has_open_action
            || matches!(outcome, Outcome::Unknown { .. })
            || self.circuit_to_open(next, now).is_some()
            || self.has_faults_to_clear()
    }

    async fn write_side_effects(
        &self,
        db: &mut PgConnection,
        next: &Transition,
        now: Timestamp,
    ) -> store::Result<()> {
        let Self { leased, result, .. } = self;
        for learnt in &result.learnt {
            observations::record_observation(db, leased, learnt).await?;
        }
        if matches!(result.outcome, Outcome::Unknown { .. }) {
            observations::restart_settling_time(db, leased, now).await?;
        }
        if result.is_doubt_resolved && self.has_open_action {
            observations::clear_begun_action(db, &leased.connection, &leased.subject.to_string()).await?;
        }
        if let Some((until, reason)) = self.circuit_to_open(next, now) {
            tracing::warn!(connection = leased.connection, reason = reason.code(), %until, "the connection is held");
            connections::open_circuit(db, &leased.connection, until, reason).await?;
        } else if self.has_faults_to_clear() {
            connections::clear_faults(db, &leased.connection).await?;
        }
        Ok(())
    }

    fn has_faults_to_clear(&self) -> bool {
        self.signal == ConnectionSignal::Healthy && self.leased.connection_faults > 0
    }

    /// Until when nothing of the whole connection is claimed, and why, where the attempt says so: by its own outcome,
    /// or as one failure too many in a row.
    fn circuit_to_open(&self, next: &Transition, now: Timestamp) -> Option<(Timestamp, Reason)> {
        let down = (self.signal == ConnectionSignal::Down).then(|| {
            let reason = Reason::VendorDown;
            (now + circuit_open_for(reason, self.leased.connection_faults), reason)
        });
        next.circuit_open_until.zip(next.reason).or(down)
    }
}

/// One line per settled attempt: info when it rests, warn when a person must look.
fn log_settled(EndedAttempt { leased, result, .. }: &EndedAttempt, next: &Transition) {
    let (outcome, reason) = (result.outcome.as_str(), next.reason.map(Reason::code));
    let (id, connection, subject, state) = (leased.id, &leased.connection, &leased.subject, next.state);
    let (attempt, action) = (leased.number, result.action);
    if next.state == TaskState::Dead {
        tracing::warn!(task = %id, connection, %subject, attempt, outcome, action, reason, "task is dead: a person must look");
    } else {
        tracing::info!(task = %id, connection, %subject, attempt, outcome, action, reason, %state, "attempt settled");
    }
}
