//! Everything that answers HTTP for people and tools: the server, health checks, the admin API and the dashboard.

pub mod api;
pub mod dashboard;
pub mod health;
pub mod problem;
pub mod server;
