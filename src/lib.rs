//! Silta.
pub mod admin;
pub mod app;
pub mod clock;
pub mod config;
pub mod control;
pub mod domain;
pub mod embedded_postgres;
pub mod flows;
pub mod inbox;
pub mod lifecycle;
pub mod ops;
pub mod problem;
pub mod sandbox;
pub mod store;
pub mod systems;
pub mod telemetry;
pub mod worker;
