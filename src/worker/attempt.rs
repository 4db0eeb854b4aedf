//! One attempt as a straight pipeline: what we remember, run the flow, settle.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::Instant};
use tracing::{Instrument, Span, field::Empty};

use super::task_store::FencedLedger;
use super::{
    Shared, Worker,
    settler::{Ended, NotSettled},
};
use crate::{
    domain::{
        Timestamp,
        event::subject::Urgency,
        order::Intent,
        task::{outcome::Reason, state::Leased, subject_state::Link},
    },
    flows::{Context, Report},
    runtime::failpoints::KillPoint,
    store::tasks,
    vendors::http::call_log::Evidence,
};

/// How often a settle that the database would not take is tried again before its lease is left to run out.
const SETTLE_TRIES: u32 = 5;

/// A claim, and what we remember of its subject with what a person asked; nothing where our memory cannot be read now.
pub(super) struct Claimed {
    pub(super) held: Leased,
    pub(super) remembered: Option<(Link, Option<Intent>)>,
}

/// How an attempt went.
struct Went {
    report: Report,
    /// Since when a begun deed is left in doubt, if one is.
    doubt: Option<Timestamp>,
    /// A deed was begun by this attempt, or left open by an earlier one.
    was_begun: bool,
}

impl Worker {
    /// Runs the attempt of a claim on the tracker.
    pub(super) fn spawn(&self, claimed: Claimed) -> JoinHandle<()> {
        let worker = self.clone();
        let slot = self.shared.slots.take(&claimed.held);
        let Leased { id, connection, subject, .. } = &claimed.held;
        let span = tracing::debug_span!("attempt", delivery = %id, connection, %subject, outcome = Empty);
        let attempt = async move {
            worker.attempt(claimed).await;
            drop(slot);
            worker.shared.wake.notify_one();
        };
        self.shared.tasks.spawn(attempt.instrument(span))
    }

    async fn attempt(&self, Claimed { held, remembered }: Claimed) {
        let Shared { stopping, metrics, .. } = &*self.shared;
        if stopping.is_cancelled() {
            return self.give_back(&held).await;
        }
        let begun = Instant::now();
        let evidence = Evidence::named(held.claim.0.simple().to_string());
        let went = if let Some((link, intent)) = remembered {
            self.run_flow(&held, link, intent, &evidence).await
        } else {
            let report = Report::broken(Reason::DatabaseAway, false);
            Went { report, doubt: Some(held.claimed_at), was_begun: false }
        };
        metrics.attempt(held.subject.kind, &went.report.outcome, begun.elapsed());
        Span::current().record("outcome", went.report.outcome.as_str());
        self.settle_patiently(held, went, &evidence).await;
    }

    /// Runs the flow. One that panics or overruns its time costs itself alone.
    async fn run_flow(&self, held: &Leased, link: Link, intent: Option<Intent>, evidence: &Evidence) -> Went {
        let Shared { pool, clock, tied, flows, options, tasks, killpoints, .. } = &*self.shared;
        let was_in_doubt = link.begun.as_ref().map(|begun| begun.at);
        let Some(tied) = tied.get(&held.connection) else {
            // Claimed for a connection that this process's configuration does not name: another replica may know it.
            let report = Report::broken(Reason::Unreachable, false);
            return Went { report, doubt: was_in_doubt, was_begun: false };
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
        let flow_of = *flows;
        let flow = async move {
            context.killpoints.reach(KillPoint::AfterClaim, &context.subject.to_string()).await;
            flow_of(context.subject.kind).run(&context).await
        };
        let flow = tasks.spawn(flow.in_current_span());
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
        Went { report, doubt, was_begun: in_doubt.is_some() }
    }

    /// Settles, trying again while the database is away: what a call has taught must not be lost to a restart.
    async fn settle_patiently(&self, held: Leased, went: Went, evidence: &Evidence) {
        let Shared { killpoints, circuits, settler, .. } = &*self.shared;
        let (id, subject) = (held.id, held.subject.to_string());
        killpoints.reach(KillPoint::BeforeSettle, &subject).await;
        let seen = circuits.note(&held.connection, &went.report.outcome);
        let calls = serde_json::to_string(&evidence.calls()).expect("call records are plain data");
        let Went { report, doubt, was_begun } = went;
        let ended = Arc::new(Ended { held, report, doubt, was_begun, seen, calls });
        for attempt in 1..=SETTLE_TRIES {
            match settler.put(ended.clone()).await {
                Some(Ok(_)) => return killpoints.reach(KillPoint::AfterSettle, &subject).await,
                Some(Err(NotSettled::Away)) if attempt < SETTLE_TRIES => {
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "the database is away: there is nothing to wait on"
                    )]
                    tokio::time::sleep(Duration::from_millis(100) * 3_u32.pow(attempt - 1)).await;
                }
                Some(Err(_)) | None => {
                    tracing::error!(delivery = %id, "cannot settle: the lease will run out and the delivery be rescued");
                    return;
                }
            }
        }
    }

    async fn give_back(&self, held: &Leased) {
        let given = async {
            let mut db = self.shared.pool.acquire().await?;
            tasks::release(&mut db, held).await
        };
        if let Err(error) = given.await {
            tracing::warn!(delivery = %held.id, error = %error, "cannot give the claim back: its lease will run out");
        }
    }
}

/// How long an attempt may take: the lease less a tenth, so that it is settled before it can be rescued.
fn patience(lease: Duration) -> Duration {
    lease.mul_f64(0.9)
}
