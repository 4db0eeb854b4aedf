//! Runs one attempt: the flow under a timeout, then the settle.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

use super::{
    Deps,
    beginner::Beginner,
    circuit_breaker::VendorSigns,
    claim::ClaimedTask,
    doubt_watch::DoubtWatch,
    ended_attempt::EndedAttempt,
    settler::{SETTLE_BATCH_LIMITS, SettleError, Settler},
    task_store::{FencedTaskStore, Limits},
    write_gate::PgWriteGate,
};
use crate::{
    domain::{
        Timestamp,
        task::{
            fault::{CallKind, Fault},
            outcome::Outcome,
            reason::Reason,
            state::{LeasedTask, TaskState},
            subject_state::KnownSubject,
        },
        vendor::Vendor,
    },
    flows::{AttemptResult, ConnectionClients, Context},
    runtime::failpoints::Failpoint,
    store::{group_commit::GroupCommit, tasks},
    vendors::http::call_log::{CallLog, WriteGate},
};

/// How often a settle is tried while the database is unavailable, before its lease is left to run out.
const MAX_SETTLE_ATTEMPTS: u32 = 5;

/// Runs the attempts of claimed tasks.
pub(super) struct AttemptRunner {
    deps: Arc<Deps>,
    settler: GroupCommit<Settler>,
    beginner: Beginner,
    doubt_watch: DoubtWatch,
    tracker: TaskTracker,
}

/// How an attempt ended, as far as its vendors are concerned.
#[derive(Clone, Debug, Default)]
pub(super) struct AttemptEnding {
    /// The vendor's fault that ended it.
    pub(super) fault: Option<Fault>,
    /// The credentials are refused.
    pub(super) is_connection_fault: bool,
    /// The task's failures, this one included.
    pub(super) failures: u32,
    /// How long it is until its turn at a vendor, where that was not now.
    pub(super) turn_in: Option<Duration>,
}

/// A flow that has run.
struct FlowRun {
    result: AttemptResult,
    /// Since when a begun action is in doubt, if one is.
    in_doubt_since: Option<Timestamp>,
    /// This attempt may have begun an action.
    may_have_begun: bool,
}

impl FlowRun {
    /// True where it has nothing to write.
    const fn is_without_trace(&self) -> bool {
        let AttemptResult { observations, ledger, follow_ups, .. } = &self.result;
        !self.may_have_begun && observations.is_empty() && ledger.is_empty() && follow_ups.is_empty()
    }
}

impl AttemptRunner {
    pub(super) fn new(deps: Arc<Deps>, tracker: TaskTracker) -> Self {
        let doubt_watch = DoubtWatch::new(deps.clock.clone());
        let settler = GroupCommit::new(Settler::new(deps.clone()), SETTLE_BATCH_LIMITS);
        let beginner = Beginner::new(deps.pool.clone(), deps.clock.clone());
        Self { deps, settler, beginner, doubt_watch, tracker }
    }

    /// Runs a claimed task's flow and settles what it came to.
    pub(super) async fn run(&self, ClaimedTask { leased, known }: ClaimedTask) -> AttemptEnding {
        let started = Instant::now();
        let gate = self.write_gate(&leased).map(Arc::new);
        let call_log = CallLog::for_attempt(
            leased.claim.0.simple().to_string(),
            gate.clone().map(|gate| gate as Arc<dyn WriteGate>),
        );
        let run = if let Some(known) = known {
            self.run_flow(&leased, known, &call_log).await
        } else {
            // Not read, so not known to be without doubt.
            let result = AttemptResult::interrupted(Reason::DatabaseUnavailable, false);
            FlowRun { result, in_doubt_since: Some(leased.claimed_at), may_have_begun: false }
        };
        let outcome = &run.result.outcome;
        let turn_in = turn_in(outcome, &call_log);
        if turn_in.is_some() && run.is_without_trace() && !call_log.has_calls() {
            self.defer(&leased, &run).await;
            return AttemptEnding { turn_in, ..AttemptEnding::default() };
        }
        self.deps.metrics.record_attempt(leased.subject.kind, outcome, started.elapsed());
        Span::current().record("outcome", outcome.as_str());
        let ending = AttemptEnding {
            fault: run.result.fault,
            is_connection_fault: matches!(outcome, Outcome::ConnectionFault { .. }),
            failures: leased.failures,
            turn_in,
        };
        let trials = gate.map(|gate| gate.trials()).unwrap_or_default();
        self.settle(leased, run, &call_log, trials, turn_in.is_some()).await;
        ending
    }

    /// Returns the claim of an attempt whose first call did not get its turn.
    async fn defer(&self, leased: &LeasedTask, run: &FlowRun) {
        self.deps.metrics.record_deferral(leased.subject.kind);
        let state = if run.in_doubt_since.is_some() { TaskState::InDoubt } else { TaskState::Pending };
        let deferred = async {
            let mut db = self.deps.pool.acquire().await?;
            tasks::return_claim(&mut db, leased, Some((state, Reason::RateLimited))).await
        };
        if let Err(error) = deferred.await {
            tracing::warn!(task = %leased.id, error = %error, "cannot return the claim: its lease will run out");
        }
    }

    /// The gate of an attempt's writes, where any may be held back.
    fn write_gate(&self, leased: &LeasedTask) -> Option<PgWriteGate> {
        let Deps { pool, clock, options, .. } = &*self.deps;
        let is_suspect = leased.suspects.iter().any(|(_, call)| *call == CallKind::Write);
        is_suspect
            .then(|| PgWriteGate::new(pool.clone(), clock.clone(), leased.connection.clone(), options.lease))
    }

