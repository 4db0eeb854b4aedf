//! Polls: a vendor's list read from a cursor, to find changes that no webhook reported.

mod error;
mod lists;
pub mod poller;
mod reader;
