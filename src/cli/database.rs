//! The database of a command.

use std::sync::Arc;

use anyhow::Result;
use sqlx::PgPool;

use crate::{
    app::{AppDeps, config::Config},
    runtime::{
        clock::{Entropy, SystemClock},
        embedded_postgres::{Durability, PrivatePostgres},
        failpoints::Failpoints,
    },
    store,
};

/// The configured database, or a private one that stops with this process.
pub(super) struct Database {
    pub(super) pool: PgPool,
    /// Kept for as long as the pool is used.
    _private: Option<PrivatePostgres>,
}

impl Database {
    /// Connects to the configured database; without a URL, starts or joins the private one.
    pub(super) async fn open(config: &Config) -> Result<Self> {
        // The other half belongs to webhooks and attempts: see `store::hot_path_pool`.
        let size = (config.database.connections / 2).max(1);
        if let Some(url) = &config.database.url {
            let options =
                url.expose().parse().map_err(|_| anyhow::anyhow!("database.url is not a postgres:// URL"))?;
            return Ok(Self { pool: store::connect(options, size), _private: None });
        }
        let data_dir = config.database.data_dir.clone();
        let start = move || PrivatePostgres::start(&data_dir, Durability::Full);
        let private = tokio::task::spawn_blocking(start).await??;
        let options = private.database().await?;
        Ok(Self { pool: store::connect(options, size), _private: Some(private) })
    }

    /// What the service is built with in a command.
    pub(super) fn deps(&self) -> AppDeps {
        AppDeps {
            pool: self.pool.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(Entropy::from_os()),
            failpoints: Failpoints::disabled(),
        }
    }
}
