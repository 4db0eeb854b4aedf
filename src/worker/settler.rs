//! Settles attempts: those that end together share one statement and one commit.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};

use super::{
    Deps,
    circuit_breaker::CircuitBreaker,
    ended_attempt::{EndedAttempt, SideEffects},
};
use crate::{
    domain::{
        Timestamp,
        event::{
            source::Source,
            subject::{Priority, Subject, SubjectKind},
        },
        id::{EventId, TaskId},
        stock::Basis,
        task::{
            state::LeasedTask,
            transition::{AttemptEnd, Transition, transition},
        },
    },
    runtime::failpoints::Failpoint,
    store::{
        self, StoreError,
        action_changes::{self, AttemptChanges},
        group_commit::{self, BatchHandler},
        in_flight,
        ingest::{self, IncomingEvent, InternalEvent},
        item_stock, observations, settle,
        stock_figures::{self, ReadAt},
        tasks::Fenced,
    },
};

/// Two commits at once; a commit takes no more attempts once their call records reach 4 MiB.
pub(super) const SETTLE_BATCH_LIMITS: group_commit::Limits =
    group_commit::Limits { workers: 2, max_items: 512, max_weight: 4 << 20 };

/// Why an attempt was not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SettleError {
    /// The database is unavailable: retry.
    Unavailable,
    /// The database rejected the statement.
    Rejected,
}

/// Settles batches of ended attempts.
pub(super) struct Settler {
    deps: Arc<Deps>,
    circuit_breaker: CircuitBreaker,
}

impl Settler {
    pub(super) fn new(deps: Arc<Deps>) -> Self {
        Self { deps, circuit_breaker: CircuitBreaker::default() }
    }

    /// Writes the settlements, and their side effects in the same transaction.
    async fn write(
        &self,
        db: &mut PgConnection,
        batch: &[Arc<EndedAttempt>],
        next: &[Transition],
        now: Timestamp,
    ) -> store::Result<Vec<Fenced>> {
        let Deps { failpoints, .. } = &*self.deps;
        let settled: Vec<_> = batch.iter().zip(next).map(|(it, next)| it.as_settled(next)).collect();
        let effects: Vec<_> = batch.iter().zip(next).map(|(it, next)| it.side_effects(next)).collect();
        let subjects = || batch.iter().map(|it| it.leased.subject.to_string());
        let during = Failpoint::DuringSettle;
        let is_unremarkable =
            |it: &Arc<EndedAttempt>| self.circuit_breaker.is_unremarkable(&it.leased, &it.signs);
        if effects.iter().all(SideEffects::is_empty) && batch.iter().all(is_unremarkable) {
            return failpoints.hit_during(during, subjects(), settle::settle(db, &settled, now)).await;
        }
        let mut db = db.begin().await?;
        let written = settle::settle(&mut db, &settled, now).await?;
        let fenced = batch.iter().zip(&effects).zip(&written);
        let fenced: Vec<_> =
            fenced.filter(|(_, fenced)| **fenced == Fenced::Written).map(|(it, _)| it).collect();
        let mut follow_ups = self.write_observations(&mut db, &fenced, now).await?;
        let figures: Vec<_> = fenced
            .iter()
            .filter_map(|(ended, effects)| Some((ended.leased.connection.as_str(), effects.figures?)))
            .collect();
        stock_figures::record(&mut db, &figures, ReadAt::Fenced(now)).await?;
        let mut ledger = Vec::new();
        for (ended, effects) in fenced {
            effects.write_circuit(&mut db, &ended.leased, now).await?;
            let subjects = effects.follow_ups.iter();
            follow_ups.extend(subjects.map(|it| self.follow_up_event(&ended.leased, it, now)));
            if ended.leased.subject.kind == SubjectKind::Product {
                let codes = stock_codes(effects.follow_ups);
                item_stock::mark_enqueued(&mut db, &ended.leased.connection, &codes).await?;
            }
            let SideEffects { ledger: changes, may_have_begun, .. } = *effects;
            ledger.push(AttemptChanges { leased: &ended.leased, changes, may_have_begun });
        }
        action_changes::write(&mut db, &ledger, now).await?;
        if !follow_ups.is_empty() {
            ingest::ingest(&mut db, &follow_ups).await?;
        }
        self.write_signs(&mut db, batch, &written, now).await?;
        failpoints.hit_during(during, subjects(), db.commit()).await?;
        Ok(written)
    }

