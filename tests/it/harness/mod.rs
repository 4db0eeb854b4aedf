//! `TestSilta`: the service, its database and both sandbox vendors, with the crank and the clock in the test's hand.

mod database;
pub mod http;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub use database::Database;
pub use http::{Answer, Api, answer};
use silta::{
    app::{
        App, AppDeps,
        config::{Config, Environment},
    },
    background::{notifications::AlertMonitor, subscriptions::Subscriptions},
    dev::sandbox::{OrderSpec, Sandbox, Shop, Warehouse, Webhook, WebhookSender, reconcile},
    domain::{
        Timestamp,
        digest::sha256_hex,
        task::{
            outcome::Outcome,
            retry::RetryPolicy,
            state::LeasedTask,
            transition::{AttemptEnd, Transition},
        },
    },
    inbox::poll::poller::Poller,
    runtime::{
        clock::{Clock, Entropy, ManualClock},
        failpoints::{FailpointHook, Failpoints},
    },
    security::key_usage::KeyUsage,
    store::{
        claim::{self, ClaimRequest, ConnectionCapacity},
        settle::{self, AttemptRecord, SettledAttempt},
        tasks::Fenced,
    },
    sync::Syncer,
    worker::Worker,
};
use sqlx::{PgConnection, PgPool};

/// The connection of every test; its reference prefix is `shop-`.
pub const CONNECTION: &str = "shop";

/// The chance of the next second worker.
static NEXT_SEED: AtomicU64 = AtomicU64::new(99);

pub const OPERATOR: &str = "operator-token";
pub const VIEWER: &str = "viewer-token";

pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The end of an attempt with this outcome, in no doubt and without jitter.
pub fn attempt_end(outcome: &Outcome, at: Timestamp) -> AttemptEnd<'_> {
    AttemptEnd { outcome, in_doubt_since: None, at, jitter: 0.0 }
}

/// A short retry schedule for attempts that a test settles itself.
pub const POLICY: RetryPolicy =
    RetryPolicy { base: secs(1), cap: secs(9), attempts: 3, recheck_delay: secs(1), unknown_for: secs(60) };

/// Waits for a condition of the real world, for at most a minute.
pub async fn wait_until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < secs(60), "waited for a minute: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Claims so many tasks of these connections for a minute, with claim_ids of its own.
pub async fn claim(db: &mut PgConnection, names: &[String], many: usize, now: Timestamp) -> Vec<LeasedTask> {
    let entropy = Entropy::from_os();
    let claim_ids: Vec<_> = (0..many).map(|_| entropy.fence()).collect();
    let capacities: Vec<_> =
        names.iter().map(|name| ConnectionCapacity { connection: name.clone(), max_tasks: many }).collect();
    let request = ClaimRequest {
        claim_ids: &claim_ids,
        worker: "hand",
        capacities: &capacities,
        background: many,
        since: Timestamp::UNIX_EPOCH,
        now,
        leased_until: now + secs(60),
    };
    claim::claim_due(db, &request).await.unwrap()
}

/// A whole Silta between two sandbox vendors. When it is dropped, nothing may be left open, unless the test said so.
pub struct TestSilta {
    pub sandbox: Sandbox,
    pub shop: Shop,
    pub warehouse: Warehouse,
    pub clock: Arc<ManualClock>,
    pub pool: PgPool,
    /// The service's own, of webhooks and attempts.
    pub hot_pool: PgPool,
    pub api: Api,
    pub worker: Worker,
    pub poller: Poller,
    pub syncer: Syncer,
    pub webhook_sender: WebhookSender,
    pub alerts: AlertMonitor,
    pub subscriptions: Subscriptions,
    pub key_usage: Arc<KeyUsage>,
    database: Arc<Database>,
    allows_unfinished: bool,
    _serving: tokio_util::task::AbortOnDropHandle<()>,
}

/// How a test's Silta differs from the options.
#[derive(Default)]
pub struct TestOptions {
    /// TOML behind the connection's block.
    pub connection: &'static str,
    /// TOML before it.
    pub service: &'static str,
}

impl TestSilta {
    pub async fn start() -> Self {
        Self::start_with(TestOptions::default()).await
    }

    pub async fn start_with(options: TestOptions) -> Self {
        Self::start_with_env(options, &[]).await
    }

    /// With these variables in the environment.
    pub async fn start_with_env(options: TestOptions, environment: &[(&str, &str)]) -> Self {
        Self::start_with_all(options, environment, Failpoints::disabled()).await
    }

