//! All SQL: one file per table, or per thing done to one. Free functions on `&mut PgConnection`; the caller
//! owns the transaction.
//!
//! - Verbs name the intent (`find`, `claim_due`, `settle`), never `update`. Not found is `None`.
//! - A state change names the state it expects and returns what it found.
//! - Time and ids are parameters, so there is one clock.
//! - A conflict is recognised by its constraint's name, never by a message's text.
//! - `views` holds read models for pages and the API: `select` only.
//!
//! A task's state changes only here, in `ingest`, `claim`, `settle` and `tasks`. SQL applies a decision to
//! the revision that is in the row now; `domain::task::transition` lists which statement applies what.

pub mod action_changes;
pub mod actions;
pub mod alerts;
mod array_literal;
pub mod attempts;
pub mod audit;
pub mod backups;
pub mod begun_actions;
pub mod bulk_requests;
pub mod chaos;
pub mod claim;
pub mod configurations;
pub mod connection_starts;
pub mod connection_switches;
pub mod connection_work;
pub mod connections;
pub mod counts;
mod database_url;
mod error;
pub mod events;
pub mod group_commit;
pub mod hours;
pub mod idempotency;
pub mod in_flight;
mod incoming_event;
pub mod ingest;
mod ingest_statement;
pub mod instance;
pub mod intents;
pub mod item_stock;
pub mod items;
pub mod key_usage;
mod lasting_conditions;
mod listener;
pub mod notifications;
pub mod observations;
mod observed_columns;
mod order_lines;
pub mod order_rate;
mod page;
pub mod poll_gaps;
pub mod polled_changes;
pub mod polls;
mod pool;
pub mod rate_limits;
pub mod redaction;
pub mod reference_prefixes;
pub mod rejected_webhooks;
pub mod repeated_codes;
pub mod replays;
pub mod replicas;
pub mod retention;
mod schema;
pub mod sessions;
pub mod settle;
pub mod shipping_rules;
pub mod signature_detections;
pub mod stock;
pub mod stock_figures;
pub mod subject_states;
pub mod subscriptions;
pub mod superseded;
pub mod sync_catalogue;
pub mod sync_differences;
pub mod sync_runs;
pub mod sync_snapshots;
pub mod syncs;
pub mod task_tables;
pub mod tasks;
pub mod tokens;
mod unread_events;
pub mod vendor_faults;
pub mod views;
pub mod warehouse_codes;

pub use database_url::{DatabaseAddress, DatabaseUrl};
pub use error::{Result, StoreError};
pub use listener::{DUE_CHANNEL, Heard, NotifyListener, SYNC_REQUESTED_CHANNEL};
pub use page::{Listed, Page};
pub use pool::{ACQUIRE_TIMEOUT, HOT_PATH, connect, hot_path_pool, with_commit_timeout, with_new_connection};
pub use schema::{MIGRATOR, is_ready, migrate};
