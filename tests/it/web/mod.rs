//! The admin API, the dashboard and the HTTP server.

mod api;
mod attention;
mod bodies;
pub mod browser;
mod connections;
mod dashboard;
mod products;
mod long_lists;
mod releases;
mod replays;
mod server;
pub mod session;
mod viewers;
