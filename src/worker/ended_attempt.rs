//! An attempt that has ended, and what is written about it.

use sqlx::PgConnection;

use super::circuit_breaker::VendorSigns;
use crate::{
    domain::{
        Timestamp,
        event::subject::Subject,
        stock_figures::StockFigures,
        task::{
            ledger::LedgerChange,
            reason::Reason,
            state::{LeasedTask, TaskState},
            subject_state::Observation,
            transition::Transition,
        },
        vendor::Vendor,
    },
    flows::AttemptResult,
    store::{
        self,
        connections::{self, CircuitOpening},
        settle::{AttemptRecord, SettledAttempt},
    },
};

/// An attempt that has ended and is not settled yet.
pub(super) struct EndedAttempt {
    pub(super) leased: LeasedTask,
    pub(super) result: AttemptResult,
    /// Since when a begun action is in doubt, if one is.
    pub(super) in_doubt_since: Option<Timestamp>,
    /// It may have begun an action.
    pub(super) may_have_begun: bool,
    /// It was not its turn at a vendor.
    pub(super) keeps_place: bool,
    /// What it shows of its vendors.
    pub(super) signs: VendorSigns,
    /// Its calls, as a JSON array.
    pub(super) calls: String,
}

/// What an attempt writes besides its own row and its task's next state.
pub(super) struct SideEffects<'a> {
    /// What it observed; written for the whole batch at once.
    pub(super) observations: &'a [Observation],
    /// What the ledger gets; written for the whole batch at once.
    pub(super) ledger: &'a [LedgerChange],
    /// What it began and does not say the end of is unknown from now on.
    pub(super) may_have_begun: bool,
    circuit: Option<CircuitChange>,
    /// Subjects whose tasks are enqueued.
    pub(super) follow_ups: &'a [Subject],
    /// Stock figures that it read.
    pub(super) figures: Option<&'a StockFigures>,
}

/// A change of the connection's circuit.
#[derive(Clone, Copy, Debug)]
enum CircuitChange {
    /// Nothing of the connection is claimed until then.
    Open { until: Timestamp, reason: Reason, vendor: Option<Vendor> },
    /// A vendor answered: the count of circuits opened in a row starts anew.
    ClearFaults,
}

impl EndedAttempt {
    /// The rows of this attempt and its task.
    pub(super) fn as_settled<'a>(&'a self, next: &'a Transition) -> SettledAttempt<'a> {
        let Self { leased, result, calls, .. } = self;
        let entry = AttemptRecord {
            outcome: &result.outcome,
            action: result.action,
            idempotency_key: result.key.as_deref(),
            detail: result.detail.as_deref(),
            calls,
        };
        SettledAttempt { leased, next, entry }
    }

    /// What is written besides.
    pub(super) fn side_effects(&self, next: &Transition) -> SideEffects<'_> {
        let AttemptResult { observations, follow_ups, ledger, figures, .. } = &self.result;
        SideEffects {
            observations,
            ledger,
            may_have_begun: self.may_have_begun,
            circuit: self.circuit_change(next),
            follow_ups,
            figures: figures.as_ref(),
        }
    }

    /// Opens the circuit where the credentials are refused; resets the count of faults where the vendors work.
    fn circuit_change(&self, next: &Transition) -> Option<CircuitChange> {
        if let Some((until, reason)) = next.circuit_open_until.zip(next.reason) {
            let vendor = self.signs.fault.map(|fault| fault.vendor);
            return Some(CircuitChange::Open { until, reason, vendor });
        }
        let VendorSigns { fault, answered, .. } = &self.signs;
        let is_healthy = fault.is_none() && !answered.is_empty();
        (is_healthy && self.leased.connection_faults > 0).then_some(CircuitChange::ClearFaults)
    }

    /// Logs one line: a warning for a dead task, which needs an operator.
    pub(super) fn log_settled(&self, next: &Transition) {
        let Self { leased, result, .. } = self;
        let (outcome, reason) = (result.outcome.as_str(), next.reason.map(Reason::code));
        let (id, connection, subject, state) = (leased.id, &leased.connection, &leased.subject, next.state);
        let (attempt, action) = (leased.number, result.action);
        if next.state == TaskState::Dead {
            tracing::warn!(task = %id, connection, %subject, attempt, outcome, action, reason, "task is dead, an operator must act");
        } else {
            tracing::info!(task = %id, connection, %subject, attempt, outcome, action, reason, %state, "attempt settled");
        }
    }
}

impl SideEffects<'_> {
    /// True where the settle alone is enough.
    pub(super) fn is_empty(&self) -> bool {
        let Self { observations, ledger, may_have_begun, circuit, follow_ups, figures } = self;
        observations.is_empty()
            && ledger.is_empty()
            && !may_have_begun
            && circuit.is_none()
            && follow_ups.is_empty()
            && figures.is_none()
    }

    /// Writes the change of the connection's circuit in the transaction of the settle.
    pub(super) async fn write_circuit(
        &self,
        db: &mut PgConnection,
        leased: &LeasedTask,
        now: Timestamp,
    ) -> store::Result<()> {
        match self.circuit {
            Some(CircuitChange::Open { until, reason, vendor }) => {
                tracing::warn!(connection = leased.connection, reason = reason.code(), %until, "circuit opened");
                let opening = CircuitOpening { at: now, until, reason, vendor };
                connections::open_circuit(db, &leased.connection, &opening).await?;
            }
            Some(CircuitChange::ClearFaults) => connections::clear_faults(db, &leased.connection).await?,
            None => {}
        }
        Ok(())
    }
}
