//! Counts consecutive vendor failures of each connection, to open its circuit.
//!
//! The circuit is closed while both vendors answer, open while one of them is down, half-open while a probe asks whether
//! it is back. After [`FAILURES_TO_OPEN`] failures in a row, whatever the subjects, it opens: nothing of the connection
//! is claimed, so no attempt and no slot is spent on a vendor that is down. When the open period ends, one process
//! probes both vendors (`probe.rs`). An answer closes the circuit; a failure opens it again for
//! twice as long, up to a bound. Rejected credentials open it in the same way.
//!
//! A probe is not a task. A task that its vendor answers with 500 for reasons of its own must not stop the tasks beside
//! it: the next probe closes the circuit, and that task alone fails, retries, and ends dead.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::domain::task::{outcome::Outcome, reason::Reason};

/// Failures in a row that open a circuit.
const FAILURES_TO_OPEN: u32 = 5;

/// Consecutive failures by connection, as this process has seen them.
#[derive(Default)]
pub(super) struct CircuitBreaker(Mutex<HashMap<String, u32>>);

/// What an attempt says about the health of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionSignal {
    /// A vendor answered.
    Healthy,
    /// No vendor was called, or the cause was ours.
    Inconclusive,
    /// A vendor failed, but not often enough in a row.
    Failing,
    /// A vendor is down.
    Down,
}

impl CircuitBreaker {
    /// Counts the outcome of an attempt.
    pub(super) fn record_outcome(&self, connection: &str, outcome: &Outcome) -> ConnectionSignal {
        let mut failures = self.0.lock();
        let count = failures.entry(connection.to_owned()).or_default();
        if is_inconclusive(outcome) {
            return ConnectionSignal::Inconclusive;
        }
        if !is_vendor_failure(outcome) {
            *count = 0;
            return ConnectionSignal::Healthy;
        }
        *count += 1;
        if *count < FAILURES_TO_OPEN {
            return ConnectionSignal::Failing;
        }
        *count = 0; // counting starts anew once the circuit closes
        ConnectionSignal::Down
    }
}

const fn is_vendor_failure(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Retryable { reason: Reason::Unreachable | Reason::AnswerLost | Reason::VendorFailed }
            | Outcome::Unknown { reason: Reason::AnswerLost | Reason::VendorFailed }
    )
}

/// A fault of our own, or a delay that a vendor asked for: neither says whether the vendor works.
const fn is_inconclusive(outcome: &Outcome) -> bool {
    use Reason::{DatabaseUnavailable, LeaseExpired, Overran, Panicked};

    matches!(
        outcome,
        Outcome::Snoozed { .. }
            | Outcome::Retryable { reason: Overran | Panicked | DatabaseUnavailable | LeaseExpired }
            | Outcome::Unknown { reason: Overran | Panicked | DatabaseUnavailable | LeaseExpired }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_vendor_failures_open_the_circuit() {
        let circuit_breaker = CircuitBreaker::default();
        let failed = Outcome::Retryable { reason: Reason::VendorFailed };
        let record = |outcome: &Outcome| circuit_breaker.record_outcome("shop", outcome);
        let four = |signal| assert_eq!([(); 4].map(|()| record(&failed)), [signal; 4]);
        four(ConnectionSignal::Failing);
        assert_eq!(record(&Outcome::Permanent { reason: Reason::Refused }), ConnectionSignal::Healthy);
        four(ConnectionSignal::Failing);
        assert_eq!(record(&Outcome::Unknown { reason: Reason::Overran }), ConnectionSignal::Inconclusive);
        assert_eq!(circuit_breaker.record_outcome("other", &failed), ConnectionSignal::Failing);
        assert_eq!(record(&failed), ConnectionSignal::Down);
        four(ConnectionSignal::Failing);
    }
}
