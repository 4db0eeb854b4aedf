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
pub struct AttemptResult {
    /// What it came to.
    pub outcome: Outcome,
    /// The one thing decided on.
    pub action: Option<&'static str>,
    /// The key sent with it.
    pub key: Option<String>,
    /// Plain words for a person; never personal data.
    pub detail: Option<String>,
    /// To be remembered.
    pub learnt: Vec<Learnt>,
    /// True where the action begun in this attempt, or left open by an earlier one, is now known to have ended.
    pub is_doubt_resolved: bool,
    /// Subjects that this one put in question.
    pub follow_ups: Vec<Subject>,
}

impl AttemptResult {
    /// An attempt that came to this, and did and learnt nothing.
    pub fn new(outcome: Outcome) -> Self {
        // Having read both sides and found rest, no question is left open.
        let is_doubt_resolved = matches!(outcome, Outcome::Acted | Outcome::InSync | Outcome::Skipped { .. });
        Self {
            outcome,
            action: None,
            key: None,
            detail: None,
            learnt: Vec::new(),
            is_doubt_resolved,
            follow_ups: Vec::new(),
        }
    }

    /// An attempt that ended without its flow's word.
    pub fn interrupted(reason: Reason, action_begun: bool) -> Self {
        Self::new(if action_begun { Outcome::Unknown { reason } } else { Outcome::Retryable { reason } })
    }

    /// A read that failed: nothing was decided.
    pub(super) fn read_failed(error: &CallError) -> Self {
        Self { detail: Some(error.to_string()), ..Self::new(error.verdict(Effect::Read)) }
    }

    pub(super) fn permanent(reason: Reason, detail: String) -> Self {
        Self { detail: Some(detail), ..Self::new(Outcome::Permanent { reason }) }
    }

    pub(super) fn skipped(reason: Reason) -> Self {
        Self::new(Outcome::Skipped { reason })
    }

    pub(super) fn with_observation(mut self, learnt: Learnt) -> Self {
        self.learnt.push(learnt);
        self
    }
}
