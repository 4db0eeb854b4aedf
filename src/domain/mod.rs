//! Nouns and laws: what Silta knows about the world, without a wire, a table or a clock.
//!
//! A *webhook* is news; a *task* is the one open task of a *subject*. Everything in this room is pure: time and
//! chance come in as arguments, and nothing here can fail for a reason outside the arguments.
//!
//! The life of a task, which [`transition::transition`] judges and the constraints of `migrations/0002_task.sql`
//! defend:
//!
//! ```text
//!  pending ──claim──▶ leased ──settle──▶ done | skipped        (closed, good)
//!     ▲                 │ ├──────────▶ pending    (an action done: look again · retry · snooze · news since the claim)
//!     │                 │ ├──────────▶ in_doubt   (maybe heard: look before anything is sent again)
//!  resolve              │ └──────────▶ dead       (closed: a person must look)
//!     │                 └──rescue────▶ in_doubt   (the lease ran out: a crash in mid-call is a maybe)
//!  in_doubt ──resolve──▶ done | pending        pending | in_doubt ──control──▶ cancelled
//! ```
//!
//! The business itself is three functions, one per kind of subject: [`order::decide`], [`stock::decide`] and
//! [`product::decide`]. Each takes a view of both vendors as they are now and answers the one thing to do next.

pub mod alert;
pub mod difference;
pub mod event;
pub mod id;
pub mod language;
pub mod order;
pub mod order_rate;
pub mod product;
pub mod rate_limit;
pub mod shipping;
pub mod stock;
pub mod sync;
pub mod task;
pub mod time_window;
pub mod vendor;

/// Every point in time in Silta, in UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
