//! Everything with I/O, in one binary: a real PostgreSQL, the sandbox vendors over real HTTP, the worker cranked by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test stands outside: real time, its own client, its own tasks"
)]

mod harness;

mod admin;
mod alerts;
mod architecture;
mod browser;
mod burden;
mod catalogue;
mod compare;
mod configuration;
mod connect;
mod dashboard;
mod deliver;
mod door;
mod doubt;
mod drift;
mod failures;
mod fuzz_seeds;
mod golden_orders;
mod ledger;
mod model;
mod once;
mod orders;
mod papers;
mod poison;
mod porch;
mod process;
mod receive;
mod reload;
mod restore;
mod retention;
mod schema;
mod sending;
mod snapshot;
mod standby;
mod stock;
mod sweep;
mod upgrade;
mod work;
