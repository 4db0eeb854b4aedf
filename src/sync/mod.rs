//! The sync: a full comparison of both sides that fixes what differs.
//!
//! Events cannot show what no event announced. So on a schedule, and on request, everything is read on both sides, and
//! the function that decides about one subject is asked about each. Whatever it would act on is a difference. A
//! difference that Silta can fix becomes an ordinary task, which reads both sides again before it acts; any other is
//! reported with its remedy.
//!
//! ```text
//! read_warehouse ─▶ read_shop ─▶ find_differences ─▶ fix ─▶ end
//!  into rows         page by page  among what is       unless it would fix too much
//!                                  left over           at once: then an operator approves
//! ```
//!
//! - **Bounded memory.** The warehouse is read into rows of the database; the shop's catalogue is registered there anyway.
//! - **Resumable.** A sync is a row under a lease, with its step and page. Another process resumes one whose process died.
//! - **Low priority.** It uses the rate limits that live calls leave, and the tasks it opens are claimed last.
//! - **No mass change without approval.** Fixing comes last. A truncated list, or a feed that fell to zero, shows as a
//!   large share of one kind of difference, and then nothing is fixed until an operator approves (`fix.rs`).

mod deps;
mod dry_run;
mod error;
mod fix;
mod order_difference;
mod orders;
mod products;
mod read_retries;
mod run;
mod scheduler;
mod steps;
mod stock;
mod syncer;
mod task_store;

pub use deps::Deps;
pub use dry_run::{DryRunner, PlannedAttempt};
pub use fix::FIXABLE_DIFFERENCES;
pub use run::OnProgress;
pub use syncer::Syncer;
