//! The inbox: webhooks and polls.

mod database;
pub mod keys;
pub mod overload;
mod poll;
mod poll_gap;
pub mod webhook;
