//! Work beside the tasks: retention, notifications about alerts, webhook subscriptions.

pub mod notifications;
pub mod retention;
pub mod subscriptions;
