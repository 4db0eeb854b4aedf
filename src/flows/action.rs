//! Performs one action at a vendor, fenced by the claim. An action whose effect must happen once is recorded
//! as begun before the call.

use super::{AttemptResult, Context};
use crate::{
    domain::{
        digest::sha256_hex,
        task::{outcome::Outcome, reason::Reason},
    },
    runtime::failpoints::Failpoint,
    vendors::http::error::{CallError, Effect},
};

/// An action before its call.
pub(super) struct Action {
    kind: &'static str,
    key: String,
    effect: Effect,
}

impl Action {
    /// Creates an action. Its key is derived from what is sent: the same on every resend, another for
    /// anything else.
    pub(super) fn new(context: &Context, kind: &'static str, effect: Effect, sent: &str) -> Self {
        let Context { clients, subject, .. } = context;
        let mut key = sha256_hex(format!("{}\n{subject}\n{kind}\n{sent}", clients.name).as_bytes());
        key.truncate(40);
        Self { kind, key, effect }
    }

    /// Performs the action with `call`. A call that must happen once is made only after its begin is
    /// committed.
    pub(super) async fn perform<T>(
        self,
        context: &Context,
        call: impl AsyncFnOnce(&str) -> Result<T, CallError>,
    ) -> Result<(T, AttemptResult), ActionError> {
        let Self { kind, key, effect } = self;
        let with_action =
            |result: AttemptResult, key| AttemptResult { action: Some(kind), key: Some(key), ..result };
        let error = |result, key| ActionError { result: with_action(result, key), is_refused: false };
        let fenced = match effect {
            Effect::Once => context.task_store.begin_action(kind, &key).await,
            Effect::Idempotent | Effect::Read => context.task_store.verify_claim().await,
        };
        if let Err(reason) = fenced {
            return Err(error(AttemptResult::interrupted(reason, false), key));
        }
        let subject = context.subject.to_string();
        context.failpoints.hit(Failpoint::BeforeCall, &subject).await;
        if !context.task_store.has_time_left() {
            return Err(error(AttemptResult::interrupted(Reason::LeaseExpired, false), key));
        }
        let response = call(&key).await;
        context.failpoints.hit(Failpoint::AfterCall, &subject).await;
        match response {
            Ok(answer) => Ok((answer, with_action(AttemptResult::new(Outcome::Acted), key))),
            Err(error) => {
                let outcome = error.verdict(effect);
                let is_doubt_resolved = effect == Effect::Once && !matches!(outcome, Outcome::Unknown { .. });
                let detail = Some(error.to_string());
                let fault = error.fault(effect);
                let result = with_action(
                    AttemptResult { fault, detail, is_doubt_resolved, ..AttemptResult::new(outcome) },
                    key,
                );
                Err(ActionError { result, is_refused: error.is_refused() })
            }
        }
    }
}

/// An action that failed, or whose outcome is unknown.
pub(super) struct ActionError {
    /// What the attempt came to.
    pub(super) result: AttemptResult,
    /// The vendor understood the request and refused it.
    is_refused: bool,
}

impl ActionError {
    /// A refusal is final: turns it into `reason`, for an operator. Any other failure keeps its outcome.
    pub(super) fn into_permanent_if_refused(
        self,
        reason: Reason,
        detail: impl FnOnce() -> String,
    ) -> AttemptResult {
        let Self { result, is_refused } = self;
        if !is_refused {
            return result;
        }
        AttemptResult {
            outcome: Outcome::Permanent { reason },
            fault: None, // the vendor understood it
            detail: Some(detail()),
            ..result
        }
    }
}
