//! Full syncs.

mod drift;
mod lease;
mod orders;
mod products;
pub mod report;
mod stock;
