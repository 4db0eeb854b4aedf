//! `silta serve`.

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::TcpListener;

use super::Database;
use crate::{
    app::{App, Only, Surroundings},
    config::Config,
    killpoints::{DiesAt, KillPoints},
    lifecycle::Shutdown,
    store, telemetry,
};

/// Serves until SIGTERM or SIGINT; a proof may say at which moment the process is to die.
pub(super) async fn serve(config: Config, only: Option<Only>, die_at: Option<&str>) -> Result<()> {
    telemetry::init(&config.log.filter, config.log.json);
    let listener = TcpListener::bind(&config.http.listen)
        .await
        .with_context(|| format!("cannot listen on http.listen = {}", config.http.listen))?;
    let address = listener.local_addr()?;
    let grace = config.shutdown;
    if config.connections.is_empty() {
        tracing::warn!("no [[connections]]: there is nothing to tie together yet");
    }
    for connection in config.connections.iter().filter(|connection| connection.mycashflow.signature.is_none())
    {
        tracing::warn!(
            connection = connection.name,
            "dangerously_unsigned: webhooks of the shop are not verified"
        );
    }
    let database = Database::open(&config).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    let killpoints = match die_at {
        Some(moment) => KillPoints::with(Arc::new(moment.parse::<DiesAt>()?)),
        None => KillPoints::none(),
    };
    let app = App::new(config, Surroundings { killpoints, ..database.surroundings() });
    app.prepare().await?;

    let shutdown = Shutdown::default();
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "serving");
    let signals = shutdown.clone().on_signals(grace);
    let served = app.serve(listener, only, shutdown.clone());
    tokio::select! {
        served = served => served?,
        // The signals' own end comes first only when the grace period is over.
        ended = async { signals.await?; std::future::pending::<Result<()>>().await } => ended?,
    }
    database.pool.close().await;
    tracing::info!("stopped");
    Ok(())
}
