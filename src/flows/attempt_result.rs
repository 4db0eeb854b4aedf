//! The result of an attempt, as a flow returns it.

use crate::{
    domain::{
        event::subject::Subject,
        stock_figures::StockFigures,
        task::{
            fault::Fault, ledger::LedgerChange, outcome::Outcome, reason::Reason, subject_state::Observation,
        },
    },
    vendors::http::error::{CallError, Effect},
};

/// What an attempt came to, and what it observed.
#[derive(Debug)]
pub struct AttemptResult {
    /// The outcome.
    pub outcome: Outcome,
    /// The vendor's fault that ended the attempt. Other subjects may meet it too.
    pub fault: Option<Fault>,
    /// The action that was decided on.
    pub action: Option<&'static str>,
    /// The idempotency key sent with it.
    pub key: Option<String>,
    /// Details in plain words; never personal data.
    pub detail: Option<String>,
    /// What was observed, to be written with the settle.
    pub observations: Vec<Observation>,
    /// What the ledger gets with the settle.
    pub ledger: Vec<LedgerChange>,
    /// Subjects that may be out of sync because of this one.
    pub follow_ups: Vec<Subject>,
    /// For stock: what both sides show.
    pub figures: Option<StockFigures>,
}

impl AttemptResult {
    /// Creates a result with this outcome and nothing else.
    pub fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            fault: None,
            action: None,
            key: None,
            detail: None,
            observations: Vec::new(),
            ledger: Vec::new(),
            follow_ups: Vec::new(),
            figures: None,
        }
    }

    /// The result of an attempt whose flow did not return one.
    pub fn interrupted(reason: Reason, has_begun: bool) -> Self {
        Self::new(if has_begun { Outcome::Unknown { reason } } else { Outcome::Retryable { reason } })
    }

    /// The result of a failed read at a vendor: nothing was decided.
    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(super) fn read_failed(error: CallError) -> Box<Self> {
        let (outcome, fault) = (error.verdict(Effect::Read), error.fault(Effect::Read));
        Box::new(Self { fault, detail: Some(error.explained()), ..Self::new(outcome) })
    }

    /// The result of a failed access to our own tables: nothing was decided.
    pub(super) fn store_failed(reason: Reason) -> Box<Self> {
        Box::new(Self::interrupted(reason, false))
    }

    pub(super) fn permanent(reason: Reason, detail: String) -> Self {
        Self { detail: Some(detail), ..Self::new(Outcome::Permanent { reason }) }
    }

    pub(super) fn skipped(reason: Reason) -> Self {
        Self::new(Outcome::Skipped { reason })
    }

    pub(super) fn with_observation(mut self, observation: Observation) -> Self {
        self.observations.push(observation);
        self
    }
}
