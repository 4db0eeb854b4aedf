//! `silta serve`.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use super::{Database, load};
use crate::{
    app::{
        self, App, Only, Surroundings,
        config::{Config, Environment, Settings},
        shutdown::Shutdown,
        telemetry,
    },
    runtime::failpoints::{DiesAt, KillPoints},
    store, vendors,
};

/// Serves until SIGTERM or SIGINT, and reloads the configuration at SIGHUP; a proof may say at which moment the process is
/// to die.
pub(super) async fn serve(path: PathBuf, environment: Environment, only: Option<Only>) -> Result<()> {
    let config = load(&path, &environment)?;
    let traces = config.traces.as_ref().map(|traces| {
        // A collector is a neighbour as a rule, whatever the vendors are.
        let options = vendors::http::Options { allow_private: true, ..config.outbound };
        (traces, vendors::http::client(options))
    });
    let telemetry = telemetry::init(&config.log.filter, config.log.json, traces);
    let listener = TcpListener::bind(&config.http.listen)
        .await
        .with_context(|| format!("cannot listen on http.listen = {}", config.http.listen))?;
    let address = listener.local_addr()?;
    let (grace, door, settings) = (config.shutdown, config.http.door, config.settings.clone());
    warn_of(&config);
    let database = Database::open(&config).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    let killpoints = match environment.get("SILTA_DIE_AT") {
        Some(moment) => KillPoints::with(Arc::new(moment.parse::<DiesAt>()?)),
        None => KillPoints::none(),
    };
    let surroundings = Surroundings { killpoints, ..database.surroundings() };
    let app = App::new(config, surroundings.clone());
    app.prepare().await?;

    let shutdown = Shutdown::default();
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "serving");
    let (reload, reloads) = mpsc::channel(1);
    let reloading = reload_at_signals(Reload { path, environment, surroundings, settings }, reload);
    let signals = shutdown.clone().on_signals(grace);
    let served = app::serve(app, listener, door, only, shutdown.clone(), reloads);
    tokio::select! {
        () = served => {}
        // The signals' own end comes first only when the grace period is over.
        ended = async { signals.await?; std::future::pending::<Result<()>>().await } => ended?,
        ended = async { reloading.await?; std::future::pending::<Result<()>>().await } => ended?,
    }
    database.pool.close().await;
    tracing::info!("stopped");
    telemetry.end().await;
    Ok(())
}

/// What is to be looked at once more, though it is no fault.
fn warn_of(config: &Config) {
    if config.connections.is_empty() {
        tracing::warn!("no [[connections]]: there is nothing to tie together yet");
    }
    for connection in config.connections.iter().filter(|connection| connection.mycashflow.signature.is_none())
    {
        let connection = &connection.name;
        tracing::warn!(connection, "dangerously_unsigned: webhooks of the shop are not verified");
    }
}

struct Reload {
    path: PathBuf,
    environment: Environment,
    surroundings: Surroundings,
    /// As they count now.
    settings: Settings,
}

/// Reads the configuration anew at each SIGHUP, all or nothing: one with a fault changes nothing, and is told.
async fn reload_at_signals(mut reload: Reload, apps: mpsc::Sender<App>) -> Result<()> {
    let mut hangups = signal(SignalKind::hangup())?;
    while hangups.recv().await.is_some() {
        match reload.next().await {
            Ok(Some(app)) => {
                let _ = apps.send(app).await; // nobody takes it when everything ends anyway
            }
            Ok(None) => tracing::info!("the configuration is the same: nothing was reloaded"),
            Err(error) => {
                tracing::error!("the configuration was not reloaded, the old one counts on: {error:#}");
            }
        }
    }
    Ok(())
}

impl Reload {
    /// The next service, where the configuration has changed.
    async fn next(&mut self) -> Result<Option<App>> {
        let config = load(&self.path, &self.environment)?;
        let changed = self.settings.changed(&config.settings);
        if changed.is_empty() {
            return Ok(None);
        }
        warn_of(&config);
        let settings = config.settings.clone();
        let app = App::new(config, self.surroundings.clone());
        app.prepare().await?;
        for key in &changed {
            let counts = if Settings::counts_at_start(key) { "from the next start" } else { "now" };
            tracing::info!(key, counts, "the configuration changed");
        }
        self.settings = settings;
        Ok(Some(app))
    }
}

/// Does a process answer that it is alive?
pub(super) async fn is_alive(url: &str) -> ExitCode {
    let options = vendors::http::Options { timeout: Duration::from_secs(4), allow_private: true };
    let asked = vendors::http::client(options).get(format!("{}/livez", url.trim_end_matches('/')));
    #[expect(
        clippy::disallowed_methods,
        reason = "no vendor is called: neither budget nor evidence are its business"
    )]
    let answer = asked.send().await;
    if answer.is_ok_and(|answer| answer.status().is_success()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
