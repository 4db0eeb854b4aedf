//! The admin API: JSON over `store` (reads) and `actions` (changes). `openapi.yaml` describes it; a test compares it with
//! the routes.

mod alerts;
mod attention;
mod audit;
mod auth;
mod change;
mod connections;
mod deps;
mod error;
mod events;
mod items;
mod orders;
mod page;
mod releases;
mod replays;
mod router;
mod shipping_rules;
mod subjects;
mod syncs;
mod tasks;

pub use deps::ApiDeps;
pub use page::parse_limits;
pub use router::{router, routes};
