//! Clients of the two vendors, MyCashflow and OGOship.
//!
//! Each vendor has a folder with the same files. `client.rs` is the client: one method per call, typed in,
//! typed out, without retries (the outbox retries). The methods are grouped by resource (`orders.rs`,
//! `catalogue.rs`, `subscriptions.rs`). `wire.rs` holds the vendor's fields as it spells them, `translate.rs`
//! maps them to the domain and back and is pure, `webhook.rs` parses its webhooks.
//!
//! Every call goes through [`http`]: one request builder and one `send`, within the vendor's rate limit
//! ([`http::rate_limiter`]) and recorded in the attempt's call log ([`http::call_log`]). What a failed call
//! means is decided once, in [`http::error`].

pub mod changes;
mod field;
pub mod http;
pub mod json_outline;
mod json_repair;
mod lenient_json;
pub mod mycashflow;
pub mod ogoship;
mod times;
mod version;
