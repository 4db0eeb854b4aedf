//! Silta.
pub mod admin;
pub mod clock;
pub mod control;
pub mod domain;
pub mod flows;
pub mod inbox;
pub mod problem;
pub mod store;
pub mod systems;
pub mod worker;
