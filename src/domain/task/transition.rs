//! The heart: from an outcome to the task's next state. Pure, and the only judge.
//!
//! Attempts are numbered at claim, so a crash counts; what is not the attempt's fault gives its number back. `doubt`
//! is true while a begun action is not known to have ended: then no waiting state may look like a clean one.

use std::time::Duration;

use super::{
    outcome::{Outcome, Reason},
    retry::RetryPolicy,
    state::{LeasedTask, TaskState},
};
use crate::domain::Timestamp;

/// Actions in one task after which we stop believing that it will come to rest: a product with many variations needs
/// one each, nothing needs more than this.
pub const MAX_ACTIONS: u32 = 200;

/// How long a task may be snoozed in all before a person should know.
const MAX_SNOOZE: chrono::Duration = chrono::Duration::days(14);

/// The first and the longest hold of a connection whose credentials were refused. A person must act, so it is patient.
const CREDENTIALS_BACKOFF: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(15 * 60));

/// The same of one whose vendor is down: it comes back by itself, and a probe costs little.
const VENDOR_DOWN_BACKOFF: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// How long a connection is held for this reason, after so many holds in a row: doubled by each, up to a bound.
pub fn circuit_open_for(reason: Reason, faults: u32) -> Duration {
    let (first, longest) =
        if reason == Reason::VendorDown { VENDOR_DOWN_BACKOFF } else { CREDENTIALS_BACKOFF };
    first.saturating_mul(1 << faults.min(16)).min(longest)
}

/// What is written when an attempt ends, provided that no news came since its claim. With revision, a state that would
/// close the task becomes `pending`, and what would wait does not, both due at once: see `store::settling::settle`.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The next state.
    pub state: TaskState,
    /// Why, where there is a why.
    pub reason: Option<Reason>,
    /// When it may be claimed again; for a closed one, when it was closed.
    pub due_at: Timestamp,
    /// Attempts that count from now on.
    pub failures: u32,
    /// Actions done in this task.
    pub actions: u32,
    /// No claim for the whole connection before this time.
    pub circuit_open_until: Option<Timestamp>,
    /// It waits for the world, so news of the world end the wait; what backs off from a fault goes on backing off.
    pub is_waiting: bool,
}