    /// With somebody who interferes at its failpoints.
    pub async fn start_with_failpoints(by: Arc<dyn FailpointHook>, environment: &[(&str, &str)]) -> Self {
        Self::start_with_all(TestOptions::default(), environment, Failpoints::with_hook(by)).await
    }

    /// On a database that is there already.
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
        // As after the first sync, which reads an empty catalogue: `catalogue.rs` looks at the time before.
        sqlx::query("update connection set catalogue_read_at = $1").bind(start).execute(&pool).await.unwrap();
        let App { router, worker, poller, syncer, alerts, subscriptions, key_usage, hot_pool, .. } = app;
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
            subscriptions,
            key_usage,
            worker,
            poller,
            syncer,
            database,
            allows_unfinished: false,
            _serving: serving,
        }
    }

    /// With these settings of the connection, as `("orders.hold", "1h")`.
    pub async fn start_with_settings(settings: &[(&str, &str)]) -> Self {
        let named: Vec<_> = settings.iter().map(|(path, value)| (variable(path), *value)).collect();
        let environment: Vec<_> = named.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        Self::start_with_env(TestOptions::default(), &environment).await
    }

    /// A shopper orders, the shop tells of it, and everything due is done. Answers the number.
    pub async fn place_order(&self, spec: OrderSpec) -> u64 {
        let order = self.shop.place_order(spec);
        self.send_webhook(self.shop.order_created(order)).await;
        self.run_until_idle().await;
        order
    }

    /// The shop tells that an order has changed, a minute later, and everything due is done.
    pub async fn send_order_update(&self, order: u64) {
        self.clock.advance(secs(61));
        self.send_webhook(self.shop.order_updated(order)).await;
        self.run_until_idle().await;
    }

    /// A person asks for an order, and everything due is done. Answers the HTTP status.
    pub async fn post_order_action(&self, order: u64, ask: &str) -> u16 {
        let path = format!("/admin/v1/orders/{CONNECTION}/{order}/{ask}");
        let answer = self.api.post(&path, serde_json::json!({})).await;
        self.run_until_idle().await;
        answer.status
    }

    /// An order as the admin API shows it.
    pub async fn show_order(&self, order: u64) -> serde_json::Value {
        self.api.get(&format!("/admin/v1/orders/{CONNECTION}/{order}")).await.body
    }

    /// State and reason of an order's newest task, in one word.
    pub async fn order_task_state(&self, order: u64) -> String {
        let (state, reason) = self.task_state(&format!("order:{order}")).await;
        reason.map_or_else(|| state.clone(), |reason| format!("{state} {reason}"))
    }

    /// How often an order was put at the warehouse, under our reference.
    pub fn warehouse_count(&self, order: u64) -> usize {
        self.warehouse.count(&format!("{CONNECTION}-{order}"))
    }

    /// Another process of the same service: the same database, clock and vendors, its own everything else.
    pub fn second_worker(&self) -> Worker {
        self.second_worker_in(&Environment::new())
    }

    /// One with this setting of the connection.
    pub fn second_worker_with(&self, path: &str, value: &str) -> Worker {
        self.second_worker_in(&Environment::from([(variable(path), value.to_owned())]))
    }

    fn second_worker_in(&self, environment: &Environment) -> Worker {
        self.second_app(&configuration(&self.sandbox, &TestOptions::default()), environment).worker
    }

    /// Another process, whose configuration also names a second store, `other`, between two vendors of its own.
    pub async fn start_second_store(&self) -> (App, Sandbox) {
        let any = "127.0.0.1:0".parse().unwrap();
        let entropy = Arc::new(Entropy::seeded(NEXT_SEED.fetch_add(1, Ordering::Relaxed)));
        let other = Sandbox::start(any, any, self.clock.clone(), entropy).await.unwrap();
        let config = configuration(&self.sandbox, &TestOptions::default()) + &other.connection_toml("other");
        let app = self.second_app(&config, &Environment::new());
        app.prepare().await.unwrap();
        (app, other)
    }

    fn second_app(&self, config: &str, environment: &Environment) -> App {
        let config = Config::load(config, environment).unwrap();
        // Each its own chance: two processes never draw the same fence.
        let entropy = Arc::new(Entropy::seeded(NEXT_SEED.fetch_add(1, Ordering::Relaxed)));
        let (pool, clock, failpoints) = (self.pool.clone(), self.clock.clone(), Failpoints::disabled());
        App::new(config, AppDeps { pool, clock, entropy, failpoints })
    }

    /// Sends a webhook that must be taken.
    pub async fn send_webhook(&self, webhook: Webhook) -> serde_json::Value {
        let (status, body) = self.webhook_sender.send(&webhook).await.expect("Silta answers");
        assert_eq!(status, 200, "{body}");
        body
    }

    pub async fn run_until_idle(&self) -> usize {
        self.worker.run_until_idle().await.unwrap()
    }

    pub async fn poll(&self) -> usize {
        self.poller.poll_due().await.unwrap()
    }

    /// Lets time pass in steps, working in each: what is due later falls due.
    pub async fn advance(&self, time: Duration) {
        let step = time / 20;
        for _ in 0..20 {
            self.clock.advance(step);
            self.run_until_idle().await;
        }
    }

    /// Claims so many tasks by hand, for a minute, as a worker would that nobody knows.
    pub async fn claim_tasks(&self, many: usize) -> Vec<LeasedTask> {
        let mut db = self.pool.acquire().await.unwrap();
        let names: Vec<String> =
            sqlx::query_scalar("select name from connection").fetch_all(&mut *db).await.unwrap();
        claim(&mut db, &names, many, self.now()).await
    }

    /// One row of one column.
    pub async fn scalar<T>(&self, sql: &'static str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    /// One row of one column, where there is one.
    pub async fn scalar_optional<T>(&self, sql: &'static str) -> Option<T>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        sqlx::query_scalar(sql).fetch_optional(&self.pool).await.unwrap()
    }

    /// One row of one column, by a text made in the test.
    pub async fn scalar_text<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&self.pool).await.unwrap()
    }

    pub async fn count(&self, table: &str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    pub fn database_url(&self) -> String {
        self.database.url()
    }

    /// A connection of the test's own, outside the service's pool.
    pub async fn outside_connection(&self) -> sqlx::PgConnection {
        <sqlx::PgConnection as sqlx::Connection>::connect(&self.database.url()).await.unwrap()
    }

    /// State and reason of the newest task of a subject.
    pub async fn task_state(&self, subject: &str) -> (String, Option<String>) {
        let sql = "select state, reason from task where subject = $1 order by id desc limit 1";
        sqlx::query_as(sql).bind(subject).fetch_one(&self.pool).await.unwrap()
    }

    /// Lost and doubled, by the sandbox's books.
    pub fn lost_and_doubled(&self) -> (usize, usize) {
        let books = reconcile(&self.shop, &self.warehouse, "shop-");
        (books.lost, books.doubled)
    }

    /// This test means to leave tasks open.
    pub fn leave_unfinished(&mut self) {
        self.allows_unfinished = true;
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Drop for TestSilta {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let (open, orphans) = self.database.count_open_and_orphans();
        // What no foreign key forbids: decision 0007.
        assert_eq!(orphans, 0, "events or attempts without their task");
        if self.allows_unfinished {
            return;
        }
        assert_eq!(open, 0, "tasks are left open; say leave_unfinished() if that is meant");
        let faults = [&self.sandbox.shop_server.faults, &self.sandbox.warehouse_server.faults];
        let unmet: usize = faults.iter().map(|faults| faults.unused_count()).sum();
        assert_eq!(unmet, 0, "scripted faults that nothing met");
    }
}

/// An attempt by hand comes to its end.
pub async fn settle_task(
    db: &mut PgConnection,
    leased: &LeasedTask,
    outcome: &Outcome,
    next: &Transition,
    now: Timestamp,
) -> Fenced {
    let settled = SettledAttempt { leased, next, entry: AttemptRecord::without_calls(outcome) };
    settle::settle(db, &[settled], now).await.unwrap().remove(0)
}

/// The variable of a connection's setting, as `orders.hold`.
fn variable(path: &str) -> String {
    format!("SILTA__CONNECTIONS__{CONNECTION}__{}", path.replace('.', "__")).to_uppercase()
}

pub fn configuration(sandbox: &Sandbox, options: &TestOptions) -> String {
    let token = |name: &str, token: &str, role: &str| {
        let digest = sha256_hex(token.as_bytes());
        format!("[[admin.tokens]]\nname = \"{name}\"\ntoken_sha256 = \"{digest}\"\nrole = \"{role}\"\n")
    };
    format!(
        "{}\n[secrets]\nkeys = [\"{}\"]\n[outbound]\ntimeout = \"3s\"\ndangerously_allow_private = true\n[retry]\nattempts = 6\n{}{}{}{}",
        options.service,
        "5e".repeat(32),
        token("ops", OPERATOR, "operator"),
        token("eyes", VIEWER, "viewer"),
        sandbox.connection_toml(CONNECTION),
        options.connection,
    )
}
