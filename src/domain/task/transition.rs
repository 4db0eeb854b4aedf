//! The heart: from an outcome to the delivery's next state. Pure, and the only judge.
//!
//! Attempts are numbered at claim, so a crash counts; what is not the attempt's fault gives its number back. `doubt`
//! is true while a begun deed is not known to have ended: then no waiting state may look like a clean one.

use std::time::Duration;

use super::{
    outcome::{Outcome, Reason},
    retry::RetryPolicy,
    state::{DeliveryState, Leased},
};
use crate::domain::Timestamp;

/// Deeds in one debt after which we stop believing that it will come to rest: a product with many variations needs
/// one each, nothing needs more than this.
pub const MOST_DEEDS: u32 = 200;

/// How long a delivery may be snoozed in all before a person should know.
const LONGEST_SNOOZE: chrono::Duration = chrono::Duration::days(14);

/// The first and the longest hold of a connection whose credentials were refused. A person must act, so it is patient.
const REFUSED: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(15 * 60));

/// The same of one whose system is down: it comes back by itself, and a probe costs little.
const DOWN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// How long a connection is held for this reason, after so many holds in a row: doubled by each, up to a bound.
pub fn hold_for(reason: Reason, faults: u32) -> Duration {
    let (first, longest) = if reason == Reason::SystemDown { DOWN } else { REFUSED };
    first.saturating_mul(1 << faults.min(16)).min(longest)
}

/// What is written when an attempt ends, provided that no news came since its claim. With news, a state that would
/// close the delivery becomes `pending`, and what would wait does not, both due at once: see `store::settling::settle`.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// The next state.
    pub state: DeliveryState,
    /// Why, where there is a why.
    pub reason: Option<Reason>,
    /// When it may be claimed again; for a closed one, when it was closed.
    pub due_at: Timestamp,
    /// Attempts that count from now on.
    pub attempts: u32,
    /// Deeds done in this debt.
    pub deeds: u32,
    /// No claim for the whole connection before this time.
    pub hold_until: Option<Timestamp>,
    /// It waits for the world, so news of the world end the wait; what backs off from a fault goes on backing off.
    pub waits: bool,
}

