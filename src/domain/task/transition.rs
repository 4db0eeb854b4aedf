//! Decides a task's next state from the outcome of an attempt.
//!
//! ```text
//!  pending ──claim──▶ leased ──settle──▶ done | skipped     (closed)
//!     ▲                 │ ├───────────▶ pending             (acted · retry · snooze · revision raised)
//!     │                 │ ├───────────▶ in_doubt            (maybe applied: read before anything is sent)
//!  resolve              │ └───────────▶ dead                (closed: needs attention)
//!     │                 └──rescue─────▶ in_doubt            (the lease ran out)
//!  in_doubt ──resolve──▶ done | pending       pending | in_doubt ──cancel──▶ cancelled
//! ```
//!
//! [`transition`] decides what an outcome means. It cannot know whether an event raised the task's revision since the
//! claim, nor whether the claim still holds: the statements know. SQL only applies, by this table:
//!
//! | statement | the task is | the row says | next |
//! |---|---|---|---|
//! | `store::settle` | leased by this claim | the same revision | as `transition` decided |
//! | | | raised, and it would close | pending, due now, no failures: the attempt did not see the new event |
//! | | | raised, and it would wait | as decided, but due now |
//! | | | raised, and it would back off | as decided: a new event repairs no fault |
//! | | not leased by this claim | | nothing is written: the fence |
//! | `store::tasks::release` | leased, never started | | as before the claim, its failure not counted |
//! | `store::tasks::defer` | leased, its first call did not get its turn | | as before the claim; nothing is counted |
//! | `store::tasks::rescue_expired` | leased, the lease ran out | | in doubt, due now |
//! | | | the same revision, failures at the limit | dead |
//! | `store::ingest` | pending without failures | an event | due no later than the event |
//! | | pending with failures, leased, in doubt | an event | only the revision is raised |
//! | | closed, or there is none | an event | a new pending task |
//!
//! What operators decide (`resolve`, `cancel`, `replay`) is in `actions`.
//!
//! Failures are counted when a task is claimed, so a crash counts; what is not the attempt's fault is subtracted
//! again. While an action is begun and not known to have ended, every open state is `in_doubt`.

use std::time::Duration;

use super::{
    outcome::Outcome,
    reason::Reason,
    retry::{RetryPolicy, doubled},
    state::{LeasedTask, TaskState},
};
use crate::domain::Timestamp;

/// Actions for one task without a new event after which the vendors count as not converging: a product with many
/// variations needs one each, nothing needs more than this. A claim at a new revision begins at zero (`store::claim`): a
/// code that sells all day is busy, and converges each time.
pub const MAX_ACTIONS: u32 = 200;

/// How long after its opening a task may still be put off without counting a failure; then it needs attention.
const MAX_SNOOZE: chrono::Duration = chrono::Duration::days(14);

/// How often in a row. A long backlog at a low rate puts its last tasks off a hundred times; nothing needs this many.
const MAX_SNOOZES: u32 = 1000;

/// How long the circuit is open after refused credentials, at first and at most. Somebody must renew them, so there
/// is no hurry.
const CREDENTIALS_BACKOFF: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(15 * 60));

/// How long the circuit is open while a vendor is down, at first and at most. It recovers by itself, and a probe is
/// cheap.
const VENDOR_DOWN_BACKOFF: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// The longest time that a circuit is open.
pub const LONGEST_CIRCUIT: Duration = CREDENTIALS_BACKOFF.1;

/// The longest time that a circuit is open because a vendor is down.
pub const LONGEST_OUTAGE_CIRCUIT: Duration = VENDOR_DOWN_BACKOFF.1;

/// How long a circuit is open for this reason after `faults` faults in a row: doubled by each, up to a
/// bound.
pub fn circuit_open_for(reason: Reason, faults: u32) -> Duration {
    doubled(if reason == Reason::VendorDown { VENDOR_DOWN_BACKOFF } else { CREDENTIALS_BACKOFF }, faults)
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub struct AttemptEnd<'a> {
    /// What it came to.
    pub outcome: &'a Outcome,
    /// Since when a begun action is not known to have ended.
    pub in_doubt_since: Option<Timestamp>,
    /// It was not its turn at a vendor, so it goes on waiting where it was. Not so after a vendor's own 429: a subject that
    /// draws one each time would stand in front for ever.
    pub keeps_place: bool,
    /// When it ended.
    pub at: Timestamp,
    /// Spreads retries, in 0..1.
    pub jitter: f64,
}

/// A task's next state, provided that its revision is the one that was claimed.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The next state.
    pub state: TaskState,
    /// Why, where there is a reason.
    pub reason: Option<Reason>,
    /// When it may be claimed again; for a closed one, when it was closed.
    pub due_at: Timestamp,
    /// Failures that count towards the limit from now on.
    pub failures: u32,
    /// Actions performed for this task.
    pub actions: u32,
    /// Attempts in a row that were snoozed and do not count as failures.
    pub snoozes: u32,
    /// No task of the connection is claimed before this time.
    pub circuit_open_until: Option<Timestamp>,
    /// True where a new event ends the wait. A backoff after a fault goes on.
    pub is_waiting: bool,
}

