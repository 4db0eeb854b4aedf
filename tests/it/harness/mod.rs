//! The test harness: [`TestSilta`] is the service with its database and both sandbox vendors; tests advance its clock and
//! run its worker by hand.

mod database;
pub mod http;
pub mod process;
mod queries;
mod settings;
mod silta;
mod tasks;
mod verbs;
mod wait;

pub use database::{Database, server};
pub use http::{Answer, Api, answer};
pub use settings::{CONNECTION, OPERATOR, TestOptions, VIEWER, configuration};
pub use silta::TestSilta;
pub use tasks::{POLICY, attempt_end, claim_tasks, settle_task};
pub use wait::{secs, wait_until};
