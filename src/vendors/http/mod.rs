//! One HTTP client for both vendors: rate limits, bounded bodies, recorded calls, and what an error means.

mod answer_memory;
pub mod call;
pub mod call_log;
mod call_span;
pub mod client;
pub mod connection_start;
mod connector;
pub mod dns;
pub mod error;
mod failure;
mod json_cost;
mod local_limit;
pub mod rate_limit_store;
pub mod rate_limiter;
mod request;
mod retry_after;
pub mod single_flight;
mod special_networks;
pub mod turn_signal;
mod vendor_message;

pub use answer_memory::AnswerMemory;
pub use call::{Body, Call, Response};
pub use client::HttpClient;
pub use connector::{Options, build_client, tls_config};
