//! Everything that answers HTTP for people and tools: the server, health checks, metrics, the admin API and the
//! dashboard.

mod address_slots;
pub mod api;
mod cached;
pub mod client_ip;
mod connection;
pub mod dashboard;
pub mod health;
mod metrics;
mod parameters;
pub mod problem;
pub mod request_body;
mod request_head;
pub mod request_id;
pub mod response_headers;
pub mod server;
