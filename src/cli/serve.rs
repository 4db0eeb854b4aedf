//! `silta serve`: runs the service until a signal, and reloads the configuration at SIGHUP.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{net::TcpListener, signal::unix::Signal, sync::mpsc};

use super::{database::Database, load::load, secret_files::readable_by_anybody};
use crate::{
    app::{
        self, App, AppDeps, Listeners, ResourceAttributes, ServiceHalf,
        config::{Config, Environment, KeyDigests},
        shutdown::{Shutdown, Signals},
        telemetry::{self, Telemetry},
    },
    domain::{
        event::subject::SubjectKind,
        language::Language,
        switch::{Switch, switch_key},
    },
    explain,
    runtime::{
        clock::{Clock, Entropy, SystemClock},
        embedded_postgres::WaitOptions,
        failpoints::{AbortAt, Failpoints},
        wrong_clock::WrongClock,
    },
    store, vendors,
    web::server,
};

/// How long open connections may take to close at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves until SIGTERM or SIGINT, which also end a start that is not over. For the chaos run, `SILTA_FAILPOINT` names the
/// failpoint at which the process exits, and `SILTA_CLOCK` says how wrong its clock is.
pub(super) async fn serve(
    path: PathBuf,
    environment: Environment,
    only: Option<ServiceHalf>,
    signals: Signals,
) -> Result<()> {
    let Signals { mut stop, hangup } = signals;
    let shutdown = Shutdown::default();
    let started = tokio::select! {
        started = start(&path, &environment, &shutdown) => started?,
        () = stop.next() => {
            shutdown.soft.cancel(); // a private PostgreSQL that is starting is stopped
            tracing::info!("stopped before the start was over");
            return Ok(());
        }
    };
    let Started { app, listeners, database, deps, telemetry, settings } = started;
    let Settings { grace, connection_limits, key_digests } = settings;
    tracing::info!(address = %listeners.main.local_addr()?, version = env!("CARGO_PKG_VERSION"), "serving");
    let (reload, reloads) = mpsc::channel(1);
    let reloading = reload_on_sighup(Reload { path, environment, deps, key_digests }, hangup, reload);
    let ending = shutdown.clone().on_signals(stop, grace);
    let served = app::serve(app, listeners, connection_limits, only, shutdown.clone(), reloads);
    tokio::select! {
        () = served => {}
        () = ending => tracing::warn!("some components did not end in time: their leases will run out"),
        () = async { reloading.await; std::future::pending().await } => {}
    }
    if tokio::time::timeout(CLOSE_TIMEOUT, database.pool.close()).await.is_err() {
        tracing::warn!("some database connections did not close in time");
    }
    tracing::info!("stopped");
    telemetry.shutdown().await;
    Ok(())
}

/// A service that is ready to serve.
struct Started {
    app: App,
    listeners: Listeners,
    deps: AppDeps,
    telemetry: Telemetry,
    settings: Settings,
    /// Last: a private PostgreSQL stops after everything that uses it.
    database: Database,
}

/// What the configuration says of the process itself.
struct Settings {
    grace: Duration,
    connection_limits: server::Limits,
    key_digests: Arc<KeyDigests>,
}

/// Reads the configuration, listens, opens the database and builds the service.
async fn start(path: &Path, environment: &Environment, shutdown: &Shutdown) -> Result<Started> {
    let config = load(path, environment)?;
    let traces = config.traces.as_ref().map(|traces| {
        // A collector usually has a private address, whatever the vendors have.
        let options = vendors::http::Options { allow_private: true, proxy: None, ..config.outbound.clone() };
        (traces, vendors::http::build_client(&options))
    });
    let instance = Entropy::from_os().id(SystemClock.now()).to_string();
    let (resource, error) = ResourceAttributes::of(&instance, environment);
    let traces = traces.map(|(traces, client)| (traces, client, &resource));
    let telemetry = telemetry::init(&config.log.filter, config.log.json, traces);
    if let Some(error) = error {
        tracing::warn!("{error}");
    }
    let listeners = listen(&config).await?;
    let settings = Settings {
        grace: config.shutdown_grace,
        connection_limits: config.http.connection_limits,
        key_digests: config.key_digests.clone(),
    };
    log_warnings(&config);
    let wait = WaitOptions { cancelled: shutdown.soft.clone(), ..WaitOptions::default() };
    let database = Database::open_with(&config, wait).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    let failpoints = match environment.get("SILTA_FAILPOINT") {
        Some(moment) => Failpoints::with_hook(Arc::new(moment.parse::<AbortAt>()?)),
        None => Failpoints::disabled(),
    };
    let mut deps = AppDeps { failpoints, ..database.deps() };
    if let Some(offsets) = environment.get("SILTA_CLOCK") {
        deps.clock = Arc::new(offsets.parse::<WrongClock>()?);
    }
    let app = App::new(config, deps.clone());
    app.prepare().await?;
    app.adopt_configuration().await?;
    Ok(Started { app, listeners, deps, telemetry, settings, database })
}

