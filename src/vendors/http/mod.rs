//! One HTTP client for both vendors: rate limits, bounded bodies, recorded calls, and what an error means.

pub mod call_log;
pub mod client;
pub mod dns;
pub mod error;
pub mod rate_limiter;
pub(in crate::vendors) mod single_flight;

pub use client::{Body, Call, HttpClient, Options, Response, client};
