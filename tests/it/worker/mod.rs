//! The worker: claims, attempts, failures, fairness.

mod circuit_breaker;
mod claim;
mod claim_cost;
mod failure_tables;
mod fairness;
mod isolation;
pub mod model;
mod rate_limit;
mod run;
mod unknown_outcome;
