//! The database of a command.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use sqlx::PgPool;

use super::print::{print_error, print_line};
use crate::{
    app::{AppDeps, config::Config},
    runtime::{
        clock::{Entropy, SystemClock},
        embedded_postgres::{Launch, PrivatePostgres, Upgrade, WaitOptions},
        failpoints::Failpoints,
    },
    store::{self, DatabaseUrl},
};

/// The configured database, or a private one that stops with this process.
pub(super) struct Database {
    pub(super) pool: PgPool,
    /// Kept for as long as the pool is used.
    _private: Option<PrivatePostgres>,
}

impl Database {
    /// Connects to the configured database; without a URL, starts or joins the private one. A long wait is reported on
    /// standard error.
    pub(super) async fn open(config: &Config) -> Result<Self> {
        Self::open_with(config, wait_options_of_a_command()).await
    }

    /// The same, waiting in this way.
    pub(super) async fn open_with(config: &Config, wait: WaitOptions) -> Result<Self> {
        // The other half belongs to webhooks and attempts: see `store::hot_path_pool`.
        let size = (config.database.connections / 2).max(1);
        if let Some(url) = &config.database.url {
            let Some(DatabaseUrl { options, is_unverified }) = DatabaseUrl::parse(url.expose()) else {
                bail!("database.url is not a postgres:// URL");
            };
            if is_unverified {
                tracing::warn!(
                    "sslmode in database.url does not verify the server: anybody on the network between can read and \
                     change everything; verify-full is the default"
                );
            }
            return Ok(Self { pool: store::connect(options, size), _private: None });
        }
        let launch = Launch::new(&config.database.data_dir).wait(wait);
        let private = tokio::task::spawn_blocking(|| launch.start()).await??;
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

/// Moves the private PostgreSQL to the newest version of this machine, and says what it did.
pub(super) async fn upgrade_postgres(config: &Config) -> Result<()> {
    ensure!(config.database.url.is_none(), "database.url names a server of its own: upgrade it there");
    let launch = Launch::new(&config.database.data_dir).wait(wait_options_of_a_command());
    let upgrade = tokio::task::spawn_blocking(move || launch.upgrade()).await??;
    print_line(&match upgrade {
        Upgrade::AlreadyNewest { version } => {
            format!("PostgreSQL {version} is the newest version on this machine: nothing to do")
        }
        Upgrade::Done { from, to, kept } => format!(
            "moved from PostgreSQL {from} to {to}; {} is the old cluster, remove it once everything works",
            kept.display()
        ),
    });
    Ok(())
}

fn wait_options_of_a_command() -> WaitOptions {
    WaitOptions { report: Arc::new(print_error), ..WaitOptions::default() }
}
