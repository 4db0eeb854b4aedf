//! One HTTP client for both vendors: rate limits, bounded bodies, recorded calls, and what an error means.

pub mod call;
pub mod call_log;
pub mod client;
pub mod dns;
pub mod error;
pub mod rate_limiter;
pub(in crate::vendors) mod single_flight;

pub use call::{Body, Call, Response};
pub use client::{HttpClient, Options, client, tls_config};
