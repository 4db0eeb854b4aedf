//! Webhooks: verified, stored as an event with its task in one statement, then answered.

mod admission;
mod database_watch;
mod endpoint;
mod error;
mod examination;
mod handlers;
mod keyring;
mod router;
mod signature_check;
mod verify;

pub use endpoint::{Endpoint, key_names};
pub use router::{Deps, router};
