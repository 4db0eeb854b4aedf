//! Everything with I/O in one binary: a real PostgreSQL, the sandbox vendors over real HTTP, the worker advanced by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue should say where")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests use real time, their own HTTP client and their own tokio tasks"
)]

mod harness;

mod catalogue;
mod inbox;
mod meta;
mod ops;
mod orders;
mod sync;
mod web;
mod worker;
