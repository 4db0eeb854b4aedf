//! The database of a command.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use sqlx::{Connection, PgConnection, PgPool, postgres::PgConnectOptions};

use super::print::{print_error, print_line};
use crate::{
    app::{AppDeps, config::Config},
    runtime::{
        clock::{Entropy, SystemClock},
        embedded_postgres::{Launch, PrivatePostgres, Upgrade, WaitOptions},
        failpoints::Failpoints,
    },
    store::{self, ACQUIRE_TIMEOUT, DatabaseAddress, DatabaseUrl},
};

/// The configured database, or a private one that stops with this process.
pub(super) struct Database {
    pub(super) pool: PgPool,
    /// Kept for as long as the pool is used; `None` where a server is configured.
    pub(super) private: Option<PrivatePostgres>,
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
            let pool = store::connect(options.clone(), size);
            ensure_reachable(&pool, &options).await?;
            return Ok(Self { pool, private: None });
        }
        let launch = Launch::new(&config.database.data_dir).wait(wait);
        let private = tokio::task::spawn_blocking(|| launch.start()).await??;
        let options = private.database().await?;
        Ok(Self { pool: store::connect(options, size), private: Some(private) })
    }

    /// A connection outside the pool.
    pub(super) async fn connect(&self) -> Result<PgConnection> {
        Ok(PgConnection::connect_with(&self.pool.connect_options()).await?)
    }

    /// Where the database is, in words.
    pub(super) fn describe(&self) -> String {
        match self.private {
            Some(_) => "the private database".to_owned(),
            None => DatabaseAddress::of(&self.pool.connect_options()).to_string(),
        }
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

/// Connects once, so that what is wrong is said of the database and not of the first thing that needs it.
async fn ensure_reachable(pool: &PgPool, options: &PgConnectOptions) -> Result<()> {
    let Err(error) = pool.acquire().await else { return Ok(()) };
    let cannot = || format!("cannot reach the {}", DatabaseAddress::of(options));
    if !matches!(error, sqlx::Error::PoolTimedOut) {
        return Err(without_prefix(&error)).with_context(cannot);
    }
    // The pool has tried for as long as it may, and does not say why it failed.
    match tokio::time::timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(options)).await {
        Ok(Ok(connection)) => {
            let _ = connection.close().await;
            Ok(())
        }
        Ok(Err(error)) => Err(without_prefix(&error)).with_context(cannot),
        Err(_) => Err(anyhow!("it gives no answer")).with_context(cannot),
    }
}

/// The cause alone, as "Connection refused".
fn without_prefix(error: &sqlx::Error) -> anyhow::Error {
    match error {
        sqlx::Error::Io(error) => anyhow!("{error}"),
        sqlx::Error::Database(error) => anyhow!("{}", error.message()),
        error => anyhow!("{error}"),
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
