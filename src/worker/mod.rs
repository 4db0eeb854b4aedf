//! Runs tasks: claims due ones, executes their flow, settles the result.
//!
//! ```text
//! claim (committed) ─▶ flow reads, decides, performs one action (no transaction open) ─▶ settle (one statement, fenced)
//! ```
//!
//! What a crash leaves behind, at each point:
//!
//! - before the claim commits: nothing happened, and the task is still due;
//! - after the claim, before a call: the lease runs out, the rescue marks the task in doubt, the next attempt reads both
//!   sides and acts;
//! - after an action was begun, before or during its call: the same, and the begun action in the subject state makes the
//!   next attempt read twice, a settling time apart, before it sends again;
//! - after the call, before the settle commits: the same, and the read finds the action's effect;
//! - after the settle commits: the attempt is recorded and nothing is left to do.
//!
//! A worker that was suspended (a long pause, a lost network) until after its rescue can neither settle nor begin an
//! action: both statements name the claim id, which the rescue has cleared.
//!
//! Guaranteed: at least once, in order per subject; the effect once, because every attempt reads before it sends. Not
//! guaranteed: a single effect at a vendor that applies a request minutes after answering 504 and hides it from its own
//! search until then. No client of such a vendor can guarantee that.

mod agenda;
mod attempt;
mod beginner;
mod circuit_breaker;
mod claim;
mod deps;
mod doubt_watch;
mod ended_attempt;
mod metrics;
mod probe;
mod run;
mod settler;
mod slots;
mod task_store;
mod watermark;
mod write_gate;

pub use deps::{Deps, FlowFor, Options};
pub use metrics::Metrics;
pub use run::Worker;
