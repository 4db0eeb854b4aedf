//! The composition root: from a configuration to a service. The only room that knows everyone.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{Router, http::StatusCode, response::IntoResponse};
use prometheus_client::registry::Registry;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tower_http::{timeout::TimeoutLayer, trace::TraceLayer};

use crate::{
    admin,
    clock::{Clock, Entropy},
    config::{self, Config, Secret},
    control::{Rehearse, Rehearsed},
    domain::{outcome::Reason, subject::Subject},
    flows::Tied,
    inbox::{self, sweep},
    lifecycle::Shutdown,
    ops,
    problem::Code,
    store::{self, StoreError, connections, tokens},
    sync,
    systems::{
        budget::Budget,
        http::{self, Http},
        mycashflow::{self, MyCashflow},
        ogoship::{
            self, Ogoship,
            auth::{Credentials, Token, TokenVault, VaultAway},
        },
        signature::{Encoding, Scheme},
    },
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
    /// Every configured connection's two systems and rules.
    pub tied: Vec<Tied>,
    clock: Arc<dyn Clock>,
    pool: PgPool,
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
}

impl App {
    /// Builds the service; touches neither database nor network.
    pub fn new(config: Config, surroundings: Surroundings) -> Self {
        let Surroundings { pool, clock, entropy } = surroundings;
        let Config { http, concurrency, lease, retry, outbound, tokens, connections, .. } = config;
        let mut registry = Registry::default();
        let inbox_metrics = inbox::Metrics::registered(&mut registry);
        let worker_metrics = worker::Metrics::registered(&mut registry);

        let client = http::client(outbound);
        let tied: Vec<_> = connections
            .iter()
            .map(|connection| tie(connection, &client, &pool, &clock, retry.look_again))
            .collect();
        let swept = connections.iter().zip(&tied).map(|(connection, tied)| sweep::SweptConnection {
            connection: tied.name.clone(),
            shop: tied.shop.clone(),
            warehouse: tied.warehouse.clone(),
            reference_prefix: tied.orders.reference_prefix.clone(),
            intervals: connection.sweeps,
        });
        let sweeper = sweep::Sweeper::new(sweep::Parts {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            metrics: inbox_metrics.clone(),
            connections: swept.collect(),
        });
        let inbox = inbox::router(inbox::Parts {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            doors: connections.iter().map(door).collect(),
            body_limit: http.body_limit,
            metrics: inbox_metrics,
        });
        let rehearser = Arc::new(sync::Rehearser::new(pool.clone(), clock.clone(), tied.clone()));
        let syncer = sync::Syncer::new(sync::Parts {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            rehearser: rehearser.clone(),
            schedule: connections.iter().map(|it| (it.name.clone(), it.compare.clone())).collect(),
        });
        let admin = admin::Admin {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            tokens,
            rehearser: Arc::new(Rehearsals(rehearser)),
        };
        let ops = ops::Ops { pool: pool.clone(), clock: clock.clone(), registry };
        let watch = ops::router(ops);
        let router = Router::new()
            .merge(inbox)
            .merge(admin::router(admin))
            .merge(watch.clone())
            .fallback(async || crate::problem::Problem::from(Code::NotFound).into_response())
            .method_not_allowed_fallback(async || {
                crate::problem::Problem::from(Code::MethodNotAllowed).into_response()
            })
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, http.timeout))
            .layer(TraceLayer::new_for_http().make_span_with(http_span));
        let worker = Worker::new(worker::Parts {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            tied: tied.clone(),
            retry,
            options: worker::Options { concurrency, lease, name: worker_name(&entropy) },
            metrics: worker_metrics,
        });
        Self {
            router,
            watch,
            worker,
            sweeper,
            syncer,
            tied,
            clock,
            pool,
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
        let work = async {
            if works {
                tokio::join!(
                    self.worker.run(soft.clone(), hard.clone()),
                    self.sweeper.run(soft.clone()),
                    self.syncer.run(soft.clone()),
                );
            }
        };
        let router = if only == Some(Only::Worker) { self.watch.clone() } else { self.router.clone() };
        let stopped = soft.clone();
        let listen = async {
            let server = axum::serve(listener, router).with_graceful_shutdown(stopped.cancelled_owned());
            tokio::select! {
                ended = std::future::IntoFuture::into_future(server) => ended,
                () = hard.cancelled() => Ok(()), // a connection that never ends must not keep us
            }
        };
        let ((), ended) = tokio::join!(work, listen);
        Ok(ended?)
    }
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

