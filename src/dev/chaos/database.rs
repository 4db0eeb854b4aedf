//! The database of a chaos run: a private PostgreSQL, and the proxy by which the replicas reach it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sqlx::{PgPool, postgres::PgPoolOptions};

use super::database_proxy::DatabaseProxy;
use crate::{
    runtime::embedded_postgres::{Durability, PrivatePostgres},
    store,
};

/// A PostgreSQL that can be killed, restarted and cut off.
pub(super) struct Database {
    /// `None` while it is down.
    server: Option<PrivatePostgres>,
    data_dir: PathBuf,
    /// Connects past the proxy.
    pub(super) pool: PgPool,
    pub(super) proxy: DatabaseProxy,
    /// The URL that leads through the proxy.
    pub(super) url: String,
}

impl Database {
    /// Starts PostgreSQL and its proxy, and brings the schema up to date.
    pub(super) async fn start(directory: &Path) -> Result<Self> {
        let data_dir = directory.join("data");
        let server = start_server(&data_dir).await?;
        let options = server.database().await?;
        // The server comes and goes: connections are tested before they are used.
        let pool = PgPoolOptions::new().max_connections(4).test_before_acquire(true);
        let pool = pool.connect_lazy_with(options.clone());
        store::migrate(&pool).await?;
        let server_dir = options.get_socket().context("a private PostgreSQL has a socket")?;
        let proxy_dir = directory.join("proxy");
        std::fs::create_dir(&proxy_dir)?;
        let proxy = DatabaseProxy::start(&proxy_dir, server_dir)?;
        let url =
            format!("postgres://silta@localhost:5432/silta?host={}&sslmode=disable", proxy_dir.display());
        Ok(Self { server: Some(server), data_dir, pool, proxy, url })
    }

    /// Ends the server as a power cut does.
    pub(super) fn kill(&self) -> Result<()> {
        self.server.as_ref().context("PostgreSQL is down")?.kill()
    }

    /// Stops the server, if it runs, and starts it again.
    pub(super) async fn restart(&mut self) -> Result<()> {
        if let Some(server) = self.server.take() {
            tokio::task::spawn_blocking(move || drop(server)).await?;
        }
        self.server = Some(start_server(&self.data_dir).await?);
        Ok(())
    }
}

async fn start_server(data_dir: &Path) -> Result<PrivatePostgres> {
    let data_dir = data_dir.to_owned();
    tokio::task::spawn_blocking(move || PrivatePostgres::start(&data_dir, Durability::Full)).await?
}
