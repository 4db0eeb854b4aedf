//! [`TestSilta`]: starts a Silta between two sandbox vendors.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use silta::{
    app::{
        App, AppDeps,
        config::{Config, Environment},
    },
    background::{counts::CountKeeper, notifications::AlertMonitor, subscriptions::Subscriptions},
    dev::sandbox::{Sandbox, Shop, Warehouse, WebhookSender},
    domain::{Timestamp, configuration_watch::ConfigurationWatch},
    inbox::poll::poller::Poller,
    runtime::{
        clock::{Clock, Entropy, ManualClock, OffsetClock},
        failpoints::{FailpointHook, Failpoints},
    },
    security::key_usage::KeyUsage,
    store::configurations,
    sync::Syncer,
    worker::Worker,
};
use sqlx::PgPool;

use super::{Api, CONNECTION, Database, TestOptions, configuration, http, settings::variable};

/// Seeds of further processes.
static NEXT_SEED: AtomicU64 = AtomicU64::new(99);

/// A whole Silta between two sandbox vendors. Dropping it fails the test if a task is still open, unless the test called
/// [`leave_unfinished`](Self::leave_unfinished).
pub struct TestSilta {
    pub sandbox: Sandbox,
    pub shop: Shop,
    pub warehouse: Warehouse,
    pub clock: Arc<ManualClock>,
    pub pool: PgPool,
    /// The service's pool for webhooks and attempts.
    pub hot_pool: PgPool,
    pub api: Api,
    pub worker: Worker,
    pub poller: Poller,
    pub syncer: Syncer,
    pub webhook_sender: WebhookSender,
    pub alerts: AlertMonitor,
    pub counts: CountKeeper,
    pub subscriptions: Subscriptions,
    pub key_usage: Arc<KeyUsage>,
    configuration: Arc<ConfigurationWatch>,
    pub(super) database: Arc<Database>,
    pub(super) allows_unfinished: bool,
    _serving: tokio_util::task::AbortOnDropHandle<()>,
}

impl TestSilta {
    pub async fn start() -> Self {
        Self::start_with(TestOptions::default()).await
    }

    pub async fn start_with(options: TestOptions) -> Self {
        Self::start_with_env(options, &[]).await
    }

    /// Starts with environment variables.
    pub async fn start_with_env(options: TestOptions, environment: &[(&str, &str)]) -> Self {
        Self::start_with_all(options, environment, Failpoints::disabled()).await
    }

    /// Starts with a hook at the failpoints.
    pub async fn start_with_failpoints(hook: Arc<dyn FailpointHook>, environment: &[(&str, &str)]) -> Self {
        Self::start_with_all(TestOptions::default(), environment, Failpoints::with_hook(hook)).await
    }

    /// Starts on an existing database.
    pub async fn start_on_database(database: Arc<Database>) -> Self {
        Self::start_in_database(TestOptions::default(), &[], Failpoints::disabled(), database).await
    }

    async fn start_with_all(
        options: TestOptions,
        environment: &[(&str, &str)],
        failpoints: Failpoints,
    ) -> Self {
        Self::start_in_database(options, environment, failpoints, Database::fresh().await).await
    }

    async fn start_in_database(
        options: TestOptions,
        environment: &[(&str, &str)],
        failpoints: Failpoints,
        database: Arc<Database>,
    ) -> Self {
        let environment: Environment =
            environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let start = Timestamp::from_timestamp(1_790_000_000, 0).unwrap();
        let clock = Arc::new(ManualClock::starting_at(start));
        let entropy = Arc::new(Entropy::seeded(7));
        let any = "127.0.0.1:0".parse().unwrap();
        let sandbox = Sandbox::start(any, any, clock.clone(), entropy.clone()).await.unwrap();
        let pool = database.pool();

        let config = Config::load(&configuration(&sandbox, &options), &environment).unwrap();
        let deps = AppDeps { pool: pool.clone(), clock: clock.clone(), entropy, failpoints };
        let app = App::new(config, deps);
        app.prepare().await.unwrap();
        app.adopt_configuration().await.unwrap();
        // As after the first sync of an empty catalogue; `catalogue::codes` tests the time before it.
        sqlx::query("update connection set catalogue_read_at = $1").bind(start).execute(&pool).await.unwrap();
        let App {
            router,
            worker,
            poller,
            syncer,
            alerts,
            counts,
            subscriptions,
            key_usage,
            configuration,
            hot_pool,
            ..
        } = app;
        let (url, serving) = http::serve(router).await;
        let (shop, warehouse) = (sandbox.shop.clone(), sandbox.warehouse.clone());
        Self {
            webhook_sender: WebhookSender::to(&url, CONNECTION),
            api: Api::new(&url),
            sandbox,
            shop,
            warehouse,
            clock,
            pool,
            hot_pool,
            alerts,
            counts,
            subscriptions,
            key_usage,
            configuration,
            worker,
            poller,
            syncer,
            database,
            allows_unfinished: false,
            _serving: serving,
        }
    }

