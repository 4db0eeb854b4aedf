//! Everything that answers HTTP for people and tools: the server, health checks, metrics, the admin API and the
//! dashboard.

pub mod api;
pub mod client_ip;
pub mod dashboard;
pub mod health;
mod metrics;
mod parameters;
pub mod problem;
pub mod server;
