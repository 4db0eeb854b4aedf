//! One attempt as a straight pipeline: remember, run the flow, settle.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::Instant};

use super::{Shared, Worker, circuit::Seen, ledger::FencedLedger};
use crate::{
    domain::{
        Timestamp,
        delivery::{DeliveryState, Leased},
        event::Source,
        id::{DeliveryId, EventId},
        link::Link,
        order::Intent,
        outcome::{Outcome, Reason},
        settlement::{Settlement, hold_for, settle},
        subject::{Subject, Urgency},
    },
    flows::{Context, Report, flow_of},
    killpoints::KillPoint,
    store::{
        self, StoreError, attempts, connections,
        deliveries::{self, Fenced},
        events::{self, Arrival, OwnNews},
        intents, links,
    },
    systems::http::Evidence,
};

/// How often a settle that the database would not take is tried again before its lease is left to run out.
const SETTLE_TRIES: u32 = 5;

impl Worker {
    /// Runs the attempt of a claim on the tracker.
    pub(super) fn spawn(&self, held: Leased) -> JoinHandle<()> {
        let worker = self.clone();
        let slot = self.shared.slots.take(&held);
        self.shared.tasks.spawn(async move {
            worker.attempt(held).await;
            drop(slot);
            worker.shared.wake.notify_one();
        })
    }

    async fn attempt(&self, held: Leased) {
        let Shared { stopping, metrics, .. } = &*self.shared;
        if stopping.is_cancelled() {
            return self.give_back(&held).await;
        }
        let begun = Instant::now();
        let evidence = Evidence::named(held.claim.0.simple().to_string());
        let remembered = self.remember(&held).await;
        let (report, doubt) = match remembered {
            Ok((link, intent)) => self.run_flow(&held, link, intent, &evidence).await,
            Err(error) => {
                tracing::warn!(delivery = %held.id, error = %error, "cannot read what we remember");
                (Report::broken(Reason::DatabaseAway, false), Some(held.claimed_at))
            }
        };
        metrics.attempt(held.subject.kind, &report.outcome, begun.elapsed());
        self.settle_patiently(&held, &report, doubt, &evidence).await;
    }

    /// What we remember of the subject, and what a person asked.
    async fn remember(&self, held: &Leased) -> store::Result<(Link, Option<Intent>)> {
        let mut db = self.shared.pool.acquire().await?;
        let subject = held.subject.to_string();
        let link = links::find(&mut db, &held.connection, &subject).await?;
        let intent = intents::latest(&mut db, &held.connection, &subject).await?;
        Ok((link, intent))
    }

    /// The flow's report, and since when a begun deed is left in doubt, if one is. A flow that panics or overruns its time costs
    /// itself alone.
    async fn run_flow(
        &self,
        held: &Leased,
        link: Link,
        intent: Option<Intent>,
        evidence: &Evidence,
    ) -> (Report, Option<Timestamp>) {
        let Shared { pool, clock, tied, options, tasks, killpoints, .. } = &*self.shared;
        let was_in_doubt = link.begun.as_ref().map(|begun| begun.at);
        let Some(tied) = tied.get(&held.connection) else {
            // Claimed for a connection that this process's configuration does not name: another replica may know it.
            return (Report::broken(Reason::Unreachable, false), was_in_doubt);
        };
        let patience = patience(options.lease);
        // Since the claim, and not since now: the process may have been asleep in between.
        let left = (held.claimed_at + patience - clock.now()).to_std().unwrap_or_default();
        let until = Instant::now() + left;
        let ledger = FencedLedger::new(pool.clone(), clock.clone(), held.clone(), tied.stock.clone(), until);
        let ledger = Arc::new(ledger);
        // What sweeps and replays find lets live calls go first, also within the vendor's rate.
        let tied = if held.urgency == Urgency::BACKGROUND { tied.giving_way() } else { tied.clone() };
        let context = Context {
            tied: tied.witnessed(evidence),
            subject: held.subject.clone(),
            link,
            intent,
            connected_at: held.connected_at,
            clock: clock.clone(),
            ledger: ledger.clone(),
            killpoints: killpoints.clone(),
        };
        let flow = tasks.spawn(async move {
            context.killpoints.reach(KillPoint::AfterClaim, &context.subject.to_string()).await;
            flow_of(context.subject.kind).run(&context).await
        });
        let cut_off = flow.abort_handle();
        let report = match tokio::time::timeout(patience, flow).await {
            Ok(Ok(report)) => report,
            Ok(Err(_)) => Report::broken(Reason::Panicked, ledger.has_begun()),
            Err(_) => {
                cut_off.abort();
                Report::broken(Reason::Overran, ledger.has_begun())
            }
        };
        let in_doubt = was_in_doubt.or_else(|| ledger.has_begun().then_some(held.claimed_at));
        let doubt = in_doubt.filter(|_| !report.doubt_ended);
        (report, doubt)
    }