    /// Starts with settings of the connection, as `("orders.hold", "1h")`.
    pub async fn start_with_settings(settings: &[(&str, &str)]) -> Self {
        let named: Vec<_> = settings.iter().map(|(path, value)| (variable(path), *value)).collect();
        let environment: Vec<_> = named.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        Self::start_with_env(TestOptions::default(), &environment).await
    }

    /// Another process of the same service: it shares the database, the clock and the vendors.
    pub fn second_worker(&self) -> Worker {
        self.second_worker_in(&Environment::new())
    }

    /// Another process with one setting of the connection.
    pub fn second_worker_with(&self, path: &str, value: &str) -> Worker {
        self.second_worker_in(&Environment::from([(variable(path), value.to_owned())]))
    }

    fn second_worker_in(&self, environment: &Environment) -> Worker {
        self.second_app(&configuration(&self.sandbox, &TestOptions::default()), environment).worker
    }

    /// Another process whose clock can be set: how far it is ahead of the first one's.
    pub fn second_worker_under(&self, clock: Arc<OffsetClock>) -> Worker {
        let config = configuration(&self.sandbox, &TestOptions::default());
        self.second_app_under(&config, &Environment::new(), clock).worker
    }

    /// The same with one setting of the connection.
    pub fn second_worker_under_with(&self, clock: Arc<OffsetClock>, path: &str, value: &str) -> Worker {
        let config = configuration(&self.sandbox, &TestOptions::default());
        let environment = Environment::from([(variable(path), value.to_owned())]);
        self.second_app_under(&config, &environment, clock).worker
    }

    /// Another process with settings of the connection.
    pub fn second_process(&self, settings: &[(&str, &str)]) -> App {
        let settings = settings.iter().map(|(path, value)| (variable(path), (*value).to_owned()));
        self.second_app(&configuration(&self.sandbox, &TestOptions::default()), &settings.collect())
    }

    /// Another process with these environment variables.
    pub fn second_process_with(&self, environment: &[(&str, &str)]) -> App {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.second_app(&configuration(&self.sandbox, &TestOptions::default()), &environment.collect())
    }

    /// Another process with one connection of its own, on the same database.
    pub fn process_of(&self, connection: &str) -> App {
        let tail = self.sandbox.connection_toml(CONNECTION);
        let config = configuration(&self.sandbox, &TestOptions::default()).replace(&tail, connection);
        self.second_app(&config, &Environment::new())
    }

    /// Another process whose configuration also names a second store, `other`, with vendors of its own.
    pub async fn start_second_store(&self) -> (App, Sandbox) {
        let any = "127.0.0.1:0".parse().unwrap();
        let entropy = Arc::new(Entropy::seeded(NEXT_SEED.fetch_add(1, Ordering::Relaxed)));
        let other = Sandbox::start(any, any, self.clock.clone(), entropy).await.unwrap();
        let config = configuration(&self.sandbox, &TestOptions::default()) + &other.connection_toml("other");
        let app = self.second_app(&config, &Environment::new());
        app.prepare().await.unwrap();
        app.adopt_configuration().await.unwrap();
        (app, other)
    }

    fn second_app(&self, config: &str, environment: &Environment) -> App {
        self.second_app_under(config, environment, self.clock.clone())
    }

    fn second_app_under(&self, config: &str, environment: &Environment, clock: Arc<dyn Clock>) -> App {
        let config = Config::load(config, environment).unwrap();
        // Each process has its own seed: two processes never draw the same claim id.
        let entropy = Arc::new(Entropy::seeded(NEXT_SEED.fetch_add(1, Ordering::Relaxed)));
        let (pool, failpoints) = (self.pool.clone(), Failpoints::disabled());
        App::new(config, AppDeps { pool, clock, entropy, failpoints })
    }

    /// Makes the first process's configuration the newest again, as a restart does.
    pub async fn adopt_configuration(&self) {
        let mut db = self.pool.acquire().await.unwrap();
        configurations::adopt(&mut db, &self.configuration).await.unwrap();
    }

    /// Allows the test to leave tasks open.
    pub fn leave_unfinished(&mut self) {
        self.allows_unfinished = true;
    }
}

impl Drop for TestSilta {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let (open, orphans) = self.database.count_open_and_orphans();
        // No foreign key forbids these: decision 0007.
        assert_eq!(orphans, 0, "events or attempts without their task");
        if self.allows_unfinished {
            return;
        }
        assert_eq!(open, 0, "tasks are left open; call leave_unfinished() if that is intended");
        let faults = [&self.sandbox.shop_server.faults, &self.sandbox.warehouse_server.faults];
        let unused: usize = faults.iter().map(|faults| faults.unused_count()).sum();
        assert_eq!(unused, 0, "scripted faults that were not used");
    }
}
