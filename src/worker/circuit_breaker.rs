//! The circuit of each connection: closed while its systems answer, open while one of them is down, half-open while it
//! is asked whether it is back.
//!
//! So many failures in a row, whatever the subjects, and the connection is **held**: nothing of it is claimed, so no
//! attempt is spent on a system that is not there, and no slot waits for it. When the hold is over, one process asks
//! both systems a small question. An answer closes the circuit; silence holds it again, twice as long, up to a bound.
//! The same road serves refused credentials.
//!
//! The question is not a delivery. A delivery that the far side answers with 500 for reasons of its own must not keep
//! its neighbours waiting: its circuit closes at the next probe, it spends its own attempts, and ends dead by itself.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::{Shared, Worker};
use crate::{
    domain::task::{
        outcome::{Outcome, Reason},
        transition::hold_for,
    },
    store::{self, connections},
};

/// Failures in a row that open a circuit.
const FAILURES: u32 = 5;

/// Failures in a row, by connection, as this process has met them.
#[derive(Default)]
pub(super) struct Circuits(Mutex<HashMap<String, u32>>);

/// What an attempt says of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// A system answered.
    Alive,
    /// Nobody was asked, or nobody was waited for long enough.
    Nothing,
    /// It failed, and not often enough in a row to mean anything.
    Failing,
    /// It is down.
    Down,
}

impl Circuits {
    /// Takes note of an outcome.
    pub(super) fn note(&self, connection: &str, outcome: &Outcome) -> Seen {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(connection.to_owned()).or_default();
        if says_nothing(outcome) {
            return Seen::Nothing;
        }
        if !is_failure_of_system(outcome) {
            *count = 0;
            return Seen::Alive;
        }
        *count += 1;
        if *count < FAILURES {
            return Seen::Failing;
        }
        *count = 0; // after the hold it is counted anew
        Seen::Down
    }
}

const fn is_failure_of_system(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Retryable { reason: Reason::Unreachable | Reason::AnswerLost | Reason::SystemFailed }
            | Outcome::Ambiguous { reason: Reason::AnswerLost | Reason::SystemFailed }
    )
}

/// Our own trouble, or patience that was asked of us: none of it is a system's answer to what we wanted.
const fn says_nothing(outcome: &Outcome) -> bool {
    use Reason::{DatabaseAway, LeaseExpired, Overran, Panicked};

    matches!(
        outcome,
        Outcome::Snoozed { .. }
            | Outcome::Retryable { reason: Overran | Panicked | DatabaseAway | LeaseExpired }
            | Outcome::Ambiguous { reason: Overran | Panicked | DatabaseAway | LeaseExpired }
    )
}

impl Worker {
    /// Asks the systems of every held connection whose hold is over whether they are back; answers how many were asked.
    pub async fn probe(&self) -> store::Result<usize> {
        let Shared { pool, clock, options, slots, .. } = &*self.shared;
        let now = clock.now();
        let mut db = pool.acquire().await?;
        let probed = connections::take_probes(&mut db, slots.names(), now, now + options.lease).await?;
        drop(db); // never held across the network
        let count = probed.len();
        let asked = probed.into_iter().map(|probed| {
            let worker = self.clone();
            self.shared.tasks.spawn(async move {
                if let Err(error) = worker.ask(&probed).await {
                    tracing::warn!(connection = probed.name, error = %error, "a probe could not be noted");
                }
            })
        });
        for asked in asked.collect::<Vec<_>>() {
            let _ = asked.await;
        }
        Ok(count)
    }

    async fn ask(&self, probed: &connections::Probed) -> store::Result<()> {
        let Shared { pool, clock, tied, .. } = &*self.shared;
        let Some(tied) = tied.get(&probed.name) else { return Ok(()) };
        let silent = tied.shop.probe().await.err().or(tied.warehouse.probe().await.err());
        let reason = silent.and_then(|error| error.reason_down());
        let mut db = pool.acquire().await?;
        let connection = &probed.name;
        let Some(reason) = reason else {
            tracing::info!(connection, "both systems answer: the hold is over");
            return connections::end_hold(&mut db, connection).await;
        };
        let until = clock.now() + hold_for(reason, probed.faults.unsigned_abs());
        tracing::warn!(connection, reason = reason.code(), %until, "a system is not back yet");
        connections::hold_on(&mut db, connection, until, reason).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_open_a_circuit_and_any_answer_in_between_counts_them_anew_and_our_own_trouble_does_not()
     {
        let circuits = Circuits::default();
        let failed = Outcome::Retryable { reason: Reason::SystemFailed };
        let note = |outcome: &Outcome| circuits.note("shop", outcome);
        let four = |seen| assert_eq!([(); 4].map(|()| note(&failed)), [seen; 4]);
        four(Seen::Failing);
        assert_eq!(note(&Outcome::Permanent { reason: Reason::Refused }), Seen::Alive);
        four(Seen::Failing);
        assert_eq!(note(&Outcome::Ambiguous { reason: Reason::Overran }), Seen::Nothing);
        assert_eq!(circuits.note("other", &failed), Seen::Failing);
        assert_eq!(note(&failed), Seen::Down);
        four(Seen::Failing);
    }
}