fn tie(
    connection: &config::Connection,
    client: &reqwest::Client,
    pool: &PgPool,
    clock: &Arc<dyn Clock>,
    look_again: Duration,
) -> Tied {
    use crate::domain::system::System;

    let config::Connection {
        name,
        mycashflow,
        ogoship,
        orders,
        cash_on_delivery,
        products,
        stock,
        sweeps: _,
        compare: _,
    } = connection;
    let budget = |rate| Arc::new(Budget::new(rate, clock.clone()));
    let to_shop = Http::new(
        client.clone(),
        System::MyCashflow,
        &mycashflow.url,
        budget(mycashflow.requests_per_second),
    )
    .masked(&orders.mask);
    let account = mycashflow::Account {
        user: mycashflow.user.clone(),
        api_key: mycashflow.api_key.expose().to_owned(),
        orders_api: mycashflow.orders_api.clone(),
        cash_on_delivery: cash_on_delivery.clone(),
        reads_suppliers: !products.suppliers.is_empty(),
        reads_pictures: products.picture_url.is_some(),
    };
    let to_warehouse =
        Http::new(client.clone(), System::Ogoship, &ogoship.url, budget(ogoship.requests_per_second))
            .masked(&orders.mask);
    let credentials = match &ogoship.api_key {
        Some(key) => Credentials::ApiKey(key.expose().to_owned()),
        None => Credentials::OAuth(ogoship::auth::Account {
            merchant_id: ogoship.merchant_id.clone(),
            secret_token: ogoship.secret_token.expose().to_owned(),
            client_id: ogoship.client_id.clone(),
            client_secret: ogoship.client_secret.expose().to_owned(),
        }),
    };
    let vault = Arc::new(StoredTokens { pool: pool.clone(), connection: name.clone(), clock: clock.clone() });
    Tied {
        name: name.clone(),
        shop: MyCashflow::new(to_shop, account),
        warehouse: Ogoship::new(to_warehouse, &ogoship.auth_url, credentials, vault, clock.clone()),
        orders: orders.clone(),
        stock: stock.clone(),
        products: products.clone(),
        look_again,
    }
}

fn door(connection: &config::Connection) -> inbox::Door {
    let exposed = |secrets: &[Secret]| secrets.iter().map(|secret| secret.expose().to_owned()).collect();
    let scheme = |(header, secrets, encoding): &(String, Vec<Secret>, Encoding)| Scheme {
        header: header.clone(),
        encoding: *encoding,
        secrets: exposed(secrets),
    };
    inbox::Door {
        connection: connection.name.clone(),
        webhook_token: connection.mycashflow.webhook_token.expose().to_owned(),
        mycashflow: connection.mycashflow.signature.as_ref().map(scheme),
        ogoship: Scheme {
            header: ogoship::webhook::SIGNATURE_HEADER.to_owned(),
            encoding: Encoding::Base64,
            secrets: exposed(&connection.ogoship.webhook_keys),
        },
        reference_prefix: connection.orders.reference_prefix.clone(),
    }
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

/// The token vault of a connection: a row of table `token`.
struct StoredTokens {
    pool: PgPool,
    connection: String,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl TokenVault for StoredTokens {
    async fn find(&self) -> Result<Option<Token>, VaultAway> {
        let found = async {
            let mut db = self.pool.acquire().await?;
            tokens::find(&mut db, &self.connection).await
        };
        let row = found.await.map_err(|_: StoreError| VaultAway)?;
        Ok(row.map(|tokens::TokenRow { access_token, refresh_token, expires_at }| Token {
            access_token,
            refresh_token,
            expires_at,
        }))
    }

    async fn keep(&self, token: &Token) -> Result<(), VaultAway> {
        let Token { access_token, refresh_token, expires_at } = token.clone();
        let row = tokens::TokenRow { access_token, refresh_token, expires_at };
        let kept = async {
            let mut db = self.pool.acquire().await?;
            tokens::keep(&mut db, &self.connection, &row, self.clock.now()).await
        };
        kept.await.map_err(|_: store::StoreError| VaultAway)
    }
}
