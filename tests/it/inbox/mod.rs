//! The inbox: webhooks and polls.

mod configurations;
mod covered;
mod database;
pub mod keys;
mod moving_rows;
pub mod overload;
mod poll;
mod poll_gap;
mod spoilt_lists;
pub mod webhook;
