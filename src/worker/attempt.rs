//! One attempt as a straight pipeline: what we remember, run the flow, settle.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::Instant};
use tracing::{Instrument, Span, field::Empty};

use super::{
    Shared, Worker,
    settler::{EndedAttempt, SettleError},
    task_store::FencedLedger,
};
use crate::{
    domain::{
        Timestamp,
        event::subject::Priority,
        order::Intent,
        task::{outcome::Reason, state::LeasedTask, subject_state::SubjectState},
    },
    flows::{AttemptResult, Context},
    runtime::failpoints::Failpoint,
    store::tasks,
    vendors::http::call_log::CallLog,
};

/// How often a settle that the database would not take is tried again before its lease is left to run out.
const MAX_SETTLE_ATTEMPTS: u32 = 5;

/// A claim, and what we remember of its subject with what a person asked; nothing where our memory cannot be read now.
pub(super) struct ClaimedTask {
    pub(super) leased: LeasedTask,
    pub(super) known_state: Option<(SubjectState, Option<Intent>)>,
}

/// A flow that has run.
struct FlowRun {
    result: AttemptResult,
    /// Since when a begun action is left in doubt, if one is.
    in_doubt_since: Option<Timestamp>,
    /// An action was begun by this attempt, or left open by an earlier one.
    has_open_action: bool,
}

impl Worker {
    /// Runs the attempt of a claim on the tracker.
    pub(super) fn spawn(&self, claimed: ClaimedTask) -> JoinHandle<()> {
        let worker = self.clone();
        let slot = self.shared.slots.acquire(&claimed.leased);
        let LeasedTask { id, connection, subject, .. } = &claimed.leased;
        let span = tracing::debug_span!("attempt", task = %id, connection, %subject, outcome = Empty);
        let attempt = async move {
            worker.run_attempt(claimed).await;
            drop(slot);
            worker.shared.wake.notify_one();
        };
        self.shared.tasks.spawn(attempt.instrument(span))
    }

    async fn run_attempt(&self, ClaimedTask { leased, known_state }: ClaimedTask) {
        let Shared { stopping, metrics, .. } = &*self.shared;
        if stopping.is_cancelled() {
            return self.release_claim(&leased).await;
        }
        let begun = Instant::now();
        let call_log = CallLog::for_attempt(leased.claim.0.simple().to_string());
        let run = if let Some((known, intent)) = known_state {
            self.run_flow(&leased, known, intent, &call_log).await
        } else {
            let result = AttemptResult::interrupted(Reason::DatabaseUnavailable, false);
            FlowRun { result, in_doubt_since: Some(leased.claimed_at), has_open_action: false }
        };
        metrics.record_attempt(leased.subject.kind, &run.result.outcome, begun.elapsed());
        Span::current().record("outcome", run.result.outcome.as_str());
        self.settle_with_retries(leased, run, &call_log).await;
    }

    /// Runs the flow. One that panics or overruns its time costs itself alone.
    async fn run_flow(
        &self,
        leased: &LeasedTask,
        known: SubjectState,
        intent: Option<Intent>,
        call_log: &CallLog,
    ) -> FlowRun {
        let Shared { pool, clock, clients, flows, options, tasks, failpoints, .. } = &*self.shared;
        let was_in_doubt = known.begun.as_ref().map(|begun| begun.at);
        let Some(clients) = clients.get(&leased.connection) else {
            // Claimed for a connection that this process's configuration does not name: another replica may know it.
            let result = AttemptResult::interrupted(Reason::Unreachable, false);
            return FlowRun { result, in_doubt_since: was_in_doubt, has_open_action: false };
        };
        let timeout = attempt_timeout(options.lease);
        // Since the claim, and not since now: the process may have been asleep in between.
        let remaining = (leased.claimed_at + timeout - clock.now()).to_std().unwrap_or_default();
        let deadline = Instant::now() + remaining;
        let ledger =
            FencedLedger::new(pool.clone(), clock.clone(), leased.clone(), clients.stock.clone(), deadline);
        let ledger = Arc::new(ledger);
        // What polls and replays find lets live calls go first, also within the vendor's rate.
        let clients =
            if leased.priority == Priority::BACKGROUND { clients.in_background() } else { clients.clone() };
        let context = Context {
            clients: clients.with_call_log(call_log),
            subject: leased.subject.clone(),
            known,
            intent,
            connected_at: leased.connected_at,
            clock: clock.clone(),
            ledger: ledger.clone(),
            failpoints: failpoints.clone(),
        };
        let flow_for = *flows;
        let flow = async move {
            context.failpoints.hit(Failpoint::AfterClaim, &context.subject.to_string()).await;
            flow_for(context.subject.kind).run(&context).await
        };
        let flow = tasks.spawn(flow.in_current_span());
        let abort_handle = flow.abort_handle();
        let result = match tokio::time::timeout(timeout, flow).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => AttemptResult::interrupted(Reason::Panicked, ledger.has_begun()),
            Err(_) => {
                abort_handle.abort();
                AttemptResult::interrupted(Reason::Overran, ledger.has_begun())
            }
        };
        let in_doubt = was_in_doubt.or_else(|| ledger.has_begun().then_some(leased.claimed_at));
        let in_doubt_since = in_doubt.filter(|_| !result.is_doubt_resolved);
        FlowRun { result, in_doubt_since, has_open_action: in_doubt.is_some() }
    }

    /// Settles, trying again while the database is away: what a call has taught must not be lost to a restart.
    async fn settle_with_retries(&self, leased: LeasedTask, run: FlowRun, call_log: &CallLog) {
        let Shared { failpoints, circuit_breaker, settler, .. } = &*self.shared;
        let (id, subject) = (leased.id, leased.subject.to_string());
        failpoints.hit(Failpoint::BeforeSettle, &subject).await;
        let signal = circuit_breaker.record_outcome(&leased.connection, &run.result.outcome);
        let calls = serde_json::to_string(&call_log.calls()).expect("call records are plain data");
        let FlowRun { result, in_doubt_since, has_open_action } = run;
        let ended = Arc::new(EndedAttempt { leased, result, in_doubt_since, has_open_action, signal, calls });
        for attempt in 1..=MAX_SETTLE_ATTEMPTS {
            match settler.submit(ended.clone()).await {
                Some(Ok(_)) => return failpoints.hit(Failpoint::AfterSettle, &subject).await,
                Some(Err(SettleError::Unavailable)) if attempt < MAX_SETTLE_ATTEMPTS => {
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "the database is away: there is nothing to wait on"
                    )]
                    tokio::time::sleep(Duration::from_millis(100) * 3_u32.pow(attempt - 1)).await;
                }
                Some(Err(_)) | None => {
                    tracing::error!(task = %id, "cannot settle: the lease will run out and the task be rescued");
                    return;
                }
            }
        }
    }

    async fn release_claim(&self, leased: &LeasedTask) {
        let released = async {
            let mut db = self.shared.pool.acquire().await?;
            tasks::release(&mut db, leased).await
        };
        if let Err(error) = released.await {
            tracing::warn!(task = %leased.id, error = %error, "cannot give the claim back: its lease will run out");
        }
    }
}

/// How long an attempt may take: the lease less a tenth, so that it is settled before it can be rescued.
fn attempt_timeout(lease: Duration) -> Duration {
    lease.mul_f64(0.9)
}
