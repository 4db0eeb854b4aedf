//! The worker: claims, attempts, failures, fairness.

mod beginnings;
mod circuit_breaker;
mod claim;
mod claim_cost;
mod doubt;
mod failure_tables;
mod fairness;
mod hostile_answers;
mod isolation;
mod maintenance;
pub mod model;
mod rate_limit;
mod run;
mod starving;
mod tokens;
mod unknown_outcome;
mod whose_fault;
