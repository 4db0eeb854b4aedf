//! The state machine as a model: what the statements of `store` do to rows, in memory, around the true judges
//! (`transition::transition`, `BegunAction::next_read_at`), with workers that stop between any two of their steps and a far side that
//! answers late, twice, wrongly or not at all.
//!
//! Three things are shown. Thousands of random histories break no invariant. The same property **can** fail: each mutant
//! of the machine, one guard less, is caught by it. And the model is no fairy tale: PostgreSQL, led through the same
//! histories, has the same rows after every step.

mod machine;
mod mirror;
mod world;

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use world::{Step, World};

/// A machine with one guard less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    /// As it is.
    None,
    /// A settle does not ask whose claim it is.
    SettleWithoutFence,
    /// A rescue leaves the fence standing, and the next claim takes it over.
    RescueWithoutFence,
    /// A settle does not look for news.
    SettleWithoutNews,
    /// Whether an event is known is asked before the transaction that stores it.
    DuplicateCheckOutside,
    /// The answer comes before the commit.
    AnswerBeforeCommit,
    /// Nothing forbids a second open task.
    SecondOpenTask,
    /// The intent to send is not committed before the call.
    NothingBegun,
    /// An action is begun whoever holds the lease, and however late: either guard alone would do.
    BeginWithoutFence,
    /// What overwrites is not asked whether the lease is still ours, nor how late it is: either guard alone would do.
    OverwriteWithoutFence,
    /// A call is made however late it is.
    CallAfterTheLease,
    /// After an unknown outcome it is sent again at once.
    ResendAtOnce,
    /// A rescue that spends the last attempt does not look for news.
    DeadForgetsNews,
    /// A crash does not count as an attempt.
    CrashDoesNotCount,
}

const MUTANTS: [Mutant; 13] = [
    Mutant::SettleWithoutFence,
    Mutant::RescueWithoutFence,
    Mutant::SettleWithoutNews,
    Mutant::DuplicateCheckOutside,
    Mutant::AnswerBeforeCommit,
    Mutant::SecondOpenTask,
    Mutant::NothingBegun,
    Mutant::BeginWithoutFence,
    Mutant::OverwriteWithoutFence,
    Mutant::CallAfterTheLease,
    Mutant::ResendAtOnce,
    Mutant::DeadForgetsNews,
    Mutant::CrashDoesNotCount,
];

fn histories() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(world::step(), 1..120)
}

/// Plays a history step by step, then lets everything come to rest, and looks at the invariants all the way.
fn holds(mutant: Mutant, history: &[Step]) -> Result<(), TestCaseError> {
    let mut world = World::new(mutant);
    for step in history {
        world.play(step);
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
    runner(4000).run(&histories(), |history| holds(Mutant::None, &history)).unwrap();
}

#[test]
fn every_mutant_is_caught_by_the_same_property() {
    let mut survivors = Vec::new();
    for mutant in MUTANTS {
        let caught = runner(60_000).run(&histories(), |history| holds(mutant, &history));
        if caught.is_ok() {
            survivors.push(mutant);
        }
    }
    assert_eq!(survivors, []);
}