    /// Writes what the attempts observed. Returns the events of the stock whose figure depends on it: of codes whose
    /// pieces in flight changed, where the connection's figures count those pieces.
    async fn write_observations(
        &self,
        db: &mut PgConnection,
        fenced: &[(&Arc<EndedAttempt>, &SideEffects<'_>)],
        now: Timestamp,
    ) -> store::Result<Vec<IncomingEvent>> {
        let observed = fenced.iter().flat_map(|(ended, effects)| {
            effects.observations.iter().map(|observation| (&ended.leased, observation))
        });
        let changed = observations::record(db, &observed.collect::<Vec<_>>()).await?;
        let counts_in_flight = |it: &in_flight::Changed| {
            let clients = self.deps.clients.find(&it.connection);
            clients.is_some_and(|it| it.stock_policy.basis == Basis::Compensated)
        };
        let changed: Vec<_> = changed.into_iter().filter(counts_in_flight).collect();
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let leased = fenced.iter().map(|(ended, _)| &ended.leased);
        let by_order: HashMap<_, _> =
            leased.map(|it| ((it.connection.clone(), it.subject.to_string()), it)).collect();
        let follow_ups =
            changed.into_iter().filter_map(|in_flight::Changed { connection, subject, code }| {
                let leased = by_order.get(&(connection, subject))?;
                Some(self.follow_up_event(leased, &Subject::stock(code), now))
            });
        Ok(follow_ups.collect())
    }

    /// Writes what the attempts show of their vendors, one connection after the other: that is the lock order.
    async fn write_signs(
        &self,
        db: &mut PgConnection,
        batch: &[Arc<EndedAttempt>],
        written: &[Fenced],
        now: Timestamp,
    ) -> store::Result<()> {
        let fenced = batch.iter().zip(written).filter(|(_, fenced)| **fenced == Fenced::Written);
        let mut by_connection: Vec<_> = fenced.map(|(ended, _)| ended).collect();
        by_connection.sort_by_key(|ended| &ended.leased.connection); // stable: else as they ended
        for ended in by_connection {
            self.circuit_breaker.write(db, &ended.leased, &ended.signs, now).await?;
        }
        Ok(())
    }

    /// The event that enqueues a subject which this attempt has put out of sync.
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
        let entropy = &self.deps.entropy;
        event.into_incoming(EventId(entropy.id(at)), TaskId(entropy.id(at)))
    }
}

/// The codes of the stock subjects among these.
fn stock_codes(subjects: &[Subject]) -> Vec<String> {
    let stock = subjects.iter().filter(|subject| subject.kind == SubjectKind::Stock);
    stock.map(|subject| subject.key.clone()).collect()
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
        let Deps { pool, clock, entropy, retry, metrics, .. } = &*self.deps;
        let now = clock.now();
        let decide = |it: &Arc<EndedAttempt>| {
            let end = AttemptEnd {
                outcome: &it.result.outcome,
                in_doubt_since: it.in_doubt_since,
                keeps_place: it.keeps_place,
                at: now,
                jitter: entropy.fraction(),
            };
            transition(&it.leased, &end, retry)
        };
        let next: Vec<_> = batch.iter().map(decide).collect();
        let written = store::with_commit_timeout(pool, store::ACQUIRE_TIMEOUT, async |db| {
            self.write(db, batch, &next, now).await
        })
        .await?;
        for ((ended, next), fenced) in batch.iter().zip(&next).zip(&written) {
            match fenced {
                Fenced::Written => ended.log_settled(next),
                Fenced::LeaseLost => {
                    metrics.record_lost_lease();
                    tracing::warn!(task = %ended.leased.id, "lease lost, the outcome of the attempt is dropped");
                }
            }
        }
        Ok(written)
    }

    fn to_error(&self, error: &StoreError) -> SettleError {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        if matches!(error, StoreError::Unavailable(_)) {
            tracing::warn!(error = %error, cause, "settle failed, retrying");
            return SettleError::Unavailable;
        }
        tracing::error!(error = %error, cause, "settle rejected: the lease will run out");
        SettleError::Rejected
    }
}
