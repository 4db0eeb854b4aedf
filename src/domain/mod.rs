//! Nouns and laws: what Silta knows about the world, without a wire, a table or a clock.
//!
//! A *webhook* is news; a *delivery* is the one open debt of a *subject*. Everything in this room is pure: time and
//! chance come in as arguments, and nothing here can fail for a reason outside the arguments.
//!
//! The life of a delivery, which [`settlement::settle`] judges and the constraints of `migrations/0002_delivery.sql`
//! defend:
//!
//! ```text
//!  pending ──claim──▶ leased ──settle──▶ delivered | skipped        (closed, good)
//!     ▲                 │ ├──────────▶ pending    (a deed done: look again · retry · snooze · news since the claim)
//!     │                 │ ├──────────▶ in_doubt   (maybe heard: look before anything is sent again)
//!  resolve              │ └──────────▶ dead       (closed: a person must look)
//!     │                 └──rescue────▶ in_doubt   (the lease ran out: a crash in mid-call is a maybe)
//!  in_doubt ──resolve──▶ delivered | pending        pending | in_doubt ──control──▶ cancelled
//! ```
//!
//! The business itself is three functions, one per kind of subject: [`order::decide`], [`stock::decide`] and
//! [`product::decide`]. Each takes a view of both systems as they are now and answers the one thing to do next.

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
