//! The composition root: from a configuration to a service. The only room that knows everyone.

mod tie;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{Router, http::StatusCode, response::IntoResponse};
use prometheus_client::registry::Registry;
use sqlx::PgPool;
use tie::{door, swept, tie};
use tokio::net::TcpListener;
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer, trace::TraceLayer};

use crate::{
    admin,
    clock::{Clock, Entropy},
    config::Config,
    control::{Rehearse, Rehearsed},
    dashboard,
    domain::{outcome::Reason, subject::Subject},
    flows::{Tied, flow_of},
    inbox::{self, sweep},
    killpoints::KillPoints,
    lifecycle::Shutdown,
    ops,
    problem::{Code, Problem},
    retention::Retention,
    store::{self, StoreError, connections},
    sync,
    systems::http,
    worker::{self, Worker},
};

/// The pause after a part of the service has panicked.
const AFTER_PANIC: Duration = Duration::from_secs(1);

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
    /// Every configured connection's two systems and rules.
    pub tied: Vec<Tied>,
    clock: Arc<dyn Clock>,
    pool: PgPool,
    /// By which webhooks and attempts meet the database.
    pub hot: PgPool,
    /// Ends what would keep a listener from stopping.
    leaving: CancellationToken,
    names: Vec<String>,
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
        let Config { http, concurrency, lease, retry, retention, outbound, tokens, connections, .. } = config;
        let mut registry = Registry::default();
        let inbox_metrics = inbox::Metrics::registered(&mut registry);
        let worker_metrics = worker::Metrics::registered(&mut registry);

        let client = http::client(outbound);
        let hot = store::hot_path(&pool);
        let tied: Vec<_> = connections
            .iter()
            .map(|connection| tie(connection, &client, &hot, &clock, retry.look_again))
            .collect();
        let sweeper = sweep::Sweeper::new(sweep::Parts {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            metrics: inbox_metrics.clone(),
            lease,
            connections: connections.iter().zip(&tied).map(|(it, tied)| swept(it, tied)).collect(),
        });
        let inbox = inbox::router(inbox::Parts {
            pool: hot.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            doors: connections.iter().map(door).collect(),
            body_limit: http.body_limit,
            limits: http.limits,
            metrics: inbox_metrics,
            killpoints: killpoints.clone(),
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
            failures: dashboard::Failures::default(),
            counts: dashboard::Counts::default(),
            leaving: leaving.clone(),
        });
        let admin = admin::router(admin::Admin {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            tokens,
            rehearser,
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
        Self {
            router,
            watch,
            worker,
            sweeper,
            syncer,
            retention,
            tied,
            clock,
            pool,
            hot,
            leaving,
            names: connections.into_iter().map(|it| it.name).collect(),
        }
    }

    /// Makes sure that every configured connection and sweep has its row.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        let mut db = self.pool.acquire().await?;
        connections::ensure(&mut db, &self.names, self.clock.now()).await?;
        drop(db);
        self.sweeper.prepare().await
    }

    /// Serves until told to stop, and ends once everything begun has ended.
    pub async fn serve(
        self,
        listener: TcpListener,
        only: Option<Only>,
        shutdown: Shutdown,
    ) -> anyhow::Result<()> {
        let Shutdown { soft, hard } = shutdown;
        let works = only != Some(Only::Http);
        let (worker, retention) = (self.worker, self.retention);
        let (sweeper, syncer) = (Arc::new(self.sweeper), Arc::new(self.syncer));
        let work = async {
            if works {
                tokio::join!(
                    supervised("worker", &soft, || {
                        let (worker, soft, hard) = (worker.clone(), soft.clone(), hard.clone());
                        async move { worker.run(soft, hard).await }
                    }),
                    supervised("sweeps", &soft, || {
                        let (sweeper, soft) = (sweeper.clone(), soft.clone());
                        async move { sweeper.run(soft).await }
                    }),
                    supervised("syncs", &soft, || {
                        let (syncer, soft) = (syncer.clone(), soft.clone());
                        async move { syncer.run(soft).await }
                    }),
                    supervised("retention", &soft, || {
                        let (retention, soft) = (retention.clone(), soft.clone());
                        async move { retention.run(soft).await }
                    }),
                );
            }
        };
        let router = if only == Some(Only::Worker) { self.watch.clone() } else { self.router.clone() };
        let (stopped, leaving) = (soft.clone(), self.leaving.clone());
        let listen = async {
            let server = axum::serve(listener, router).with_graceful_shutdown(async move {
                stopped.cancelled().await;
                leaving.cancel();
            });
            tokio::select! {
                ended = std::future::IntoFuture::into_future(server) => ended,
                () = hard.cancelled() => Ok(()), // a connection that never ends must not keep us
            }
        };
        let ((), ended) = tokio::join!(work, listen);
        self.hot.close().await;
        Ok(ended?)
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

/// Runs a part of the service until told to stop, and again after a panic: a poisoned page of a list costs one turn of
/// its own part, never the process.
async fn supervised<F>(part: &str, soft: &CancellationToken, run: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let tasks = TaskTracker::new();
    while AbortOnDropHandle::new(tasks.spawn(run())).await.is_err() {
        tracing::error!(part, "panicked: a fault of ours; it goes on in a second");
        if tokio::time::timeout(AFTER_PANIC, soft.cancelled()).await.is_ok() {
            return;
        }
    }
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_part_of_the_service_that_panics_goes_on_and_the_others_never_notice() {
        let turns = Arc::new(AtomicUsize::new(0));
        let soft = CancellationToken::new();
        supervised("part", &soft, || {
            let turns = turns.clone();
            async move { assert!(turns.fetch_add(1, Ordering::SeqCst) > 0, "as the test wants it") }
        })
        .await;
        assert_eq!(turns.load(Ordering::SeqCst), 2);
    }
}
