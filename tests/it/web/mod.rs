//! The admin API, the dashboard and the HTTP server.

mod api;
mod bodies;
pub mod browser;
mod connections;
mod dashboard;
mod releases;
mod replays;
mod server;
pub mod session;
mod viewers;
