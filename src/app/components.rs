//! Builds each component of the service from the configuration and what all components share.

use std::sync::Arc;

use axum::Router;
use prometheus_client::registry::Registry;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::{
    config::{self, Config},
    connection_starts::ConnectionStarts,
    connections::{ConnectionDeps, build_clients, polled_connection},
    deps::AppDeps,
    rate_limit_writer::RateLimitWriter,
};
use crate::{
    actions::{NotBefore, OrderFinder, WorkRunner},
    background::{
        notifications::{self, AlertMonitor},
        subscriptions::{Subscriber, Subscriptions},
    },
    domain::{call_figures::CallFigures, configuration_watch::ConfigurationWatch, product::ExtraRow},
    flows::{AllClients, flow_for},
    inbox::{self, Endpoint, poll::poller},
    runtime::{
        clock::{Clock, Entropy},
        failpoints::Failpoints,
        heartbeat::Heartbeat,
        pressure::Pressure,
    },
    security::{admin_token::admin_throttle, instance::Instance, key_usage::KeyUsage, secrets::SecretStore},
    store, sync,
    vendors::http::{AnswerMemory, build_client},
    web::{api, dashboard, health},
    worker::{self, Worker},
};

/// Where configurations differ in these, one of them is the newest. Replicas may differ in the rest, as in their port.
const GENERATION_KEYS: [&str; 3] = ["connections", "alerts", "http.public_url"];

/// What operators ask for, beside the database.
pub(super) struct OperatorDeps {
    pub(super) dry_runner: Arc<sync::DryRunner>,
    pub(super) order_finder: Arc<dyn OrderFinder>,
    pub(super) work: Arc<dyn WorkRunner>,
}

/// What the components share.
pub(super) struct Components {
    pub(super) pool: PgPool,
    pub(super) hot_pool: PgPool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<Entropy>,
    pub(super) key_usage: Arc<KeyUsage>,
    pub(super) configuration: Arc<ConfigurationWatch>,
    pub(super) starts: Arc<ConnectionStarts>,
    pub(super) instance: Arc<Instance>,
    pub(super) figures: CallFigures,
    limits: RateLimitWriter,
    failpoints: Failpoints,
    pressure: Pressure,
    secret_store: Arc<SecretStore>,
    client: reqwest::Client,
    answers: AnswerMemory,
}

impl Components {
    pub(super) fn new(config: &Config, deps: AppDeps) -> Self {
        let AppDeps { pool, clock, entropy, failpoints } = deps;
        let hot_pool = store::hot_path_pool(&pool);
        Self {
            starts: Arc::new(ConnectionStarts::new(hot_pool.clone(), clock.clone())),
            limits: RateLimitWriter::new(hot_pool.clone()),
            hot_pool,
            pool,
            clock,
            entropy,
            key_usage: Arc::default(),
            instance: Arc::default(),
            figures: CallFigures::default(),
            configuration: Arc::new(ConfigurationWatch::new(
                config.key_digests.of_sections(&GENERATION_KEYS),
            )),
            failpoints,
            pressure: Pressure::default(),
            secret_store: Arc::new(SecretStore::new(&config.secret_keys)),
            client: build_client(&config.outbound),
            answers: AnswerMemory::default(),
        }
    }

    pub(super) fn clients(&self, config: &Config) -> AllClients {
        let deps = ConnectionDeps {
            client: &self.client,
            answers: &self.answers,
            pool: &self.hot_pool,
            limits: &self.limits,
            clock: &self.clock,
            entropy: &self.entropy,
            secret_store: &self.secret_store,
            starts: &self.starts,
            figures: &self.figures,
            recheck_delay: config.retry.recheck_delay,
        };
        config.connections.iter().map(|connection| build_clients(connection, &deps)).collect()
    }

    pub(super) fn poller(
        &self,
        config: &Config,
        clients: &AllClients,
        metrics: inbox::Metrics,
    ) -> poller::Poller {
        let polled = |it: &config::Connection| Some(polled_connection(it, clients.find(&it.name)?));
        poller::Poller::new(poller::Deps {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            metrics,
            lease: config.lease,
            connections: config.connections.iter().filter_map(polled).collect(),
        })
    }

    pub(super) fn inbox(&self, config: &Config, endpoints: Vec<Endpoint>, metrics: inbox::Metrics) -> Router {
        inbox::router(inbox::Deps {
            pool: self.hot_pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            endpoints,
            body_limit: config.http.body_limit,
            accept_within: config.http.accept_within,
            metrics,
            failpoints: self.failpoints.clone(),
            pressure: self.pressure.clone(),
            secret_store: self.secret_store.clone(),
            key_usage: self.key_usage.clone(),
            proxies: config.http.proxies,
        })
    }

    pub(super) fn syncer(&self, config: &Config, dry_runner: Arc<sync::DryRunner>) -> sync::Syncer {
        let schedules = config.connections.iter().map(|it| (it.name.clone(), it.sync.clone()));
        sync::Syncer::new(sync::Deps {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            dry_runner,
            configuration: self.configuration.clone(),
            schedules: schedules.collect(),
        })
    }

