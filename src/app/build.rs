//! The service, built and not yet running.

use std::sync::Arc;

use axum::Router;
use prometheus_client::registry::Registry;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::{
    components::{Components, OperatorDeps},
    config::{self, Config},
    connection_starts::ConnectionStarts,
    connections::webhook_endpoint,
    deps::AppDeps,
    http::merge_routers,
    order_finder::VendorOrders,
    reference_prefixes::{self, ConnectionReferences, PrepareError},
    work_runner::{VendorWork, WorkDeps},
};
use crate::{
    actions::OrderFinder,
    background::{
        counts::CountKeeper, notifications::AlertMonitor, retention::Retention, subscriptions::Subscriptions,
    },
    domain::{Timestamp, configuration_watch::ConfigurationWatch},
    flows::AllClients,
    inbox::{self, poll::poller},
    runtime::clock::{Clock, Entropy},
    security::{admin_token::Token, instance::Instance, key_usage::KeyUsage},
    store::{
        StoreError, configurations,
        connection_switches::{self, ConfiguredConnection},
        connections,
        key_usage::{self, KeyIdentity},
    },
    sync,
    web::{health, request_id::RequestIds},
    worker::{self, Worker},
};

/// Everything that a process runs.
pub struct App {
    /// All endpoints.
    pub router: Router,
    /// All endpoints but readiness and metrics, where these have a listener of their own.
    pub public: Router,
    /// Health and metrics alone.
    pub health: Router,
    /// Whether the process is alive, alone.
    pub(super) liveness: Router,
    /// Shows that this process works on its database.
    pub instance: Arc<Instance>,
    /// Runs the tasks.
    pub worker: Worker,
    /// Reads the vendors' lists.
    pub poller: poller::Poller,
    /// Runs full syncs.
    pub syncer: sync::Syncer,
    /// Deletes what is older than the retention periods.
    pub retention: Retention,
    /// Keeps what pages and gauges count.
    pub counts: CountKeeper,
    /// Raises alerts and sends notifications.
    pub alerts: AlertMonitor,
    /// Registers and checks the webhook subscriptions at both vendors.
    pub subscriptions: Subscriptions,
    /// Counts which webhook keys and tokens are used.
    pub key_usage: Arc<KeyUsage>,
    /// Whether this configuration is the newest of all processes.
    pub configuration: Arc<ConfigurationWatch>,
    /// Asks the vendors whether an order exists.
    pub order_finder: Arc<dyn OrderFinder>,
    /// The clients and policies of every configured connection.
    pub clients: AllClients,
    /// Does what pages have asked of the vendors.
    pub(super) work: VendorWork,
    clock: Arc<dyn Clock>,
    pub(super) pool: PgPool,
    /// The connections for webhooks and attempts.
    pub hot_pool: PgPool,
    /// Cancelled to end streams that would keep the listener open.
    pub(super) closing: CancellationToken,
    configured: Box<[ConfiguredConnection]>,
    references: Vec<ConnectionReferences>,
    starts: Arc<ConnectionStarts>,
    keys: Vec<KeyIdentity>,
}

/// A half of the service, for replicas that run only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ServiceHalf {
    /// Webhooks, admin API and dashboard
    Http,
    /// Worker, polls and background jobs
    Worker,
}

