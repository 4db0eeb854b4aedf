//! Performs one action at a vendor, fenced by the claim. An action whose effect must happen once is entered into
//! the ledger as begun before the call.
//!
//! Every call that changes something at a vendor for a subject is made here, so this is where the connection's switches
//! (`orders.transfer`, `products.upload`, `stock.update`) are asked, whatever opened the task.

use serde_json::Value;

use super::{AttemptResult, Context};
use crate::{
    domain::{
        digest::sha256_hex,
        task::{
            action::{ActionKind, ActionState, NewAction},
            ledger::LedgerChange,
            outcome::Outcome,
            reason::Reason,
        },
    },
    runtime::failpoints::Failpoint,
    vendors::http::error::{CallError, Effect},
};

/// An action before its call.
pub(super) struct Action {
    name: &'static str,
    effect: Effect,
    key: String,
    /// What the ledger gets; `None` for one that may be repeated and that no later decision asks for.
    entry: Option<NewAction>,
}

impl Action {
    /// Creates an action that changes nothing more when it is repeated, and that the ledger does not hold. Its key is
    /// derived from what is sent: the same on every resend, another for anything else.
    pub(super) fn unrecorded(context: &Context, name: &'static str, sent: &str) -> Self {
        Self { name, effect: Effect::Idempotent, key: key_of(context, name, sent), entry: None }
    }

    /// Creates an action for the ledger.
    pub(super) fn new(context: &Context, kind: ActionKind, effect: Effect, sent: &str) -> Self {
        let key = key_of(context, kind.as_str(), sent);
        let entry = NewAction {
            kind,
            target: String::new(),
            key: key.clone(),
            reference: None,
            sent: None,
            inputs: None,
            policy_digest: None,
        };
        Self { name: kind.as_str(), effect, key, entry: Some(entry) }
    }

    /// Says which of several things of the subject it concerns.
    pub(super) fn on(self, target: &str) -> Self {
        self.with(|entry| target.clone_into(&mut entry.target))
    }

    /// Says under which reference it is sent, with what, made from what.
    pub(super) fn sending(
        self,
        reference: &str,
        sent: Option<Value>,
        inputs: Value,
        policy_digest: String,
    ) -> Self {
        self.with(|entry| {
            entry.reference = Some(reference.to_owned());
            entry.sent = sent;
            entry.inputs = Some(inputs);
            entry.policy_digest = Some(policy_digest);
        })
    }

    fn with(mut self, change: impl FnOnce(&mut NewAction)) -> Self {
        if let Some(entry) = &mut self.entry {
            change(entry);
        }
        self
    }

    /// Performs the action with `call`. A call that must happen once is made only after its begin is
    /// committed. `remote_id` finds its id in the vendor's answer.
    pub(super) async fn perform<T>(
        self,
        context: &Context,
        remote_id: impl FnOnce(&T) -> Option<String>,
        call: impl AsyncFnOnce(&str) -> Result<T, CallError>,
    ) -> Result<(T, AttemptResult), ActionError> {
        let Self { name, effect, key, entry } = self;
        if let Some(reason) = context.withholds() {
            let result = AttemptResult { action: Some(name), ..AttemptResult::skipped(reason) };
            return Err(ActionError { result, is_refused: false, message: None });
        }
        let with_action =
            |result: AttemptResult| AttemptResult { action: Some(name), key: Some(key.clone()), ..result };
        let interrupted = |reason| {
            let result = with_action(AttemptResult::interrupted(reason, false));
            ActionError { result, is_refused: false, message: None }
        };
        let begun = begin(context, effect, entry.as_ref()).await.map_err(interrupted)?;
        let end = |state, remote_id| end_of(begun, entry.clone(), state, remote_id);
        let subject = context.subject.to_string();
        context.failpoints.hit(Failpoint::BeforeCall, &subject).await;
        if !context.task_store.has_time_left(effect) {
            let mut error = interrupted(Reason::LeaseExpired);
            error.result.ledger.extend(begun.and_then(|_| end(ActionState::NotSent, None)));
            return Err(error);
        }
        let response = call(&key).await;
        context.failpoints.hit(Failpoint::AfterCall, &subject).await;
        match response {
            Ok(answer) => {
                let mut result = with_action(AttemptResult::new(Outcome::Acted));
                result.ledger.extend(end(ActionState::Applied, remote_id(&answer)));
                Ok((answer, result))
            }
            Err(error) => {
                let outcome = error.verdict(effect);
                let state = state_after(&error, &outcome);
                let detail = Some(error.explained());
                let fault = error.fault(effect);
                let mut result = with_action(AttemptResult { fault, detail, ..AttemptResult::new(outcome) });
                result.ledger.extend(end(state, None));
                Err(ActionError { result, is_refused: error.is_refused(), message: error.message })
            }
        }
    }
}

