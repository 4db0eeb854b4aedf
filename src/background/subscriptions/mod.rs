//! Webhook subscriptions: registers, lists and removes them at both vendors, and restores those that are gone.
//!
//! ```text
//! register ─▶ read both lists ─▶ subscribe to what is missing ─▶ store its key, sealed ─▶ the endpoints accept it
//! check (every hour) ──┘
//! ```
//!
//! The shop answers with a UUID, which its vendor says validates its webhooks; the warehouse is given a key that Silta
//! draws. Both are secrets, stored sealed under `[secrets] keys`. Without such a key they are shown once, to be put into
//! the configuration. A subscription whose answer was lost is found in the vendor's list by the next check; its key is
//! unknown, so it is removed and created again.
//!
//! A subscription is ours if it calls the address that `http.public_url` and the connection's name make.

mod error;
mod manager;
mod subscriber;
mod subscription;
mod turn;
mod watch;

pub use error::SubscriptionError;
pub use manager::Subscriptions;
pub use subscriber::Subscriber;
pub use subscription::{CreatedSubscription, ListedSubscription};
pub use turn::Registration;