/// Decides the next state of a task.
pub fn transition(task: &LeasedTask, end: &AttemptEnd<'_>, policy: &RetryPolicy) -> Transition {
    let AttemptEnd { outcome, in_doubt_since, at, jitter, .. } = *end;
    let next = Transition {
        state: if in_doubt_since.is_some() { TaskState::InDoubt } else { TaskState::Pending },
        reason: outcome.reason(),
        due_at: at,
        failures: task.failures,
        actions: task.actions,
        snoozes: task.snoozes,
        circuit_open_until: None,
        is_waiting: false,
    };
    let dead = |reason| Transition { state: TaskState::Dead, reason: Some(reason), ..next.clone() };
    let failures_before = task.failures.saturating_sub(1);
    let is_exhausted = task.failures >= policy.attempts;
    let is_snoozed_too_long = at - task.created_at > MAX_SNOOZE || task.snoozes + 1 >= MAX_SNOOZES;
    match outcome {
        // A vendor that goes on saying no has answered: this is not unknown, whatever an earlier call was.
        Outcome::Retryable { reason: Reason::Conflict } if is_exhausted => dead(Reason::Conflict),
        // Unknown for too long: stop retrying and ask an operator.
        Outcome::Retryable { .. } | Outcome::Unknown { .. } | Outcome::Snoozed { .. }
            if is_unknown_too_long(task, end, policy) =>
        {
            dead(Reason::OutcomeUnknown)
        }
        Outcome::Retryable { .. } | Outcome::Unknown { .. } if is_exhausted && in_doubt_since.is_some() => {
            dead(Reason::OutcomeUnknown)
        }
        Outcome::Acted if task.actions + 1 >= MAX_ACTIONS => dead(Reason::NotConverging),
        Outcome::Acted => Transition { failures: 0, snoozes: 0, actions: task.actions + 1, ..next },
        Outcome::InSync => Transition { state: TaskState::Done, ..next },
        Outcome::Skipped { .. } => Transition { state: TaskState::Skipped, ..next },
        Outcome::Waiting { until, .. } => {
            Transition { due_at: *until, failures: failures_before, is_waiting: true, ..next }
        }
        Outcome::Retryable { reason } | Outcome::Unknown { reason } if is_exhausted => dead(*reason),
        Outcome::Retryable { .. } => {
            Transition { due_at: at + policy.backoff(task.failures, jitter), ..next }
        }
        Outcome::Snoozed { .. } | Outcome::ConnectionFault { .. } if is_snoozed_too_long => {
            dead(Reason::SnoozedTooLong)
        }
        Outcome::Snoozed { .. } if end.keeps_place => Transition {
            due_at: task.due_at.min(at),
            failures: failures_before,
            snoozes: task.snoozes + 1,
            ..next
        },
        Outcome::Snoozed { after, .. } => {
            let wait = after.map_or(policy.backoff(1, jitter), |asked| policy.clamp_retry_after(asked));
            Transition { due_at: at + wait, failures: failures_before, snoozes: task.snoozes + 1, ..next }
        }
        Outcome::Unknown { .. } => {
            Transition { state: TaskState::InDoubt, due_at: at + policy.recheck_delay, ..next }
        }
        Outcome::Permanent { reason } => dead(*reason),
        Outcome::ConnectionFault { .. } => {
            let until = at + circuit_open_for(Reason::CredentialsRefused, task.connection_faults);
            Transition {
                due_at: until,
                failures: failures_before,
                snoozes: task.snoozes + 1,
                circuit_open_until: Some(until),
                ..next
            }
        }
    }
}

