//! What a flow says when it comes back.

use crate::{
    domain::{
        event::subject::Subject,
        task::{
            outcome::{Outcome, Reason},
            subject_state::Learnt,
        },
    },
    vendors::http::error::{CallError, Effect},
};

/// What an attempt came to, and what it learnt.
#[derive(Debug)]
pub struct Report {
    /// What it came to.
    pub outcome: Outcome,
    /// The one thing decided on.
    pub deed: Option<&'static str>,
    /// The key sent with it.
    pub key: Option<String>,
    /// Plain words for a person; never personal data.
    pub detail: Option<String>,
    /// To be remembered.
    pub learnt: Vec<Learnt>,
    /// True where the deed begun in this attempt, or left open by an earlier one, is now known to have ended.
    pub doubt_ended: bool,
    /// Subjects that this one put in question.
    pub follow_ups: Vec<Subject>,
}

impl Report {
    /// An attempt that came to this, and did and learnt nothing.
    pub fn of(outcome: Outcome) -> Self {
        // Having read both sides and found rest, no question is left open.
        let doubt_ended = matches!(outcome, Outcome::Done | Outcome::InStep | Outcome::Skipped { .. });
        Self {
            outcome,
            deed: None,
            key: None,
            detail: None,
            learnt: Vec::new(),
            doubt_ended,
            follow_ups: Vec::new(),
        }
    }

    /// An attempt that ended without its flow's word.
    pub fn broken(reason: Reason, deed_begun: bool) -> Self {
        Self::of(if deed_begun { Outcome::Ambiguous { reason } } else { Outcome::Retryable { reason } })
    }

    /// A read that failed: nothing was decided.
    pub(super) fn unread(error: &CallError) -> Self {
        Self { detail: Some(error.to_string()), ..Self::of(error.verdict(Effect::Read)) }
    }

    pub(super) fn permanent(reason: Reason, detail: String) -> Self {
        Self { detail: Some(detail), ..Self::of(Outcome::Permanent { reason }) }
    }

    pub(super) fn skipped(reason: Reason) -> Self {
        Self::of(Outcome::Skipped { reason })
    }

    pub(super) fn learning(mut self, learnt: Learnt) -> Self {
        self.learnt.push(learnt);
        self
    }
}
