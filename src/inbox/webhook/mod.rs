//! Webhooks: verified, stored as an event with its task in one statement, then answered.

pub(super) mod admission;
pub(super) mod endpoint;
pub(super) mod handlers;
pub(super) mod keyring;
pub(super) mod receive;
pub(super) mod rejected;
pub(super) mod rejection;
pub(super) mod verify;
