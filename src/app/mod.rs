//! The composition root: from a configuration to a service. The only room that knows everyone.

mod build;
pub mod config;
mod connect;
mod serve;
pub mod shutdown;
pub mod telemetry;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{Router, http::StatusCode, response::IntoResponse};
use build::Ground;
use connect::door;
use prometheus_client::registry::Registry;
pub use serve::serve;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer, trace::TraceLayer};

use crate::{
    actions::{Rehearse, Rehearsed},
    background::{notifications::Alerts, retention::Retention, subscriptions::Subscriptions},
    domain::{event::subject::Subject, task::outcome::Reason},
    flows::Tied,
    inbox::{self, poll::poller},
    runtime::{
        clock::{Clock, Entropy},
        failpoints::KillPoints,
    },
    security::key_usage::Tally,
    store::{
        StoreError, connections,
        webhook_checks::{self, KeyName},
    },
    sync,
    web::{
        api,
        problem::{Code, Problem},
    },
    worker::{self, Worker},
};
use config::Config;

/// A service at rest.
pub struct App {
    /// Everything over HTTP.
    pub router: Router,
    /// Health and metrics alone: what a process without the other endpoints answers.
    pub watch: Router,
    /// The workshop.
    pub worker: Worker,
    /// The second door.
    pub sweeper: poller::Sweeper,
    /// The full comparisons.
    pub syncer: sync::Syncer,
    /// Forgets in time.
    pub retention: Retention,
    /// Tells people what is wrong.
    pub alerts: Alerts,
    /// Keeps the webhook subscriptions at both systems.
    pub subscriptions: Subscriptions,
    /// Counts keys and refusals.
    pub tally: Arc<Tally>,
    /// Every configured connection's two systems and rules.
    pub tied: Vec<Tied>,
    clock: Arc<dyn Clock>,
    pool: PgPool,
    /// By which webhooks and attempts meet the database.
    pub hot: PgPool,
    /// Ends what would keep a listener from stopping.
    leaving: CancellationToken,
    names: Vec<String>,
    keys: Vec<KeyName>,
}

/// Which halves of the service run in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Only {
    /// Webhooks, admin API.
    Http,
    /// Worker, sweeps.
    Worker,
}

/// What a service is built with, besides its configuration.
#[derive(Clone)]
pub struct Surroundings {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<Entropy>,
    /// Where a proof may interfere; nowhere, in any other service.
    pub killpoints: KillPoints,
}

impl App {
    /// Builds the service; touches neither database nor network.
    pub fn new(config: Config, surroundings: Surroundings) -> Self {
        let ground = Ground::of(&config, surroundings);
        let mut registry = Registry::default();
        let inbox_metrics = inbox::Metrics::registered(&mut registry);
        let worker_metrics = worker::Metrics::registered(&mut registry);
        let leaving = CancellationToken::new();

        let tied = ground.tied(&config);
        let doors: Vec<_> = config.connections.iter().map(door).collect();
        let keys = inbox::key_names(&doors).into_iter();
        let keys = keys.chain(config.tokens.iter().map(api::Token::key_name)).collect();
        let sweeper = ground.sweeper(&config, &tied, inbox_metrics.clone());
        let inbox = ground.inbox(&config, doors, inbox_metrics);
        let rehearser =
            Arc::new(sync::Rehearser::new(ground.pool.clone(), ground.clock.clone(), tied.clone()));
        let syncer = ground.syncer(&config, rehearser.clone());
        let [admin, dashboard] = ground.for_people(&config, Arc::new(Rehearsals(rehearser)), &leaving);
        let worker_name = worker_name(&ground.entropy);
        let worker = ground.worker(&config, &tied, &worker_name, worker_metrics);
        let watch = ground.watch(registry, worker_name, worker.pulse());
        Self {
            router: whole_router([inbox, admin, dashboard, watch.clone()], config.http.timeout),
            watch,
            worker,
            sweeper,
            syncer,
            retention: Retention::new(ground.pool.clone(), ground.clock.clone(), config.retention),
            alerts: ground.alerts(&config),
            subscriptions: ground.subscriptions(&config, &tied),
            tied,
            leaving,
            keys,
            names: config.connections.into_iter().map(|it| it.name).collect(),
            tally: ground.tally,
            clock: ground.clock,
            pool: ground.pool,
            hot: ground.hot,
        }
    }

    /// Makes sure that every configured connection, key and sweep has its row.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        let mut db = self.pool.acquire().await?;
        connections::ensure(&mut db, &self.names, self.clock.now()).await?;
        webhook_checks::ensure_keys(&mut db, &self.keys, self.clock.now()).await?;
        drop(db);
        self.subscriptions.seal_anew().await?;
        self.sweeper.prepare().await
    }
}

/// Everything over HTTP: what nobody answers, a handler that panics, and one that takes too long are problems too.
fn whole_router(parts: [Router; 4], timeout: Duration) -> Router {
    let router = parts.into_iter().fold(Router::new(), Router::merge);
    router
        .fallback(async || Problem::from(Code::NotFound).into_response())
        .method_not_allowed_fallback(async || Problem::from(Code::MethodNotAllowed).into_response())
        .layer(CatchPanicLayer::custom(|_| Problem::from(Code::Internal).into_response()))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout))
        .layer(TraceLayer::new_for_http().make_span_with(http_span))
}

fn http_span<B>(request: &axum::http::Request<B>) -> tracing::Span {
    // The route, not the path: a webhook's path holds its token.
    let route =
        request.extensions().get::<axum::extract::MatchedPath>().map(axum::extract::MatchedPath::as_str);
    tracing::debug_span!("http", method = %request.method(), route)
}

/// Names this process in claims: its id on this machine, and a word of chance, since ids are reused.
fn worker_name(entropy: &Entropy) -> String {
    format!("{}-{}", std::process::id(), hex::encode(entropy.bytes::<4>()))
}

/// What control asks for and only flows can tell.
struct Rehearsals(Arc<sync::Rehearser>);

#[async_trait]
impl Rehearse for Rehearsals {
    async fn rehearse(&self, connection: &str, subject: &Subject) -> Result<Option<Rehearsed>, StoreError> {
        let Some((report, calls)) = self.0.rehearse(connection, subject).await? else { return Ok(None) };
        // A rehearsal sends nothing, so a call with a body is the one that would be sent.
        let request = calls.last().and_then(|call| call.request.clone());
        Ok(Some(Rehearsed {
            outcome: report.outcome.as_str(),
            reason: report.outcome.reason().map(Reason::code),
            deed: report.deed,
            detail: report.detail,
            calls: calls.iter().map(|call| serde_json::json!(call)).collect(),
            request,
            differs: None,
        }))
    }
}