    /// Settles, trying again while the database is away: what a call has taught must not be lost to a restart.
    async fn settle_patiently(
        &self,
        held: &Leased,
        report: &Report,
        doubt: Option<Timestamp>,
        evidence: &Evidence,
    ) {
        self.shared.killpoints.reach(KillPoint::BeforeSettle, &held.subject.to_string()).await;
        let seen = self.shared.circuits.note(&held.connection, &report.outcome);
        let calls = serde_json::to_value(evidence.calls()).expect("call records are plain data");
        for attempt in 1..=SETTLE_TRIES {
            match self.settle(held, report, doubt, seen, calls.clone()).await {
                Ok(()) => {
                    self.shared.killpoints.reach(KillPoint::AfterSettle, &held.subject.to_string()).await;
                    return;
                }
                Err(error @ StoreError::Away(_)) if attempt < SETTLE_TRIES => {
                    tracing::warn!(delivery = %held.id, error = %error, "cannot settle yet");
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "the database is away: there is nothing to wait on"
                    )]
                    tokio::time::sleep(Duration::from_millis(100) * 3_u32.pow(attempt - 1)).await;
                }
                Err(error) => {
                    let source = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(
                        delivery = %held.id, error = %error, source,
                        "cannot settle: the lease will run out and the delivery be rescued"
                    );
                    return;
                }
            }
        }
    }

    async fn settle(
        &self,
        held: &Leased,
        report: &Report,
        doubt: Option<Timestamp>,
        seen: Seen,
        calls: serde_json::Value,
    ) -> Result<(), StoreError> {
        let Shared { pool, clock, entropy, retry, metrics, killpoints, .. } = &*self.shared;
        let now = clock.now();
        let next = settle(held, &report.outcome, doubt, retry, now, entropy.fraction());

        let mut db = pool.begin().await?;
        if deliveries::settle(&mut db, held, &next, now).await? == Fenced::LeaseLost {
            metrics.lease_lost();
            tracing::warn!(delivery = %held.id, "lease lost: somebody rescued it, our outcome is dropped");
            return Ok(());
        }
        let entry = attempts::Entry {
            outcome: &report.outcome,
            deed: report.deed,
            idempotency_key: report.key.as_deref(),
            detail: report.detail.as_deref(),
            calls,
            ended_at: now,
        };
        attempts::insert(&mut db, held, &entry).await?;
        for learnt in &report.learnt {
            links::learn(&mut db, held, learnt).await?;
        }
        if matches!(report.outcome, Outcome::Ambiguous { .. }) {
            links::doubt_from(&mut db, held, now).await?;
        }
        if report.doubt_ended {
            links::end_begun(&mut db, &held.connection, &held.subject.to_string()).await?;
        }
        let follow_ups: Vec<_> =
            report.follow_ups.iter().map(|subject| self.follow_up(held, subject, now)).collect();
        if !follow_ups.is_empty() {
            events::receive(&mut db, &follow_ups).await?;
        }
        if let Some((until, reason)) = holds_connection(held, &next, seen, now) {
            tracing::warn!(connection = held.connection, reason = reason.code(), %until, "the connection is held");
            connections::hold(&mut db, &held.connection, until, reason).await?;
        } else if seen == Seen::Alive && held.connection_faults > 0 {
            connections::clear_faults(&mut db, &held.connection).await?;
        }
        killpoints.reach(KillPoint::DuringSettle, &held.subject.to_string()).await;
        db.commit().await?;

        tell(held, report, &next);
        Ok(())
    }

    /// News of our own making about another subject.
    fn follow_up(&self, held: &Leased, subject: &Subject, at: Timestamp) -> Arrival {
        let entropy = &self.shared.entropy;
        let news = OwnNews {
            connection: &held.connection,
            subject: subject.clone(),
            source: Source::Sweep,
            topic: "follow_up",
            body: serde_json::json!({ "after": held.id, "claim": held.claim, "subject": subject.to_string() }),
            urgency: Urgency::live(subject.kind),
            at,
        };
        news.arrival(EventId(entropy.id(at)), DeliveryId(entropy.id(at)))
    }

    async fn give_back(&self, held: &Leased) {
        let given = async {
            let mut db = self.shared.pool.acquire().await?;
            deliveries::release(&mut db, held).await
        };
        if let Err(error) = given.await {
            tracing::warn!(delivery = %held.id, error = %error, "cannot give the claim back: its lease will run out");
        }
    }
}

/// Until when nothing of the whole connection is claimed, and why, where the attempt says so: by its own outcome, or as
/// one failure too many in a row.
fn holds_connection(
    held: &Leased,
    next: &Settlement,
    seen: Seen,
    now: Timestamp,
) -> Option<(Timestamp, Reason)> {
    let down = (seen == Seen::Down).then(|| {
        let reason = Reason::SystemDown;
        (now + hold_for(reason, held.connection_faults), reason)
    });
    next.hold_until.zip(next.reason).or(down)
}

/// How long an attempt may take: the lease less a tenth, so that it is settled before it can be rescued.
fn patience(lease: Duration) -> Duration {
    lease.mul_f64(0.9)
}

/// One line per settled attempt: info when it rests, warn when a person must look.
fn tell(held: &Leased, report: &Report, next: &Settlement) {
    let (outcome, reason) = (report.outcome.as_str(), next.reason.map(Reason::code));
    let (id, connection, subject, state) = (held.id, &held.connection, &held.subject, next.state);
    let (attempt, deed) = (held.number, report.deed);
    if next.state == DeliveryState::Dead {
        tracing::warn!(delivery = %id, connection, %subject, attempt, outcome, deed, reason, "delivery is dead: a person must look");
    } else {
        tracing::info!(delivery = %id, connection, %subject, attempt, outcome, deed, reason, %state, "attempt settled");
    }
}
