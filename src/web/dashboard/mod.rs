//! The dashboard: a merchant sees whether everything flows and what to do; an operator finds, fixes and replays.
//!
//! Pages are rendered on the server and complete without a script; with it, counts update by themselves (`live`).
//! They read `store` and `explain`. Every change goes through `actions`, as in the API and the CLI, in one transaction
//! with its audit entry (`form`). Every page needs a session (`user`, `sign_in`), and every form carries the session's
//! CSRF token.
//!
//! A page is a function from rows to [`maud::Markup`]. It contains no inline style or script: the policy that
//! `response` sets forbids both.

mod adoption_card;
mod asked;
mod assets;
mod attention;
mod audit;
mod badge;
mod brake_card;
mod cause;
mod cause_card;
mod cause_remedy;
mod chart;
mod concern;
mod connection_parts;
mod connection_section;
mod connection_test;
mod connections;
mod decisions;
mod deps;
mod documents;
mod error;
mod events;
mod form;
mod frame;
mod icon;
mod item_table;
mod language;
mod listing;
mod live;
mod live_counts;
mod order;
mod order_actions;
mod order_bulk;
mod order_bulk_undo;
mod order_csv;
mod order_facts;
mod order_filter;
mod order_history;
mod order_next;
mod order_offers;
mod order_query;
mod order_remedy;
mod order_request;
mod order_situation;
mod order_table;
mod orders;
mod outage;
mod overview;
mod overview_data;
mod overview_figures;
mod overview_state;
mod page;
mod parcels;
mod product_notes;
mod product_progress;
mod product_sync;
mod products;
mod releases;
mod replays;
mod response;
mod router;
mod shipping_codes;
mod shipping_preview;
mod shipping_rule;
mod sign_in;
mod status_bar;
mod switch_card;
mod sync;
mod sync_schedule;
mod syncs;
mod task;
mod task_request;
mod tasks;
mod unknown_card;
mod user;
mod waiting;
mod webhook_actions;
mod webhooks;
mod widgets;

pub use deps::DashboardDeps;
pub use live_counts::LiveCounts;
pub use response::{show_failures, unknown_address};
pub use router::router;
