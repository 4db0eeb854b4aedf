//! What a syncer is built from.

use std::{collections::HashMap, sync::Arc};

use sqlx::PgPool;

use super::dry_run::DryRunner;
use crate::{
    domain::{configuration_watch::ConfigurationWatch, sync_schedule::SyncSchedule},
    runtime::clock::{Clock, Entropy},
};

/// Dependencies of the syncer.
pub struct Deps {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and claim ids.
    pub entropy: Arc<Entropy>,
    /// Decides about one subject, and holds the clients.
    pub dry_runner: Arc<DryRunner>,
    /// Whether this configuration is the newest.
    pub configuration: Arc<ConfigurationWatch>,
    /// The schedule of each connection.
    pub schedules: HashMap<String, SyncSchedule>,
}
