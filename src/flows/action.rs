//! The one thing that an attempt does: under a key, fenced, and begun before it is called where it must not be repeated
//! blindly.

use super::{AttemptResult, Context};
use crate::{
    domain::{
        event::dedup::sha256_hex,
        task::outcome::{Outcome, Reason},
    },
    runtime::failpoints::Failpoint,
    vendors::http::error::{CallError, Effect},
};

/// An action about to be done: its kind, its key and what a failure of it would mean.
pub(super) struct Action {
    kind: &'static str,
    key: String,
    effect: Effect,
}

impl Action {
    /// The key is the same on every resend of the same action, and new for a new one: it is derived from what is sent.
    pub(super) fn new(context: &Context, kind: &'static str, effect: Effect, sent: &str) -> Self {
        let Context { clients, subject, .. } = context;
        let mut key = sha256_hex(format!("{}\n{subject}\n{kind}\n{sent}", clients.name).as_bytes());
        key.truncate(40);
        Self { kind, key, effect }
    }

    /// Does the action by `call`: a plain POST only after its intent is committed.
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
            Effect::Once => context.ledger.begin_action(kind, &key).await,
            Effect::Idempotent | Effect::Read => context.ledger.verify_claim().await,
        };
        if let Err(reason) = fenced {
            return Err(error(AttemptResult::interrupted(reason, false), key));
        }
        let subject = context.subject.to_string();
        context.failpoints.hit(Failpoint::BeforeCall, &subject).await;
        if !context.ledger.has_time_left() {
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
                let result = with_action(
                    AttemptResult { detail, is_doubt_resolved, ..AttemptResult::new(outcome) },
                    key,
                );
                Err(ActionError { result, is_refused: error.is_refused() })
            }
        }
    }
}

/// An action that was not done, or of which nobody knows.
pub(super) struct ActionError {
    /// What the attempt came to.
    pub(super) result: AttemptResult,
    /// The far side understood, and said no.
    is_refused: bool,
}

impl ActionError {
    /// A no is final: a person is asked, in these words. Whatever else happened stays what it was.
    pub(super) fn into_permanent_if_refused(
        self,
        reason: Reason,
        detail: impl FnOnce() -> String,
    ) -> AttemptResult {
        let Self { result, is_refused } = self;
        if !is_refused {
            return result;
        }
        AttemptResult { outcome: Outcome::Permanent { reason }, detail: Some(detail()), ..result }
    }
}
