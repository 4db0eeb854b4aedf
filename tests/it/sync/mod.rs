//! Full syncs.

mod drift;
mod lease;
mod moving_rows;
mod orders;
mod products;
pub mod report;
mod requests;
mod stock;
