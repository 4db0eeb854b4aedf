//! The shop, MyCashflow.
//!
//! Every call sends `Accept: application/json` (406 without) over HTTPS, to a path without a trailing slash (an
//! error with one), with HTTP Basic by the API user's e-mail and key. Orders live under `orders_api` (only v0
//! is proven), everything else under v1.

mod catalogue;
mod client;
mod customizations;
mod line_name;
mod lookup_calls;
mod lookups;
mod orders;
pub mod subscriptions;
pub mod translate;
pub mod webhook;
pub mod wire;

pub use catalogue::NewStock;
pub use client::{Account, MyCashflow, PAGE_SIZE, Page};
