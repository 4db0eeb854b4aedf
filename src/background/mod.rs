//! Work beside the tasks: counts, retention, alerts and their notifications, webhook subscriptions.

pub mod counts;
pub mod notifications;
pub mod retention;
pub mod subscriptions;
