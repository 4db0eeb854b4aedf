//! Polls: a vendor's list read from a cursor, to find what no webhook told.

mod error;
mod lists;
pub mod poller;
mod reader;