/// The same on every resend of the same thing, another for anything else.
fn key_of(context: &Context, name: &str, sent: &str) -> String {
    let Context { clients, subject, .. } = context;
    let mut key = sha256_hex(format!("{}\n{subject}\n{name}\n{sent}", clients.name).as_bytes());
    key.truncate(40);
    key
}

/// Passes the fence; returns the number of the entry where one was begun.
async fn begin(context: &Context, effect: Effect, entry: Option<&NewAction>) -> Result<Option<i32>, Reason> {
    match (effect, entry) {
        (Effect::Once, Some(entry)) => context.task_store.begin_action(entry).await.map(Some),
        (Effect::Once | Effect::Idempotent | Effect::Read, _) => {
            context.task_store.verify_claim().await.map(|()| None)
        }
    }
}

/// What the ledger gets when the call has ended.
fn end_of(
    begun: Option<i32>,
    entry: Option<NewAction>,
    state: ActionState,
    remote_id: Option<String>,
) -> Option<LedgerChange> {
    match (begun, entry) {
        (Some(number), _) => Some(LedgerChange::Ended { number, state, remote_id }),
        // One that may be repeated is entered only with a certain end.
        (None, Some(action)) if matches!(state, ActionState::Applied | ActionState::Refused) => {
            Some(LedgerChange::Performed { action, state })
        }
        (None, _) => None,
    }
}

/// What a failed call says about its effect.
fn state_after(error: &CallError, outcome: &Outcome) -> ActionState {
    match outcome {
        Outcome::Unknown { .. } => ActionState::Unknown,
        Outcome::Acted => ActionState::Applied, // a dry run
        _ if error.is_refused() => ActionState::Refused,
        _ => ActionState::NotSent,
    }
}

/// An action that failed, or whose outcome is unknown.
pub(super) struct ActionError {
    /// What the attempt came to.
    pub(super) result: AttemptResult,
    /// The vendor understood the request and refused it.
    is_refused: bool,
    /// What the vendor said.
    message: Option<String>,
}

impl ActionError {
    /// A refusal of one way where another is left, which the next attempt takes.
    pub(super) fn into_retryable_if_refused(self) -> AttemptResult {
        match self.result.outcome {
            Outcome::Permanent { reason } if self.is_refused => {
                AttemptResult { outcome: Outcome::Retryable { reason }, fault: None, ..self.result }
            }
            _ => self.result,
        }
    }

    /// Names what an operator has to do where the failure is final for the table of failures, too.
    pub(super) fn with_reason_if_permanent(self, reason: Reason, detail: &str) -> AttemptResult {
        match self.result.outcome {
            Outcome::Permanent { .. } => self.into_permanent(reason, detail.to_owned()),
            _ => self.result,
        }
    }

    /// A refusal is final: turns it into `reason`, for an operator. Any other failure keeps its outcome.
    pub(super) fn into_permanent_if_refused(
        self,
        reason: Reason,
        detail: impl FnOnce() -> String,
    ) -> AttemptResult {
        if self.is_refused { self.into_permanent(reason, detail()) } else { self.result }
    }

    /// The vendor understood it, so it is no fault of the vendor. Its own words stay behind the detail.
    fn into_permanent(self, reason: Reason, detail: String) -> AttemptResult {
        let detail = match self.message {
            Some(message) => format!("{detail}: {message}"),
            None => detail,
        };
        AttemptResult {
            outcome: Outcome::Permanent { reason },
            fault: None,
            detail: Some(detail),
            ..self.result
        }
    }
}
