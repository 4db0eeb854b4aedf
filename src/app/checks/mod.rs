//! The checks of a connection: is it ready? `silta doctor` and the page of connections make the same ones. They ask both
//! vendors and read what Silta has seen lately, and change nothing.

mod call_cause;
mod catalogue;
mod connection_checks;
mod public_url;
mod reach;
mod shipping;
mod vendors;
mod webhooks;

pub(crate) use catalogue::{check_codes, check_remarks};
pub(crate) use connection_checks::ConnectionChecks;
pub(crate) use public_url::PublicUrl;
pub(crate) use vendors::VendorNames;