/// What follows from `outcome`. `doubt`: since when a begun action is not known to have ended. `jitter` in 0..1.
pub fn transition(
    task: &LeasedTask,
    outcome: &Outcome,
    doubt: Option<Timestamp>,
    policy: &RetryPolicy,
    now: Timestamp,
    jitter: f64,
) -> Transition {
    let open = if doubt.is_some() { TaskState::InDoubt } else { TaskState::Pending };
    let attempts_before = task.failures.saturating_sub(1);
    let backoff = now + policy.backoff(task.failures, jitter);
    let next = Transition {
        state: open,
        reason: outcome.reason(),
        due_at: now,
        failures: task.failures,
        actions: task.actions,
        circuit_open_until: None,
        is_waiting: false,
    };
    let dead = |reason| Transition { state: TaskState::Dead, reason: Some(reason), ..next.clone() };
    let is_exhausted = task.failures >= policy.attempts;
    // A task that a person opened anew has its own time.
    let unknown_for = doubt.map(|since| now - since.max(task.created_at));
    let is_unknown_too_long =
        unknown_for.is_some_and(|age| age.to_std().is_ok_and(|age| age > policy.unknown_for));

    match outcome {
        // Whoever could not tell for so long will not tell by being asked once more.
        Outcome::Retryable { .. } | Outcome::Unknown { .. } | Outcome::Snoozed { .. }
            if is_unknown_too_long =>
        {
            dead(Reason::OutcomeUnknown)
        }
        Outcome::Retryable { .. } | Outcome::Unknown { .. } if is_exhausted && doubt.is_some() => {
            dead(Reason::OutcomeUnknown)
        }
        Outcome::Acted if task.actions + 1 >= MAX_ACTIONS => dead(Reason::NotConverging),
        Outcome::Acted => Transition { failures: 0, actions: task.actions + 1, ..next },
        Outcome::InSync => Transition { state: TaskState::Done, ..next },
        Outcome::Skipped { .. } => Transition { state: TaskState::Skipped, ..next },
        Outcome::Waiting { until, .. } => {
            Transition { due_at: *until, failures: attempts_before, is_waiting: true, ..next }
        }
        Outcome::Retryable { reason } | Outcome::Unknown { reason } if is_exhausted => dead(*reason),
        Outcome::Retryable { .. } => Transition { due_at: backoff, ..next },
        Outcome::Snoozed { .. } if now - task.created_at > MAX_SNOOZE => dead(Reason::SnoozedTooLong),
        Outcome::Snoozed { after, .. } => {
            let wait = after.map_or(policy.backoff(1, jitter), |asked| policy.clamp_retry_after(asked));
            Transition { due_at: now + wait, failures: attempts_before, ..next }
        }
        Outcome::Unknown { .. } => {
            Transition { state: TaskState::InDoubt, due_at: now + policy.recheck_delay, ..next }
        }
        Outcome::Permanent { reason } => dead(*reason),
        Outcome::ConnectionFault { .. } => {
            let until = now + circuit_open_for(Reason::CredentialsRefused, task.connection_faults);
            Transition { due_at: until, failures: attempts_before, circuit_open_until: Some(until), ..next }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        event::subject::{Priority, Subject},
        id::{ClaimId, TaskId},
    };

    const POLICY: RetryPolicy = RetryPolicy {
        base: Duration::from_secs(2),
        cap: Duration::from_secs(3600),
        attempts: 12,
        recheck_delay: Duration::from_secs(10),
        unknown_for: Duration::from_secs(3600),
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).expect("a small number of seconds")
    }

    fn task(failures: u32) -> LeasedTask {
        LeasedTask {
            id: TaskId(uuid::Uuid::nil()),
            claim: ClaimId(uuid::Uuid::nil()),
            connection: "kauppa".into(),
            subject: Subject::order("1"),
            priority: Priority(0),
            failures,
            number: failures,
            actions: 0,
            created_at: at(0),
            claimed_at: at(0),
            connected_at: at(0),
            connection_faults: 0,
        }
    }

    fn row(outcome: &Outcome, failures: u32, doubt: bool) -> (TaskState, i64, u32) {
        let settled = transition(&task(failures), outcome, doubt.then(|| at(90)), &POLICY, at(100), 0.0);
        (settled.state, (settled.due_at - at(100)).num_seconds(), settled.failures)
    }

    /// The second table of the house's error taxonomy, row by row: outcome × next state.
    #[test]
    fn every_outcome_leads_to_the_state_its_table_row_says() {
        use TaskState::{Dead, Done, InDoubt, Pending, Skipped};
        let reason = Reason::VendorFailed;
        let long = Some(Duration::from_secs(90));

        assert_eq!(row(&Outcome::Acted, 3, false), (Pending, 0, 0));
        assert_eq!(row(&Outcome::InSync, 3, false), (Done, 0, 3));
        assert_eq!(row(&Outcome::Skipped { reason }, 3, false), (Skipped, 0, 3));
        assert_eq!(row(&Outcome::Waiting { until: at(160), reason }, 3, false), (Pending, 60, 2));
        assert_eq!(row(&Outcome::Waiting { until: at(160), reason }, 3, true), (InDoubt, 60, 2));
        assert_eq!(row(&Outcome::Retryable { reason }, 3, false), (Pending, 8, 3));
        assert_eq!(row(&Outcome::Retryable { reason }, 3, true), (InDoubt, 8, 3));
        assert_eq!(row(&Outcome::Retryable { reason }, 12, false), (Dead, 0, 12));
        assert_eq!(row(&Outcome::Snoozed { after: long, reason }, 3, false), (Pending, 90, 2));
        assert_eq!(row(&Outcome::Snoozed { after: None, reason }, 12, false), (Pending, 2, 11));
        assert_eq!(row(&Outcome::Unknown { reason }, 3, true), (InDoubt, 10, 3));
        assert_eq!(row(&Outcome::Unknown { reason }, 12, true), (Dead, 0, 12));
        assert_eq!(row(&Outcome::Permanent { reason }, 1, false), (Dead, 0, 1));
        assert_eq!(row(&Outcome::ConnectionFault { reason }, 12, false), (Pending, 30, 11));
    }

    #[test]
    fn a_task_that_never_comes_to_rest_ends_dead() {
        let not_converging = LeasedTask { actions: MAX_ACTIONS - 1, ..task(1) };
        let settled = transition(&not_converging, &Outcome::Acted, None, &POLICY, at(1), 0.0);
        assert_eq!((settled.state, settled.reason), (TaskState::Dead, Some(Reason::NotConverging)));
    }

    #[test]
    fn an_outcome_that_stays_unknown_goes_to_a_person_and_a_replay_has_its_own_time() {
        let reason = Reason::VendorFailed;
        let told = |outcome: &Outcome, failures, since, created| {
            let task = LeasedTask { created_at: at(created), ..task(failures) };
            let settled = transition(&task, outcome, Some(at(since)), &POLICY, at(5000), 0.0);
            (settled.state, settled.reason)
        };
        let person = (TaskState::Dead, Some(Reason::OutcomeUnknown));
        let asked = (TaskState::InDoubt, Some(reason));
        let grace_period = Outcome::Snoozed { after: None, reason };
        for outcome in [Outcome::Retryable { reason }, Outcome::Unknown { reason }, grace_period] {
            assert_eq!(told(&outcome, 3, 100, 0), person, "{outcome:?}");
            assert_eq!(told(&outcome, 3, 4900, 0), asked, "{outcome:?}: not so long yet");
            assert_eq!(told(&outcome, 3, 100, 4900), asked, "{outcome:?}: asked anew");
        }
        assert_eq!(told(&Outcome::Retryable { reason }, 12, 4900, 0), person, "the attempts are spent");
        let looks = Outcome::Waiting { until: at(5010), reason: Reason::SettlingTime };
        assert_eq!(told(&looks, 3, 100, 0).0, TaskState::InDoubt, "it has looked, and looks again");
    }

    #[test]
    fn a_snooze_beyond_two_weeks_goes_to_a_person() {
        let outcome = Outcome::Snoozed { after: None, reason: Reason::RateLimited };
        let settled = transition(&task(1), &outcome, None, &POLICY, at(15 * 86_400), 0.0);
        assert_eq!((settled.state, settled.reason), (TaskState::Dead, Some(Reason::SnoozedTooLong)));
    }

    #[test]
    fn faults_of_a_connection_hold_it_longer_each_time_up_to_a_bound() {
        let outcome = Outcome::ConnectionFault { reason: Reason::CredentialsRefused };
        let hold = |faults| {
            let task = LeasedTask { connection_faults: faults, ..task(1) };
            let until = transition(&task, &outcome, None, &POLICY, at(0), 0.0).circuit_open_until;
            until.map(|until| until.timestamp())
        };
        assert_eq!([hold(0), hold(1), hold(30)], [Some(30), Some(60), Some(900)]);
    }

    proptest::proptest! {
        #[test]
        fn no_outcome_ever_raises_failures_above_those_held(failures in 1_u32..40, row in 0_usize..9, doubt: bool) {
            let reason = Reason::Refused;
            let outcome = [
                Outcome::Acted,
                Outcome::InSync,
                Outcome::Skipped { reason },
                Outcome::Waiting { until: at(5), reason },
                Outcome::Retryable { reason },
                Outcome::Snoozed { after: None, reason },
                Outcome::Unknown { reason },
                Outcome::Permanent { reason },
                Outcome::ConnectionFault { reason },
            ][row].clone();
            let settled = transition(&task(failures), &outcome, doubt.then(|| at(1)), &POLICY, at(9), 0.5);
            proptest::prop_assert!(settled.failures <= failures);
            proptest::prop_assert!(settled.state != TaskState::Leased);
            let says_why = matches!(settled.state, TaskState::Skipped | TaskState::Dead);
            proptest::prop_assert!(!says_why || settled.reason.is_some());
        }
    }
}