/// Opens the listeners.
async fn listen(config: &Config) -> Result<Listeners> {
    let bind = async |key, address: &str| {
        let cannot = || format!("cannot listen on http.{key} = {address}");
        TcpListener::bind(address).await.with_context(cannot)
    };
    let main = bind("listen", &config.http.listen).await?;
    let monitoring = match &config.http.monitoring_listen {
        Some(address) => Some(bind("monitoring_listen", address).await?),
        None => None,
    };
    if let Some(monitoring) = &monitoring {
        tracing::info!(address = %monitoring.local_addr()?, "serving readiness and metrics");
    }
    Ok(Listeners { main, monitoring })
}

/// Warns of what is valid and probably not meant.
fn log_warnings(config: &Config) {
    if config.connections.is_empty() {
        tracing::warn!("no [[connections]]: there is nothing to do yet");
    }
    for connection in &config.connections {
        let (connection, ogoship) = (&connection.name, &connection.ogoship);
        if ogoship.webhook_token.expose().is_empty() {
            tracing::warn!(
                connection,
                "ogoship.webhook_token is empty: anybody can guess the path of its webhooks"
            );
        } else if ogoship.accepts_path_without_token {
            tracing::warn!(connection, "ogoship.webhook_path_without_token: the path can be guessed, too");
        }
    }
    log_switches(config);
    for file in readable_by_anybody(&config.secret_files) {
        let file = file.display();
        tracing::warn!(%file, "every account of this machine can read this secret: chmod o= it");
    }
    for connection in config.connections.iter().filter(|connection| connection.mycashflow.signature.is_none())
    {
        let connection = &connection.name;
        tracing::warn!(connection, "dangerously_unsigned: webhooks of the shop are not verified");
    }
}

/// Says what is not written by itself, so that nobody waits for it.
fn log_switches(config: &Config) {
    for connection in &config.connections {
        let switches = connection.switches();
        for kind in SubjectKind::ALL.iter().copied() {
            let (key, switch, connection) = (switch_key(kind), switches.of(kind), &connection.name);
            if switch != Switch::Automatic {
                let text = explain::switch_text(kind, switch, Language::English);
                tracing::info!(connection, key, value = switch.as_str(), "{text}");
            }
        }
    }
}

struct Reload {
    path: PathBuf,
    environment: Environment,
    deps: AppDeps,
    /// The digests of the configuration in use.
    key_digests: Arc<KeyDigests>,
}

/// Reloads the configuration at each SIGHUP. An invalid configuration changes nothing.
async fn reload_on_sighup(mut reload: Reload, mut hangups: Signal, apps: mpsc::Sender<App>) {
    while hangups.recv().await.is_some() {
        match reload.rebuild().await {
            Ok(Some(app)) => {
                let _ = apps.send(app).await; // fails only during a shutdown
            }
            Ok(None) => tracing::info!("the configuration is unchanged, nothing was reloaded"),
            Err(error) => {
                tracing::error!("the configuration was not reloaded, the old one stays in use: {error:#}");
            }
        }
    }
}

impl Reload {
    /// Builds the next service, if the configuration has changed.
    async fn rebuild(&mut self) -> Result<Option<App>> {
        let config = load(&self.path, &self.environment)?;
        let changed = self.key_digests.changed(&config.key_digests);
        if changed.is_empty() {
            return Ok(None);
        }
        log_warnings(&config);
        let key_digests = config.key_digests.clone();
        let app = App::new(config, self.deps.clone());
        app.prepare().await?;
        app.adopt_configuration().await?;
        for key in &changed {
            let applies = if KeyDigests::requires_restart(key) { "from the next start" } else { "now" };
            tracing::info!(key, applies, "the configuration changed");
        }
        self.key_digests = key_digests;
        Ok(Some(app))
    }
}

/// Success if the process at this URL answers that it is alive.
pub(super) async fn check_alive(url: &str) -> ExitCode {
    let options =
        vendors::http::Options { timeout: Duration::from_secs(4), allow_private: true, proxy: None };
    let request = vendors::http::build_client(&options).get(format!("{}/livez", url.trim_end_matches('/')));
    #[expect(
        clippy::disallowed_methods,
        reason = "no vendor is called: neither a rate limit nor a call log applies"
    )]
    let answer = request.send().await;
    if answer.is_ok_and(|answer| answer.status().is_success()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