    /// Returns a claim whose attempt has not begun.
    pub(super) async fn release(&self, leased: &LeasedTask) {
        let released = async {
            let mut db = self.deps.pool.acquire().await?;
            tasks::return_claim(&mut db, leased, None).await
        };
        if let Err(error) = released.await {
            tracing::warn!(task = %leased.id, error = %error, "cannot release the claim: its lease will run out");
        }
    }

    /// Runs the flow. A flow that panics or overruns its time affects its own attempt only.
    async fn run_flow(
        &self,
        leased: &LeasedTask,
        KnownSubject { state: known, mut ledger, intent, leaves_at, confirmed, asked }: KnownSubject,
        call_log: &CallLog,
    ) -> FlowRun {
        self.doubt_watch.look(leased, &mut ledger);
        let Deps { pool, clock, flow_for, options, failpoints, .. } = &*self.deps;
        let Some(clients) = self.deps.clients.find(&leased.connection) else {
            // This process's configuration does not name the connection; another replica's may.
            let result = AttemptResult::interrupted(Reason::Unreachable, false);
            let in_doubt_since = ledger.in_doubt_since();
            return FlowRun { result, in_doubt_since, may_have_begun: false };
        };
        let timeout = attempt_timeout(options.lease);
        // Counted from the claim and not from now: the process may have been suspended in between.
        let age = (clock.now() - leased.claimed_at).to_std().unwrap_or_default();
        let deadline = Instant::now() + timeout.saturating_sub(age);
        let limits = Limits { deadline, once: clients.recheck_delay / 3 };
        let task_store = Arc::new(FencedTaskStore::new(
            pool.clone(),
            self.beginner.clone(),
            clock.clone(),
            leased.clone(),
            clients.stock_policy.clone(),
            limits,
        ));
        let context = Context {
            clients: prioritized(clients, leased).with_call_log(call_log),
            subject: leased.subject.clone(),
            ledger: ledger.clone(),
            known,
            intent,
            leaves_at,
            confirmed,
            is_asked: asked == Some(leased.id),
            connected_at: leased.connected_at,
            clock: clock.clone(),
            task_store: task_store.clone(),
            failpoints: failpoints.clone(),
        };
        let flow_for = *flow_for;
        let flow = async move {
            context.failpoints.hit(Failpoint::AfterClaim, &context.subject.to_string()).await;
            flow_for(context.subject.kind).run(&context).await
        };
        let flow = self.tracker.spawn(flow.in_current_span());
        let abort_handle = flow.abort_handle();
        let result = match tokio::time::timeout(timeout, flow).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => AttemptResult::interrupted(Reason::Panicked, task_store.has_begun()),
            Err(_) => {
                abort_handle.abort();
                AttemptResult::interrupted(Reason::Overran, task_store.has_begun())
            }
        };
        self.doubt_watch.expect(leased, &ledger, &result.ledger);
        let may_have_begun = task_store.has_begun();
        let begun = leased.claimed_at;
        let in_doubt_since = ledger.in_doubt_after(&result.ledger, may_have_begun.then_some(begun));
        FlowRun { result, in_doubt_since, may_have_begun }
    }

    /// Settles, retrying while the database is unavailable: what a call has shown must not be lost.
    async fn settle(
        &self,
        leased: LeasedTask,
        run: FlowRun,
        call_log: &CallLog,
        trials: Vec<Vendor>,
        keeps_place: bool,
    ) {
        let failpoints = &self.deps.failpoints;
        let (id, subject) = (leased.id, leased.subject.to_string());
        failpoints.hit(Failpoint::BeforeSettle, &subject).await;
        let signs = VendorSigns::new(call_log, &run.result, trials);
        let calls = serde_json::to_string(&call_log.calls()).expect("call records are plain data");
        let FlowRun { result, in_doubt_since, may_have_begun } = run;
        let ended =
            EndedAttempt { leased, result, in_doubt_since, may_have_begun, keeps_place, signs, calls };
        let ended = Arc::new(ended);
        for attempt in 1..=MAX_SETTLE_ATTEMPTS {
            match self.settler.submit(ended.clone()).await {
                Some(Ok(_)) => return failpoints.hit(Failpoint::AfterSettle, &subject).await,
                Some(Err(SettleError::Unavailable)) if attempt < MAX_SETTLE_ATTEMPTS => {
                    #[expect(clippy::disallowed_methods, reason = "nothing tells when the database is back")]
                    tokio::time::sleep(Duration::from_millis(100) * 3_u32.pow(attempt - 1)).await;
                }
                Some(Err(_)) | None => {
                    tracing::error!(task = %id, "settle failed: the lease will run out and the task be rescued");
                    return;
                }
            }
        }
    }
}

/// How long it is until its turn at a vendor, where the rate limiter did not give it one now. A vendor's own 429 is an answer.
fn turn_in(outcome: &Outcome, call_log: &CallLog) -> Option<Duration> {
    match outcome {
        Outcome::Snoozed { reason: Reason::RateLimited, after } if !call_log.has_status(429) => {
            Some(after.unwrap_or_default())
        }
        _ => None,
    }
}

/// The clients for a task: background work lets live calls go first within the vendors' rate limits.
fn prioritized(clients: &ConnectionClients, leased: &LeasedTask) -> ConnectionClients {
    if leased.is_background() { clients.in_background() } else { clients.clone() }
}

/// How long an attempt may take: the lease less a tenth, so that it is settled before it can be rescued.
fn attempt_timeout(lease: Duration) -> Duration {
    lease.mul_f64(0.9)
}
