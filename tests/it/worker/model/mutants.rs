//! Random histories break no invariant, and each mutant of the machine is caught by the same property.

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};

use super::{
    step::{Step, step},
    world::World,
};

/// A variant of the machine that lacks one guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// The machine as it is.
    None,
    /// A settle does not check the claim id.
    SettleWithoutFence,
    /// A rescue keeps the claim id, and the next claim reuses it.
    RescueWithoutFence,
    /// A settle does not check the revision.
    SettleWithoutRevision,
    /// The duplicate check runs before the transaction that stores the event.
    DuplicateCheckOutside,
    /// The webhook is answered before the commit.
    AnswerBeforeCommit,
    /// A subject may have a second open task.
    SecondOpenTask,
    /// The begun action is not committed before the call.
    NoBegunAction,
    /// An action is begun without the fence.
    BeginWithoutFence,
    /// An action is begun under the fence, and its call is made at any time before the lease ends.
    CallLongAfterItsBegin,
    /// A call that overwrites does not check the fence.
    OverwriteWithoutFence,
    /// After an unknown outcome the action is sent again at once.
    ResendAtOnce,
    /// What an attempt finding is ordered by the clocks of its workers.
    OrderedByClocks,
    /// A repeat waits for a time to pass and for no reads.
    SettlesByTheClockAlone,
    /// A rescue that spends the last attempt does not check the revision.
    DeadIgnoresRevision,
    /// A crash does not count as a failure.
    CrashDoesNotCount,
}

const MUTANTS: [Mutant; 15] = [
    Mutant::ResendAtOnce,
    Mutant::DeadIgnoresRevision,
    Mutant::CrashDoesNotCount,
    Mutant::OrderedByClocks,
    Mutant::SettlesByTheClockAlone,
    Mutant::SettleWithoutFence,
    Mutant::RescueWithoutFence,
    Mutant::SettleWithoutRevision,
    Mutant::DuplicateCheckOutside,
    Mutant::AnswerBeforeCommit,
    Mutant::SecondOpenTask,
    Mutant::NoBegunAction,
    Mutant::BeginWithoutFence,
    Mutant::CallLongAfterItsBegin,
    Mutant::OverwriteWithoutFence,
];

fn histories() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..120)
}

/// Runs a history step by step, then until everything is settled; checks the invariants after each step.
fn check_history(mutant: Mutant, history: &[Step]) -> Result<(), TestCaseError> {
    let mut world = World::new(mutant);
    for step in history {
        world.run_step(step);
        world.check().map_err(TestCaseError::fail)?;
    }
    world.run_until_settled();
    world.check().map_err(TestCaseError::fail)?;
    world.check_settled().map_err(TestCaseError::fail)
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    TestRunner::new(config)
}

#[test]
fn random_histories_lose_and_duplicate_nothing() {
    runner(4000).run(&histories(), |history| check_history(Mutant::None, &history)).unwrap();
}

#[test]
fn every_mutant_is_caught_by_the_same_property() {
    let mut survivors = Vec::new();
    for mutant in MUTANTS {
        let caught = runner(60_000).run(&histories(), |history| check_history(mutant, &history));
        if caught.is_ok() {
            survivors.push(mutant);
        }
    }
    assert_eq!(survivors, []);
}
