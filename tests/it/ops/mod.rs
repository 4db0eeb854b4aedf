//! Operation: notifications, retention, restore, configuration, the real binary.

pub mod alerts;
pub mod channel;
mod cli;
mod configuration;
mod connect;
mod notifications;
mod process;
mod readiness;
mod reload;
mod restore;
mod retention;
mod secrets;
mod standby;
mod subscriptions;
mod traces;
mod upgrade;
