//! Polls: a vendor's list read from a cursor, to find changes that no webhook reported.

mod covered;
mod error;
mod gaps;
mod lists;
mod narrow;
pub mod poller;
mod reader;
mod settler;
mod walk;
