//! Polls: a vendor's list read from a cursor, to find what no webhook told.

mod lists;
mod pages;
pub mod poller;
