//! The one thing that an attempt does: under a key, fenced, and begun before it is called where it must not be repeated
//! blindly.

use super::{Context, Report};
use crate::{
    domain::{
        event::dedup::sha256_hex,
        task::outcome::{Outcome, Reason},
    },
    runtime::failpoints::KillPoint,
    vendors::http::error::{CallError, Effect},
};

/// A deed about to be done: its word, its key and what a failure of it would mean.
pub(super) struct Deed {
    word: &'static str,
    key: String,
    effect: Effect,
}

impl Deed {
    /// The key is the same on every resend of the same deed, and new for a new one: it is derived from what is sent.
    pub(super) fn new(context: &Context, word: &'static str, effect: Effect, sent: &str) -> Self {
        let Context { tied, subject, .. } = context;
        let mut key = sha256_hex(format!("{}\n{subject}\n{word}\n{sent}", tied.name).as_bytes());
        key.truncate(40);
        Self { word, key, effect }
    }

    /// Does the deed by `call`: a plain POST only after its intent is committed.
    pub(super) async fn perform<T>(
        self,
        context: &Context,
        call: impl AsyncFnOnce(&str) -> Result<T, CallError>,
    ) -> Result<(T, Report), Undone> {
        let Self { word, key, effect } = self;
        let named = |report: Report, key| Report { deed: Some(word), key: Some(key), ..report };
        let undone = |report, key| Undone { report: named(report, key), is_refused: false };
        let fenced = match effect {
            Effect::Once => context.ledger.begin(word, &key).await,
            Effect::Idempotent | Effect::Read => context.ledger.still_ours().await,
        };
        if let Err(reason) = fenced {
            return Err(undone(Report::broken(reason, false), key));
        }
        let subject = context.subject.to_string();
        context.killpoints.reach(KillPoint::BeforeCall, &subject).await;
        if !context.ledger.is_in_time() {
            return Err(undone(Report::broken(Reason::LeaseExpired, false), key));
        }
        let answered = call(&key).await;
        context.killpoints.reach(KillPoint::AfterCall, &subject).await;
        match answered {
            Ok(answer) => Ok((answer, named(Report::of(Outcome::Done), key))),
            Err(error) => {
                let outcome = error.verdict(effect);
                let doubt_ended = effect == Effect::Once && !matches!(outcome, Outcome::Ambiguous { .. });
                let detail = Some(error.to_string());
                let report = named(Report { detail, doubt_ended, ..Report::of(outcome) }, key);
                Err(Undone { report, is_refused: error.is_refusal() })
            }
        }
    }
}

/// A deed that was not done, or of which nobody knows.
pub(super) struct Undone {
    /// What the attempt came to.
    pub(super) report: Report,
    /// The far side understood, and said no.
    is_refused: bool,
}

impl Undone {
    /// A no is final: a person is asked, in these words. Whatever else happened stays what it was.
    pub(super) fn or_asks_a_person(self, reason: Reason, detail: impl FnOnce() -> String) -> Report {
        let Self { report, is_refused } = self;
        if !is_refused {
            return report;
        }
        Report { outcome: Outcome::Permanent { reason }, detail: Some(detail()), ..report }
    }
}
