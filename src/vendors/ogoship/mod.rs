//! The warehouse, OGOship.
//!
//! JSON is sent in camel case and read in any case. Lists are bare arrays of at most 250 and end at a short
//! page. A 200 whose body is the literal `null` is an empty list. A product's code in a path is base64url
//! without padding.

pub mod auth;
mod catalogue;
mod client;
mod orders;
pub mod subscriptions;
pub mod translate;
pub mod webhook;
pub mod wire;

pub use client::{Ogoship, PAGE_SIZE, Page};
