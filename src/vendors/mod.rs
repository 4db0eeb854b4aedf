//! The gates: how Silta speaks to the two vendors, and how they speak to it.
//!
//! Each vendor has a folder with the same four files: `mod.rs` is the client (one method per call, typed in, typed
//! out, no retries of its own: the outbox retries), `wire.rs` their fields as they spell them, `translate.rs` from the
//! wire to the domain and back, pure, and `webhook.rs` what their webhooks say and how they are signed.
//!
//! What went wrong on a call is classified once, in [`call`]; every call goes out through the one builder and the one
//! `send` in [`http`], within the vendor's rate budget ([`budget`]) and with its call_log kept for the attempt's diary.

pub mod http;
pub mod json_outline;
mod lenient_json;
pub mod mycashflow;
pub mod ogoship;
