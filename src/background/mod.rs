//! Work beside the tasks: retention, alerts and their notifications, webhook subscriptions.

pub mod notifications;
pub mod retention;
pub mod subscriptions;