impl App {
    /// Builds the service. Uses neither the database nor the network.
    pub fn new(config: Config, deps: AppDeps) -> Self {
        let components = Components::new(&config, deps);
        let mut registry = Registry::default();
        let inbox_metrics = inbox::Metrics::registered(&mut registry);
        let worker_metrics = worker::Metrics::registered(&mut registry);
        health::register_info(&mut registry, &config.alerts.runbook_url);
        let closing = CancellationToken::new();

        let clients = components.clients(&config);
        let endpoints: Vec<_> = config.connections.iter().map(webhook_endpoint).collect();
        let keys = inbox::key_names(&endpoints).into_iter();
        let keys = keys.chain(config.tokens.iter().map(Token::key_name)).collect();
        let poller = components.poller(&config, &clients, inbox_metrics.clone());
        let inbox = components.inbox(&config, endpoints, inbox_metrics);
        let dry_runner = Arc::new(sync::DryRunner::new(
            components.pool.clone(),
            components.clock.clone(),
            clients.clone(),
        ));
        let syncer = components.syncer(&config, dry_runner.clone());
        let order_finder: Arc<dyn OrderFinder> = Arc::new(VendorOrders(clients.clone()));
        let subscriptions = components.subscriptions(&config, &clients);
        let work = VendorWork::new(
            &config,
            WorkDeps {
                pool: &components.pool,
                clock: &components.clock,
                instance: &components.instance,
                subscriptions: subscriptions.clone(),
                clients: &clients,
            },
        );
        let operators =
            OperatorDeps { dry_runner, order_finder: order_finder.clone(), work: Arc::new(work.clone()) };
        let [admin, dashboard] = components.operator_routers(&config, operators, &closing);
        let worker_name = worker_name(&components.entropy);
        let ids = RequestIds::new(worker_name.rsplit('-').next().unwrap_or_default());
        let worker = components.worker(&config, &clients, &worker_name, worker_metrics);
        let monitoring = components.monitoring_router(registry, worker_name, worker.heartbeat());
        let liveness = health::router(components.instance.clone());
        let public = [inbox, admin, dashboard, liveness.clone()];
        let health = [liveness.clone(), monitoring.clone()];
        Self {
            router: merge_routers(public.iter().chain([&monitoring]), &config.http, &ids),
            public: merge_routers(&public, &config.http, &ids),
            health: merge_routers(&health, &config.http, &ids),
            liveness,
            instance: components.instance.clone(),
            worker,
            poller,
            syncer,
            retention: Retention::new(components.pool.clone(), components.clock.clone(), config.retention),
            counts: CountKeeper::new(components.pool.clone(), components.figures.clone()),
            alerts: components.alerts(&config),
            subscriptions,
            order_finder,
            clients,
            work,
            closing,
            keys,
            references: config.connections.iter().map(references_of).collect(),
            // A box: a vector would keep the memory of the whole configuration, which ends here.
            configured: config.connections.into_iter().map(|it| configured(&it)).collect(),
            key_usage: components.key_usage,
            configuration: components.configuration,
            starts: components.starts,
            clock: components.clock,
            pool: components.pool,
            hot_pool: components.hot_pool,
        }
    }

    /// A connection's `not_before`.
    pub fn not_before(&self, connection: &str) -> Option<Timestamp> {
        self.clients.find(connection)?.order_policy.not_before
    }

    /// Creates the missing rows of the configured connections, keys and polls.
    pub async fn prepare(&self) -> Result<(), PrepareError> {
        let mut db = self.pool.acquire().await.map_err(StoreError::from)?;
        connections::ensure(&mut db, &self.configured, self.clock.now()).await?;
        let names: Vec<_> = self.configured.iter().map(|(name, _)| name.clone()).collect();
        self.starts.begin(&mut db, &names).await?;
        reference_prefixes::register(&mut db, &self.references, self.clock.now()).await?;
        key_usage::ensure_keys(&mut db, &self.keys, self.clock.now()).await?;
        self.instance.load(&mut db, self.clock.now()).await?;
        drop(db);
        self.subscriptions.reseal().await?;
        Ok(self.poller.prepare().await?)
    }

    /// Makes this configuration the newest. For a process that serves: one of a single command changes nothing.
    pub async fn adopt_configuration(&self) -> Result<(), StoreError> {
        let mut db = self.pool.acquire().await?;
        configurations::adopt(&mut db, &self.configuration).await?;
        connection_switches::record(&mut db, &self.configured).await
    }
}

fn configured(connection: &config::Connection) -> ConfiguredConnection {
    (connection.name.clone(), connection.switches())
}

fn references_of(connection: &config::Connection) -> ConnectionReferences {
    ConnectionReferences {
        connection: connection.name.clone(),
        merchants: connection.ogoship.merchants(),
        references: connection.orders.references.clone(),
        replaced: connection.replaces.clone(),
    }
}

/// Names this process in claims: its process id and a random suffix, since process ids are reused.
fn worker_name(entropy: &Entropy) -> String {
    format!("{}-{}", std::process::id(), hex::encode(entropy.bytes::<4>()))
}