    /// The admin API and the dashboard.
    pub(super) fn operator_routers(
        &self,
        config: &Config,
        OperatorDeps { dry_runner, order_finder, work }: OperatorDeps,
        closing: &CancellationToken,
    ) -> [Router; 2] {
        let admin_throttle = Arc::new(admin_throttle());
        let admin = api::router(api::ApiDeps {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            tokens: config.tokens.clone(),
            dry_runner: dry_runner.clone(),
            order_finder: order_finder.clone(),
            not_before: not_before(config),
            rules: config.shipping_rules(),
            key_usage: self.key_usage.clone(),
            throttle: admin_throttle.clone(),
            proxies: config.http.proxies,
        });
        let dashboard = dashboard::router(dashboard::DashboardDeps {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            tokens: config.tokens.clone(),
            dry_runner,
            order_finder,
            work,
            schedules: config.connections.iter().map(|it| (it.name.clone(), it.sync.clone())).collect(),
            not_before: not_before(config),
            rules: config.shipping_rules(),
            undo: config.connections.iter().map(|it| (it.name.clone(), it.undo)).collect(),
            addresses: config.connections.iter().map(|it| (it.name.clone(), it.addresses.clone())).collect(),
            extra: config.connections.iter().filter_map(extra).collect(),
            settings: config.settings.clone(),
            stock_bases: config.connections.iter().map(|it| (it.name.clone(), it.stock.basis)).collect(),
            time_zone: config.time_zone,
            is_secure: config.http.public_url.starts_with("https://"),
            rates: config.connections.iter().map(rates).collect(),
            throttle: admin_throttle,
            proxies: config.http.proxies,
            counts: dashboard::LiveCounts::default(),
            closing: closing.clone(),
            key_usage: self.key_usage.clone(),
        });
        [admin, dashboard]
    }

    pub(super) fn worker(
        &self,
        config: &Config,
        clients: &AllClients,
        name: &str,
        metrics: worker::Metrics,
    ) -> Worker {
        let Config { concurrency, lease, retry, .. } = config;
        Worker::new(worker::Deps {
            pool: self.hot_pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            clients: clients.clone(),
            flow_for,
            retry: *retry,
            options: worker::Options { concurrency: *concurrency, lease: *lease, name: name.to_owned() },
            metrics,
            failpoints: self.failpoints.clone(),
            pressure: self.pressure.clone(),
        })
    }

    pub(super) fn monitoring_router(
        &self,
        registry: Registry,
        replica: String,
        heartbeat: Heartbeat,
    ) -> Router {
        let (pool, clock) = (self.pool.clone(), self.clock.clone());
        health::monitoring_router(health::HealthDeps { pool, clock, registry, replica, heartbeat })
    }

    pub(super) fn alerts(&self, config: &Config) -> AlertMonitor {
        let named = |it: &config::Connection| {
            let name = it.name.clone();
            it.polls.enabled().map(move |(what, every)| (name.clone(), what, every)).collect::<Vec<_>>()
        };
        AlertMonitor::new(notifications::Deps {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            client: self.client.clone(),
            configuration: self.configuration.clone(),
            options: config.alerts.clone(),
            connections: config.connections.iter().map(|it| it.name.clone()).collect(),
            polls: config.connections.iter().flat_map(named).collect(),
        })
    }

    pub(super) fn subscriptions(&self, config: &Config, clients: &AllClients) -> Subscriptions {
        let subscriber = |connection: &config::Connection| {
            Some(Subscriber {
                clients: clients.find(&connection.name)?.clone(),
                shop_topics: connection.topics.clone(),
                public_url: config.http.public_url.clone(),
                webhook_token: connection.mycashflow.webhook_token.expose().to_owned(),
                ogoship_token: connection.ogoship.webhook_token.expose().to_owned(),
            })
        };
        Subscriptions {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            secret_store: self.secret_store.clone(),
            configuration: self.configuration.clone(),
            subscribers: config.connections.iter().filter_map(subscriber).collect(),
        }
    }
}

/// The `not_before` of every connection that has one.
fn not_before(config: &Config) -> NotBefore {
    let configured = config.connections.iter();
    configured.filter_map(|it| Some((it.name.clone(), it.orders.not_before?))).collect()
}

/// The extra data of a connection's products, where it has any.
fn extra(connection: &config::Connection) -> Option<(String, Vec<ExtraRow>)> {
    let rows: Vec<_> = connection.products.extra.rows().cloned().collect();
    (!rows.is_empty()).then(|| (connection.name.clone(), rows))
}

/// The configured calls a second of a connection's two vendors.
fn rates(connection: &config::Connection) -> (String, [f64; 2]) {
    let config::Connection { name, mycashflow, ogoship, .. } = connection;
    (name.clone(), [mycashflow.requests_per_second, ogoship.requests_per_second])
}
