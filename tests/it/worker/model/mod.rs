//! The state machine as a model: what the statements of `store` do to rows, in memory, around the real decisions
//! (`transition::transition`, `BegunAction::next_read_at`), with workers that stop between any two of their steps and a
//! vendor that answers late, twice, wrongly or not at all.
//!
//! The tests show three things. Thousands of random histories break no invariant. The same property **can** fail: it
//! catches each mutant of the machine that lacks one guard. And the model is realistic: PostgreSQL, led through the same
//! histories, has the same rows after every step.

pub mod machine;
pub mod mutants;
mod postgres;
pub mod step;
pub mod world;
