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
    transition(task, &AttemptEnd { outcome, in_doubt_since, keeps_place: false, at, jitter: 0.0 }, &POLICY)
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
fn task_whose_turn_has_not_come_keeps_its_place() {
    let outcome = Outcome::Snoozed { after: Some(Duration::from_secs(9)), reason: Reason::RateLimited };
    let waits_since_40 = LeasedTask { due_at: at(40), ..task(3) };
    let row = |keeps_place, at: Timestamp| {
        let end = AttemptEnd { outcome: &outcome, in_doubt_since: None, keeps_place, at, jitter: 0.0 };
        let next = transition(&waits_since_40, &end, &POLICY);
        (next.state, next.due_at.timestamp(), next.failures, next.snoozes)
    };
    assert_eq!(row(true, at(100)), (TaskState::Pending, 40, 2, 1));
    assert_eq!(row(false, at(100)), (TaskState::Pending, 109, 2, 1), "the vendor's own 429");
    assert_eq!(row(true, at(30)), (TaskState::Pending, 30, 2, 1), "a clock that was set back");
    assert_eq!(row(true, at(15 * 86_400)).0, TaskState::Dead, "not for ever");
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
