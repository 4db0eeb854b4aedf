//! The composition root: from a configuration to a service. The only room that knows everyone.

mod build;
pub mod config;
mod connect;
mod dry_run;
mod serve;
pub mod shutdown;
pub mod telemetry;

use std::{sync::Arc, time::Duration};

use axum::{Router, http::StatusCode, response::IntoResponse};
use build::Builder;
use connect::webhook_endpoint;
use prometheus_client::registry::Registry;
pub use serve::serve;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer, trace::TraceLayer};

use crate::{
    background::{notifications::AlertMonitor, retention::Retention, subscriptions::Subscriptions},
    flows::ConnectionClients,
    inbox::{self, poll::poller},
    runtime::{
        clock::{Clock, Entropy},
        failpoints::Failpoints,
    },
    security::key_usage::KeyUsage,
    store::{
        StoreError, connections,
        key_usage::{self, KeyIdentity},
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
    pub health: Router,
    /// The workshop.
    pub worker: Worker,
    /// The second endpoint.
    pub poller: poller::Poller,
    /// The full syncs.
    pub syncer: sync::Syncer,
    /// Forgets in time.
    pub retention: Retention,
    /// Tells people what is wrong.
    pub alerts: AlertMonitor,
    /// Keeps the webhook subscriptions at both vendors.
    pub subscriptions: Subscriptions,
    /// Counts keys and refusals.
    pub key_usage: Arc<KeyUsage>,
    /// Every configured connection's two vendors and rules.
    pub clients: Vec<ConnectionClients>,
    clock: Arc<dyn Clock>,
    pool: PgPool,
    /// By which webhooks and attempts meet the database.
    pub hot_pool: PgPool,
    /// Ends what would keep a listener from stopping.
    closing: CancellationToken,
    connection_names: Vec<String>,
    keys: Vec<KeyIdentity>,
}

/// Which halves of the service run in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ServiceHalf {
    /// Webhooks, admin API.
    Http,
    /// Worker, polls.
    Worker,
}

/// What a service is built with, besides its configuration.
#[derive(Clone)]
pub struct AppDeps {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<Entropy>,
    /// Where a proof may interfere; nowhere, in any other service.
    pub failpoints: Failpoints,
}

impl App {
    /// Builds the service; touches neither database nor network.
    pub fn new(config: Config, deps: AppDeps) -> Self {
        let builder = Builder::new(&config, deps);
        let mut registry = Registry::default();
        let inbox_metrics = inbox::Metrics::registered(&mut registry);
        let worker_metrics = worker::Metrics::registered(&mut registry);
        let closing = CancellationToken::new();

        let clients = builder.clients(&config);
        let endpoints: Vec<_> = config.connections.iter().map(webhook_endpoint).collect();
        let keys = inbox::key_names(&endpoints).into_iter();
        let keys = keys.chain(config.tokens.iter().map(api::Token::key_name)).collect();
        let poller = builder.poller(&config, &clients, inbox_metrics.clone());
        let inbox = builder.inbox(&config, endpoints, inbox_metrics);
        let dry_runner =
            Arc::new(sync::DryRunner::new(builder.pool.clone(), builder.clock.clone(), clients.clone()));
        let syncer = builder.syncer(&config, dry_runner.clone());
        let [admin, dashboard] = builder.operator_routers(&config, dry_runner, &closing);
        let worker_name = worker_name(&builder.entropy);
        let worker = builder.worker(&config, &clients, &worker_name, worker_metrics);
        let health = builder.health_router(registry, worker_name, worker.heartbeat());
        Self {
            router: merge_routers([inbox, admin, dashboard, health.clone()], config.http.timeout),
            health,
            worker,
            poller,
            syncer,
            retention: Retention::new(builder.pool.clone(), builder.clock.clone(), config.retention),
            alerts: builder.alerts(&config),
            subscriptions: builder.subscriptions(&config, &clients),
            clients,
            closing,
            keys,
            connection_names: config.connections.into_iter().map(|it| it.name).collect(),
            key_usage: builder.key_usage,
            clock: builder.clock,
            pool: builder.pool,
            hot_pool: builder.hot_pool,
        }
    }

    /// Makes sure that every configured connection, key and poll has its row.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        let mut db = self.pool.acquire().await?;
        connections::ensure(&mut db, &self.connection_names, self.clock.now()).await?;
        key_usage::ensure_keys(&mut db, &self.keys, self.clock.now()).await?;
        drop(db);
        self.subscriptions.reseal().await?;
        self.poller.prepare().await
    }
}

/// Everything over HTTP: what nobody answers, a handler that panics, and one that takes too long are problems too.
fn merge_routers(routers: [Router; 4], timeout: Duration) -> Router {
    let router = routers.into_iter().fold(Router::new(), Router::merge);
    router
        .fallback(async || Problem::from(Code::NotFound).into_response())
        .method_not_allowed_fallback(async || Problem::from(Code::MethodNotAllowed).into_response())
        .layer(CatchPanicLayer::custom(|_| Problem::from(Code::Internal).into_response()))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout))
        .layer(TraceLayer::new_for_http().make_span_with(make_http_span))
}

fn make_http_span<B>(request: &axum::http::Request<B>) -> tracing::Span {
    // The route, not the path: a webhook's path holds its token.
    let route =
        request.extensions().get::<axum::extract::MatchedPath>().map(axum::extract::MatchedPath::as_str);
    tracing::debug_span!("http", method = %request.method(), route)
}

/// Names this process in claims: its id on this machine, and a word of chance, since ids are reused.
fn worker_name(entropy: &Entropy) -> String {
    format!("{}-{}", std::process::id(), hex::encode(entropy.bytes::<4>()))
}
