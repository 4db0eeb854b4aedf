//! The composition root: from a configuration to a service. The only room that knows everyone.

mod serve;
mod tie;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{Router, http::StatusCode, response::IntoResponse};
use prometheus_client::registry::Registry;
pub use serve::serve;
use sqlx::PgPool;
use tie::{door, swept, tie};
use tokio_util::sync::CancellationToken;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer, trace::TraceLayer};

use crate::{
    admin,
    alerts::{self, Alerts},
    clock::{Clock, Entropy},
    config::Config,
    control::{Rehearse, Rehearsed},
    dashboard,
    domain::{outcome::Reason, subject::Subject},
    flows::{Tied, flow_of},
    inbox::{self, sweep},
    killpoints::KillPoints,
    ops,
    problem::{Code, Problem},
    retention::Retention,
    store::{
        self, StoreError, connections,
        porch::{self, KeyName},
    },
    strangers::Strangers,
    subscriptions::{Subscriber, Subscriptions},
    sync,
    systems::http,
    tally::Tally,
    vault::Vault,
    worker::{self, Worker},
};

/// A service at rest.
pub struct App {
    /// Everything over HTTP.
    pub router: Router,
    /// Health and metrics alone: what a process without the other endpoints answers.
    pub watch: Router,
    /// The workshop.
    pub worker: Worker,
    /// The second door.
    pub sweeper: sweep::Sweeper,
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
    #[expect(clippy::too_many_lines, reason = "a list: each part of the service with what it is made of")]
    pub fn new(config: Config, surroundings: Surroundings) -> Self {
        let Surroundings { pool, clock, entropy, killpoints } = surroundings;
        let Config {
            http, concurrency, lease, retry, retention, outbound, alerts, tokens, connections, ..
        } = config;
        let vault = Arc::new(Vault::new(&config.vault_keys));
        let tally = Arc::new(Tally::default());
        let mut registry = Registry::default();
        let inbox_metrics = inbox::Metrics::registered(&mut registry);
        let worker_metrics = worker::Metrics::registered(&mut registry);

        let client = http::client(outbound);
        let hot = store::hot_path(&pool);
        let tied: Vec<_> = connections
            .iter()
            .map(|connection| tie(connection, &client, (&hot, &vault), (&clock, &entropy), retry.look_again))
            .collect();
        let sweeper = sweep::Sweeper::new(sweep::Parts {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            metrics: inbox_metrics.clone(),
            lease,
            connections: connections.iter().zip(&tied).map(|(it, tied)| swept(it, tied)).collect(),
        });
        let doors: Vec<_> = connections.iter().map(door).collect();
        let admin_keys = tokens.iter().map(admin::Token::key_name);
        let keys = inbox::key_names(&doors).into_iter().chain(admin_keys).collect();
        let inbox = inbox::router(inbox::Parts {
            pool: hot.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            doors,
            body_limit: http.body_limit,
            limits: http.limits,
            metrics: inbox_metrics,
            killpoints: killpoints.clone(),
            vault: vault.clone(),
            tally: tally.clone(),
            proxies: http.proxies,
        });
        let rehearser = Arc::new(sync::Rehearser::new(pool.clone(), clock.clone(), tied.clone()));
        let syncer = sync::Syncer::new(sync::Parts {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            rehearser: rehearser.clone(),
            schedule: connections.iter().map(|it| (it.name.clone(), it.compare.clone())).collect(),
        });
        let rehearser: Arc<dyn Rehearse> = Arc::new(Rehearsals(rehearser));
        let leaving = CancellationToken::new();
        let dashboard = dashboard::router(dashboard::Dashboard {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            tokens: tokens.clone(),
            rehearser: rehearser.clone(),
            is_secure: http.public_url.starts_with("https://"),
            rates: connections.iter().map(rates).collect(),
            failures: Strangers::after(dashboard::MOST_FAILURES),
            proxies: http.proxies,
            counts: dashboard::Counts::default(),
            leaving: leaving.clone(),
            tally: tally.clone(),
        });
        let admin = admin::router(admin::Admin {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            tokens,
            rehearser,
            tally: tally.clone(),
        });
        let worker_name = worker_name(&entropy);
        let worker = Worker::new(worker::Parts {
            pool: hot.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            tied: tied.clone(),
            flows: flow_of,
            retry,
            options: worker::Options { concurrency, lease, name: worker_name.clone() },
            metrics: worker_metrics,
            killpoints,
        });
        let watch = ops::router(ops::Ops {
            pool: pool.clone(),
            clock: clock.clone(),
            registry,
            replica: worker_name,
            pulse: worker.pulse(),
        });
        let router = whole_router([inbox, admin, dashboard, watch.clone()], http.timeout);
        let retention = Retention::new(pool.clone(), clock.clone(), retention);
        let alerts = Alerts::new(alerts::Parts {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            client,
            options: alerts,
            sweeps: connections
                .iter()
                .flat_map(|it| it.sweeps.named().map(|(what, every)| (it.name.clone(), what, every)))
                .collect(),
        });
        let subscriber = |(connection, tied): (&crate::config::Connection, &Tied)| Subscriber {
            tied: tied.clone(),
            shop_topics: connection.topics.clone(),
            public_url: http.public_url.clone(),
            webhook_token: connection.mycashflow.webhook_token.expose().to_owned(),
        };
        let subscriptions = Subscriptions {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy,
            vault,
            subscribers: connections.iter().zip(&tied).map(subscriber).collect(),
        };
        Self {
            router,
            watch,
            worker,
            sweeper,
            syncer,
            retention,
            alerts,
            subscriptions,
            tally,
            tied,
            clock,
            pool,
            hot,
            leaving,
            names: connections.into_iter().map(|it| it.name).collect(),
            keys,
        }
    }

    /// Makes sure that every configured connection, key and sweep has its row.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        let mut db = self.pool.acquire().await?;
        connections::ensure(&mut db, &self.names, self.clock.now()).await?;
        porch::ensure_keys(&mut db, &self.keys, self.clock.now()).await?;
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

/// How many calls a second each of a connection's systems may get.
fn rates(connection: &crate::config::Connection) -> (String, [f64; 2]) {
    let crate::config::Connection { name, mycashflow, ogoship, .. } = connection;
    (name.clone(), [mycashflow.requests_per_second, ogoship.requests_per_second])
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
