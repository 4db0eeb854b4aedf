//! Silta.
pub mod domain;
