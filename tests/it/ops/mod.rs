//! Operation: notifications, retention, restore, configuration, the real binary.

mod afternoon;
pub mod alerts;
mod backup;
pub mod channel;
mod cli;
mod command_line;
mod configuration;
mod connect;
mod fake_postgres;
mod newest_configuration;
mod notifications;
mod private_postgres;
mod private_postgres_account;
mod process;
mod readiness;
mod reload;
mod restore;
pub mod retention;
mod sandbox;
mod runbook;
mod secrets;
mod shell;
mod signals;
mod standby;
mod subscriptions;
mod traces;
mod upgrade;
