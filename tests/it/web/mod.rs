//! The admin API, the dashboard and the HTTP server.

mod api;
mod attention;
mod bodies;
pub mod browser;
mod connection_work;
mod connections;
mod dashboard;
mod handled;
mod long_lists;
mod no_dead_ends;
mod order_remedies;
pub mod orders;
mod products;
mod releases;
mod replays;
mod server;
pub mod session;
mod undo;
mod viewers;