/// What follows from `outcome`. `doubt`: since when a begun deed is not known to have ended. `jitter` in 0..1.
pub fn settle(
    held: &Leased,
    outcome: &Outcome,
    doubt: Option<Timestamp>,
    policy: &RetryPolicy,
    now: Timestamp,
    jitter: f64,
) -> Settlement {
    let open = if doubt.is_some() { DeliveryState::InDoubt } else { DeliveryState::Pending };
    let given_back = held.attempts.saturating_sub(1);
    let backoff = now + policy.backoff(held.attempts, jitter);
    let next = Settlement {
        state: open,
        reason: outcome.reason(),
        due_at: now,
        attempts: held.attempts,
        deeds: held.deeds,
        hold_until: None,
        waits: false,
    };
    let dead = |reason| Settlement { state: DeliveryState::Dead, reason: Some(reason), ..next.clone() };
    let spent = held.attempts >= policy.attempts;
    // A debt that a person opened anew has its own time.
    let unknown_for = doubt.map(|since| now - since.max(held.created_at));
    let is_unknowable = unknown_for.is_some_and(|age| age.to_std().is_ok_and(|age| age > policy.unknown_for));

    match outcome {
        // Whoever could not tell for so long will not tell by being asked once more.
        Outcome::Retryable { .. } | Outcome::Ambiguous { .. } | Outcome::Snoozed { .. } if is_unknowable => {
            dead(Reason::OutcomeUnknown)
        }
        Outcome::Retryable { .. } | Outcome::Ambiguous { .. } if spent && doubt.is_some() => {
            dead(Reason::OutcomeUnknown)
        }
        Outcome::Done if held.deeds + 1 >= MOST_DEEDS => dead(Reason::NoRest),
        Outcome::Done => Settlement { attempts: 0, deeds: held.deeds + 1, ..next },
        Outcome::InStep => Settlement { state: DeliveryState::Delivered, ..next },
        Outcome::Skipped { .. } => Settlement { state: DeliveryState::Skipped, ..next },
        Outcome::Waiting { until, .. } => {
            Settlement { due_at: *until, attempts: given_back, waits: true, ..next }
        }
        Outcome::Retryable { reason } | Outcome::Ambiguous { reason } if spent => dead(*reason),
        Outcome::Retryable { .. } => Settlement { due_at: backoff, ..next },
        Outcome::Snoozed { .. } if now - held.created_at > LONGEST_SNOOZE => dead(Reason::TooOld),
        Outcome::Snoozed { after, .. } => {
            let wait = after.map_or(policy.backoff(1, jitter), |asked| policy.clamp_retry_after(asked));
            Settlement { due_at: now + wait, attempts: given_back, ..next }
        }
        Outcome::Ambiguous { .. } => {
            Settlement { state: DeliveryState::InDoubt, due_at: now + policy.look_again, ..next }
        }
        Outcome::Permanent { reason } => dead(*reason),
        Outcome::ConnectionFault { .. } => {
            let until = now + hold_for(Reason::CredentialsRefused, held.connection_faults);
            Settlement { due_at: until, attempts: given_back, hold_until: Some(until), ..next }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        event::subject::{Subject, Urgency},
        id::{ClaimId, DeliveryId},
    };

    const POLICY: RetryPolicy = RetryPolicy {
        base: Duration::from_secs(2),
        cap: Duration::from_secs(3600),
        attempts: 12,
        look_again: Duration::from_secs(10),
        unknown_for: Duration::from_secs(3600),
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).expect("a small number of seconds")
    }

    fn held(attempts: u32) -> Leased {
        Leased {
            id: DeliveryId(uuid::Uuid::nil()),
            claim: ClaimId(uuid::Uuid::nil()),
            connection: "kauppa".into(),
            subject: Subject::order("1"),
            urgency: Urgency(0),
            attempts,
            number: attempts,
            deeds: 0,
            created_at: at(0),
            claimed_at: at(0),
            connected_at: at(0),
            connection_faults: 0,
        }
    }

    fn row(outcome: &Outcome, attempts: u32, doubt: bool) -> (DeliveryState, i64, u32) {
        let settled = settle(&held(attempts), outcome, doubt.then(|| at(90)), &POLICY, at(100), 0.0);
        (settled.state, (settled.due_at - at(100)).num_seconds(), settled.attempts)
    }

    /// The second table of the house's error taxonomy, row by row: outcome × next state.
    #[test]
    fn every_outcome_leads_to_the_state_its_table_row_says() {
        use DeliveryState::{Dead, Delivered, InDoubt, Pending, Skipped};
        let reason = Reason::SystemFailed;
        let long = Some(Duration::from_secs(90));

        assert_eq!(row(&Outcome::Done, 3, false), (Pending, 0, 0));
        assert_eq!(row(&Outcome::InStep, 3, false), (Delivered, 0, 3));
        assert_eq!(row(&Outcome::Skipped { reason }, 3, false), (Skipped, 0, 3));
        assert_eq!(row(&Outcome::Waiting { until: at(160), reason }, 3, false), (Pending, 60, 2));
        assert_eq!(row(&Outcome::Waiting { until: at(160), reason }, 3, true), (InDoubt, 60, 2));
        assert_eq!(row(&Outcome::Retryable { reason }, 3, false), (Pending, 8, 3));
        assert_eq!(row(&Outcome::Retryable { reason }, 3, true), (InDoubt, 8, 3));
        assert_eq!(row(&Outcome::Retryable { reason }, 12, false), (Dead, 0, 12));
        assert_eq!(row(&Outcome::Snoozed { after: long, reason }, 3, false), (Pending, 90, 2));
        assert_eq!(row(&Outcome::Snoozed { after: None, reason }, 12, false), (Pending, 2, 11));
        assert_eq!(row(&Outcome::Ambiguous { reason }, 3, true), (InDoubt, 10, 3));
        assert_eq!(row(&Outcome::Ambiguous { reason }, 12, true), (Dead, 0, 12));
        assert_eq!(row(&Outcome::Permanent { reason }, 1, false), (Dead, 0, 1));
        assert_eq!(row(&Outcome::ConnectionFault { reason }, 12, false), (Pending, 30, 11));
    }

    #[test]
    fn a_debt_that_never_comes_to_rest_ends_dead() {
        let restless = Leased { deeds: MOST_DEEDS - 1, ..held(1) };
        let settled = settle(&restless, &Outcome::Done, None, &POLICY, at(1), 0.0);
        assert_eq!((settled.state, settled.reason), (DeliveryState::Dead, Some(Reason::NoRest)));
    }

    #[test]
    fn an_outcome_that_stays_unknown_goes_to_a_person_and_a_replay_has_its_own_time() {
        let reason = Reason::SystemFailed;
        let told = |outcome: &Outcome, attempts, since, created| {
            let held = Leased { created_at: at(created), ..held(attempts) };
            let settled = settle(&held, outcome, Some(at(since)), &POLICY, at(5000), 0.0);
            (settled.state, settled.reason)
        };
        let person = (DeliveryState::Dead, Some(Reason::OutcomeUnknown));
        let asked = (DeliveryState::InDoubt, Some(reason));
        let patience = Outcome::Snoozed { after: None, reason };
        for outcome in [Outcome::Retryable { reason }, Outcome::Ambiguous { reason }, patience] {
            assert_eq!(told(&outcome, 3, 100, 0), person, "{outcome:?}");
            assert_eq!(told(&outcome, 3, 4900, 0), asked, "{outcome:?}: not so long yet");
            assert_eq!(told(&outcome, 3, 100, 4900), asked, "{outcome:?}: asked anew");
        }
        assert_eq!(told(&Outcome::Retryable { reason }, 12, 4900, 0), person, "the attempts are spent");
        let looks = Outcome::Waiting { until: at(5010), reason: Reason::SettlingTime };
        assert_eq!(told(&looks, 3, 100, 0).0, DeliveryState::InDoubt, "it has looked, and looks again");
    }

    #[test]
    fn a_snooze_beyond_two_weeks_goes_to_a_person() {
        let outcome = Outcome::Snoozed { after: None, reason: Reason::RateLimited };
        let settled = settle(&held(1), &outcome, None, &POLICY, at(15 * 86_400), 0.0);
        assert_eq!((settled.state, settled.reason), (DeliveryState::Dead, Some(Reason::TooOld)));
    }

    #[test]
    fn faults_of_a_connection_hold_it_longer_each_time_up_to_a_bound() {
        let outcome = Outcome::ConnectionFault { reason: Reason::CredentialsRefused };
        let hold = |faults| {
            let held = Leased { connection_faults: faults, ..held(1) };
            let until = settle(&held, &outcome, None, &POLICY, at(0), 0.0).hold_until;
            until.map(|until| until.timestamp())
        };
        assert_eq!([hold(0), hold(1), hold(30)], [Some(30), Some(60), Some(900)]);
    }

    proptest::proptest! {
        #[test]
        fn no_outcome_ever_raises_attempts_above_those_held(attempts in 1_u32..40, row in 0_usize..9, doubt: bool) {
            let reason = Reason::Refused;
            let outcome = [
                Outcome::Done,
                Outcome::InStep,
                Outcome::Skipped { reason },
                Outcome::Waiting { until: at(5), reason },
                Outcome::Retryable { reason },
                Outcome::Snoozed { after: None, reason },
                Outcome::Ambiguous { reason },
                Outcome::Permanent { reason },
                Outcome::ConnectionFault { reason },
            ][row].clone();
            let settled = settle(&held(attempts), &outcome, doubt.then(|| at(1)), &POLICY, at(9), 0.5);
            proptest::prop_assert!(settled.attempts <= attempts);
            proptest::prop_assert!(settled.state != DeliveryState::Leased);
            let says_why = matches!(settled.state, DeliveryState::Skipped | DeliveryState::Dead);
            proptest::prop_assert!(!says_why || settled.reason.is_some());
        }
    }
}
