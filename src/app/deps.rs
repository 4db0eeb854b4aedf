//! What the service needs from its surroundings.

use std::sync::Arc;

use sqlx::PgPool;

use crate::runtime::{
    clock::{Clock, Entropy},
    failpoints::Failpoints,
};

/// What the service is built with, besides its configuration.
#[derive(Clone)]
pub struct AppDeps {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<Entropy>,
    /// Where a chaos run interferes; disabled in every other process.
    pub failpoints: Failpoints,
}
