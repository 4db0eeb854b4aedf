//! The inbox: where webhooks and polls become events with tasks.
//!
//! ```text
//! POST ─▶ endpoint? ─▶ body (memory?) ─▶ signature (raw body) ─▶ parse ─▶ group commit ─▶ 200
//!         404  429        413  503           401  429            400        503
//! ```
//!
//! The guarantee: **no 2xx before commit**. A rejected webhook leaves no row, so it can neither fill the table
//! nor take the fingerprint of a genuine one. A verified webhook that cannot be understood is stored and
//! answered 200; the polls that find what it may have meant are brought forward.
//!
//! A wrong signature is checked once more against keys made a moment ago, at most every few seconds
//! (`webhook/keyring.rs`), and counted for people by what seems wrong with it: key, body or header. That is found
//! once a second at most (`webhook/examination.rs`). Further ones of a client that goes on are answered 429 and looked
//! into no more ([`AuthThrottle`](crate::security::auth_throttle::AuthThrottle)); a right one always passes.
//!
//! A [`poll`] reads the vendors' lists, finds changes that no webhook reported, and stores them the same way.

mod ingester;
mod metrics;
pub mod poll;
pub mod webhook;

pub use metrics::Metrics;
pub use webhook::{Deps, Endpoint, key_names, router};
