//! What Silta knows about orders, products, stock and tasks: pure, without I/O, clock or SQL.
//!
//! Time and randomness come in as arguments, and a function fails only because of its arguments.
//!
//! The business logic is three functions, one per kind of subject: [`order::decide`], [`stock::decide`] and
//! [`product::decide`]. Each takes both sides as they are now and returns the one thing to do next. What an
//! attempt's outcome means for its task is decided by [`task::transition`].

pub mod alert;
pub mod call_figures;
pub mod check;
pub mod configuration_watch;
pub mod conflict;
pub mod connection_work;
pub mod difference;
pub mod digest;
pub mod event;
pub mod failed_call;
pub mod histogram;
pub mod id;
pub mod language;
pub mod order;
pub mod order_rate;
pub mod page_walk;
pub mod plain_text;
pub mod product;
pub mod public_url;
pub mod rate_limit;
pub mod redact;
pub mod setting;
pub mod shipping;
pub mod stock;
pub mod stock_figures;
pub mod suggestion;
pub mod switch;
pub mod sync;
pub mod sync_schedule;
pub mod task;
pub mod time_window;
mod timestamp;
pub mod vendor;
pub mod vendor_pages;
pub mod viewer_mask;

pub use timestamp::Timestamp;
