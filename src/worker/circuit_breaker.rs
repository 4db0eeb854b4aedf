//! The circuit of each connection: closed while its vendors answer, open while one of them is down, half-open while it
//! is asked whether it is back.
//!
//! So many failures in a row, whatever the subjects, and the connection is **held**: nothing of it is claimed, so no
//! attempt is spent on a vendor that is not there, and no slot waits for it. When the hold is over, one process asks
//! both vendors a small question. An answer closes the circuit; silence holds it again, twice as long, up to a bound.
//! The same road serves refused credentials.
//!
//! The question is not a task. A task that the far side answers with 500 for reasons of its own must not keep
//! its neighbours waiting: its circuit closes at the next probe, it spends its own attempts, and ends dead by itself.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::{Shared, Worker};
use crate::{
    domain::task::{
        outcome::{Outcome, Reason},
        transition::circuit_open_for,
    },
    store::{self, connections},
};

/// Failures in a row that open a circuit.
const FAILURES_TO_OPEN: u32 = 5;

/// Failures in a row, by connection, as this process has met them.
#[derive(Default)]
pub(super) struct CircuitBreaker(Mutex<HashMap<String, u32>>);

/// What an attempt says of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionSignal {
    /// A vendor answered.
    Healthy,
    /// Nobody was asked, or nobody was waited for long enough.
    Inconclusive,
    /// It failed, and not often enough in a row to mean anything.
    Failing,
    /// It is down.
    Down,
}

impl CircuitBreaker {
    /// Takes note of an outcome.
    pub(super) fn record_outcome(&self, connection: &str, outcome: &Outcome) -> ConnectionSignal {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        *count = 0; // after the hold it is counted anew
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

/// Our own trouble, or grace_period that was asked of us: none of it is a vendor's answer to what we wanted.
const fn is_inconclusive(outcome: &Outcome) -> bool {
    use Reason::{DatabaseUnavailable, LeaseExpired, Overran, Panicked};

    matches!(
        outcome,
        Outcome::Snoozed { .. }
            | Outcome::Retryable { reason: Overran | Panicked | DatabaseUnavailable | LeaseExpired }
            | Outcome::Unknown { reason: Overran | Panicked | DatabaseUnavailable | LeaseExpired }
    )
}

impl Worker {
    /// Asks the vendors of every held connection whose hold is over whether they are back; answers how many were asked.
    pub async fn probe(&self) -> store::Result<usize> {
        let Shared { pool, clock, options, slots, .. } = &*self.shared;
        let now = clock.now();
        let mut db = pool.acquire().await?;
        let probed = connections::claim_probes(&mut db, slots.names(), now, now + options.lease).await?;
        drop(db); // never held across the network
        let count = probed.len();
        let probes = probed.into_iter().map(|probed| {
            let worker = self.clone();
            self.shared.tasks.spawn(async move {
                if let Err(error) = worker.probe_connection(&probed).await {
                    tracing::warn!(connection = probed.name, error = %error, "a probe could not be noted");
                }
            })
        });
        for probe in probes.collect::<Vec<_>>() {
            let _ = probe.await;
        }
        Ok(count)
    }

    async fn probe_connection(&self, probed: &connections::ProbeTarget) -> store::Result<()> {
        let Shared { pool, clock, clients, .. } = &*self.shared;
        let Some(clients) = clients.get(&probed.name) else { return Ok(()) };
        let error = clients.shop.probe().await.err().or(clients.warehouse.probe().await.err());
        let reason = error.and_then(|error| error.unavailable_reason());
        let mut db = pool.acquire().await?;
        let connection = &probed.name;
        let Some(reason) = reason else {
            tracing::info!(connection, "both vendors answer: the hold is over");
            return connections::close_circuit(&mut db, connection).await;
        };
        let until = clock.now() + circuit_open_for(reason, probed.faults.unsigned_abs());
        tracing::warn!(connection, reason = reason.code(), %until, "a vendor is not back yet");
        connections::extend_circuit_open(&mut db, connection, until, reason).await
    }
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