/// True where an outcome has stayed unknown for longer than `[retry] unknown_for`. A task that an operator opened
/// again has its own time.
fn is_unknown_too_long(task: &LeasedTask, end: &AttemptEnd<'_>, policy: &RetryPolicy) -> bool {
    let unknown_for = end.in_doubt_since.map(|since| end.at - since.max(task.created_at));
    unknown_for.is_some_and(|age| age.to_std().is_ok_and(|age| age > policy.unknown_for))
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
            has_risen: false,
            failures,
            number: failures,
            actions: 0,
            created_at: at(0),
            due_at: at(0),
            claimed_at: at(0),
            connected_at: at(0),
            connection_faults: 0,
            snoozes: 0,
            suspects: Vec::new(),
        }
    }

    fn next(
        task: &LeasedTask,
        outcome: &Outcome,
        in_doubt_since: Option<Timestamp>,
        at: Timestamp,
    ) -> Transition {
        transition(
            task,
            &AttemptEnd { outcome, in_doubt_since, keeps_place: false, at, jitter: 0.0 },
            &POLICY,
        )
    }

    fn row(outcome: &Outcome, failures: u32, is_in_doubt: bool) -> (TaskState, i64, u32) {
        let next = next(&task(failures), outcome, is_in_doubt.then(|| at(90)), at(100));
        (next.state, (next.due_at - at(100)).num_seconds(), next.failures)
    }

    /// The second table of the error taxonomy, row by row: outcome × next state.
    #[test]
    fn every_outcome_leads_to_the_state_in_its_table_row() {
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
    fn task_that_does_not_converge_ends_dead() {
        let not_converging = LeasedTask { actions: MAX_ACTIONS - 1, ..task(1) };
        let next = next(&not_converging, &Outcome::Acted, None, at(1));
        assert_eq!((next.state, next.reason), (TaskState::Dead, Some(Reason::NotConverging)));
    }

    #[test]
    fn outcome_unknown_for_too_long_ends_dead_and_a_replay_has_its_own_time() {
        let reason = Reason::VendorFailed;
        let state = |outcome: &Outcome, failures, since, created| {
            let task = LeasedTask { created_at: at(created), ..task(failures) };
            let next = next(&task, outcome, Some(at(since)), at(5000));
            (next.state, next.reason)
        };
        let dead = (TaskState::Dead, Some(Reason::OutcomeUnknown));
        let open = (TaskState::InDoubt, Some(reason));
        let snoozed = Outcome::Snoozed { after: None, reason };
        for outcome in [Outcome::Retryable { reason }, Outcome::Unknown { reason }, snoozed] {
            assert_eq!(state(&outcome, 3, 100, 0), dead, "{outcome:?}");
            assert_eq!(state(&outcome, 3, 4900, 0), open, "{outcome:?}: not for long");
            assert_eq!(state(&outcome, 3, 100, 4900), open, "{outcome:?}: a replay");
        }
        assert_eq!(state(&Outcome::Retryable { reason }, 12, 4900, 0), dead, "the attempts are used up");
        let waiting = Outcome::Waiting { until: at(5010), reason: Reason::SettlingTime };
        assert_eq!(state(&waiting, 3, 100, 0).0, TaskState::InDoubt, "it was read, and is read again");
    }

    #[test]
    fn snooze_beyond_two_weeks_ends_dead() {
        let outcome = Outcome::Snoozed { after: None, reason: Reason::RateLimited };
        let next = next(&task(1), &outcome, None, at(15 * 86_400));
        assert_eq!((next.state, next.reason), (TaskState::Dead, Some(Reason::SnoozedTooLong)));
    }

    #[test]
    fn attempts_are_snoozed_a_bounded_number_of_times() {
        let snoozed = Outcome::Snoozed { after: None, reason: Reason::RateLimited };
        for outcome in [snoozed, Outcome::ConnectionFault { reason: Reason::CredentialsRefused }] {
            let mut leased = task(1);
            let mut snoozed_times = 0;
            let end = loop {
                let next = next(&leased, &outcome, None, at(1));
                if next.state != TaskState::Pending {
                    break next;
                }
                snoozed_times += 1;
                assert_eq!((next.failures, next.snoozes), (0, snoozed_times));
                leased.snoozes = next.snoozes;
            };
            assert_eq!((end.state, end.reason), (TaskState::Dead, Some(Reason::SnoozedTooLong)));
            assert_eq!(snoozed_times, MAX_SNOOZES - 1);
        }
        let acted = next(&LeasedTask { snoozes: 900, ..task(1) }, &Outcome::Acted, None, at(1));
        assert_eq!(acted.snoozes, 0, "an action ends the row");
    }

    #[test]
    fn conflict_that_stays_is_a_no_and_not_an_unknown() {
        let conflict = Outcome::Retryable { reason: Reason::Conflict };
        let end = |failures, in_doubt: Option<i64>| {
            let next = next(&task(failures), &conflict, in_doubt.map(at), at(5000));
            (next.state, next.reason)
        };
        assert_eq!(end(11, None), (TaskState::Pending, Some(Reason::Conflict)));
        assert_eq!(end(12, None), (TaskState::Dead, Some(Reason::Conflict)));
        assert_eq!(end(12, Some(4900)), (TaskState::Dead, Some(Reason::Conflict)), "whatever came before");
    }

    #[test]
    fn connection_faults_open_the_circuit_longer_up_to_a_bound() {
        let outcome = Outcome::ConnectionFault { reason: Reason::CredentialsRefused };
        let open_until = |faults| {
            let task = LeasedTask { connection_faults: faults, ..task(1) };
            next(&task, &outcome, None, at(0)).circuit_open_until.map(|until| until.timestamp())
        };
        assert_eq!([open_until(0), open_until(1), open_until(30)], [Some(30), Some(60), Some(900)]);
    }

    proptest::proptest! {
        #[test]
        fn no_outcome_raises_the_failures(failures in 1_u32..40, row in 0_usize..9, is_in_doubt: bool) {
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
            let next = next(&task(failures), &outcome, is_in_doubt.then(|| at(1)), at(9));
            proptest::prop_assert!(next.failures <= failures);
            proptest::prop_assert!(next.state != TaskState::Leased);
            let needs_reason = matches!(next.state, TaskState::Skipped | TaskState::Dead);
            proptest::prop_assert!(!needs_reason || next.reason.is_some());
        }
    }
}
