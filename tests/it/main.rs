//! Everything with I/O, in one binary: a real PostgreSQL, the sandbox systems over real HTTP, the worker cranked by hand.

mod harness;

mod admin;
mod architecture;
mod configuration;
mod deliver;
mod doubt;
mod process;
mod receive;
mod schema;
mod sweep;
mod work;
