//! Sets the stage, plays the day, and asks the books.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde::Serialize;
use sqlx::PgPool;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_util::task::TaskTracker;

use super::{Options, directory::TemporaryDirectory, view::View};
use crate::{
    actions::{self, Actor},
    app::{
        self, App, AppDeps,
        config::{Config, Environment},
        shutdown::Shutdown,
    },
    dev::sandbox::{Reconciliation, Sandbox, Simulation, WebhookSender, reconcile},
    domain::{event::dedup::sha256_hex, sync::SyncKind},
    runtime::{
        clock::{Clock, Entropy, SystemClock},
        embedded_postgres::{Durability, PrivatePostgres},
        failpoints::Failpoints,
    },
    store::{self, syncs, views::overview},
};

/// The connection's name, and with a hyphen its reference prefix.
const CONNECTION: &str = "demo";

/// The demo's admin token: loopback only, and gone with the demo.
pub(super) const ADMIN_TOKEN: &str = "demo-admin-token";

/// The pause between two steps of the day.
const STEP: Duration = Duration::from_millis(60);

/// How long the sync at the end may take.
const SYNC_TIMEOUT: Duration = Duration::from_secs(60);

/// Everything that plays.
pub(super) struct Session {
    pub(super) url: String,
    sandbox: Sandbox,
    simulation: Simulation,
    pool: PgPool,
    shutdown: Shutdown,
    service: JoinHandle<()>,
    begun: Instant,
    /// Last, so that it stops after the service.
    _private: PrivatePostgres,
    _directory: TemporaryDirectory,
}

/// What the books say, and what Silta still owes.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    #[serde(flatten)]
    reconciliation: Reconciliation,
    /// Tasks still open or dead.
    left_over: i64,
    /// Differences between both sides' orders, by Silta's own ledger.
    differences: i64,
    /// Faults that calls met.
    faults_met: usize,
    webhooks_sent: usize,
    webhooks_withheld: usize,
    seconds: f64,
}

impl Session {
    pub(super) async fn start(options: &Options) -> Result<Self> {
        let begun = Instant::now();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let seeded =
            |offset: u64| Arc::new(Entropy::seeded(options.seed.wrapping_mul(4).wrapping_add(offset)));
        let any_port = "127.0.0.1:0".parse()?;
        let sandbox = Sandbox::start(any_port, any_port, clock.clone(), seeded(0)).await?;

        let directory = TemporaryDirectory::new("demo")?;
        let data_dir = directory.path().to_owned();
        let start = move || PrivatePostgres::start(&data_dir, Durability::Full);
        let private = tokio::task::spawn_blocking(start).await??;
        let pool = store::connect(private.database().await?, 16);
        store::migrate(&pool).await?;

        let config = Config::load(&configuration(&sandbox), &Environment::new())
            .map_err(|faults| anyhow::anyhow!("the demo's own configuration is at fault: {faults:?}"))?;
        let entropy = Arc::new(Entropy::from_os());
        let failpoints = Failpoints::disabled();
        let deps = AppDeps { pool: pool.clone(), clock, entropy, failpoints };
        let connection_limits = config.http.connection_limits;
        let app = App::new(config, deps);
        app.prepare().await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shutdown = Shutdown::default();
        let (_, no_reloads) = mpsc::channel(1);
        let service = TaskTracker::new().spawn(app::serve(
            app,
            listener,
            connection_limits,
            None,
            shutdown.clone(),
            no_reloads,
        ));

        for (server, offset) in [(&sandbox.shop_server, 1), (&sandbox.warehouse_server, 2)] {
            server.faults.set_random(options.faults.random_faults(seeded(offset)));
        }
        let webhook_sender = WebhookSender::to(&url, CONNECTION);
        let (shop, warehouse) = (sandbox.shop.clone(), sandbox.warehouse.clone());
        let traffic = options.faults.traffic(options.orders);
        let simulation =
            Simulation::start(shop, warehouse, webhook_sender, seeded(3), traffic, &format!("{CONNECTION}-"));
        Ok(Self {
            url,
            sandbox,
            simulation,
            pool,
            shutdown,
            service,
            begun,
            _private: private,
            _directory: directory,
        })
    }

    /// Plays until the day is over and everything has come to rest, or idle_timeout ends: the verdict tells which.
    pub(super) async fn run_until_idle(&mut self, view: &View, idle_timeout: Duration) -> Result<()> {
        self.simulation.announce_catalogue().await;
        let mut last_order_at = Instant::now();
        let mut idle_since = None;
        loop {
            anyhow::ensure!(!self.service.is_finished(), "the service has ended in the middle of the day");
            let has_more = self.simulation.step().await;
            if self.simulation.placed() < view.orders() {
                last_order_at = Instant::now();
            }
            let reconciliation = self.reconciliation();
            let open = self.count_open().await?;
            view.show(
                &reconciliation,
                open,
                self.faults_met(),
                self.simulation.sent(),
                self.simulation.withheld(),
            );
            let is_idle = !has_more
                && open == 0
                && reconciliation.is_balanced()
                && reconciliation.tracking_back == reconciliation.shipped;
            // At rest means at rest for a while: a poll may still find something.
            idle_since = if is_idle { idle_since.or_else(|| Some(Instant::now())) } else { None };
            if idle_since.is_some_and(|since| since.elapsed() > Duration::from_secs(3)) {
                return Ok(());
            }
            if last_order_at.elapsed() > idle_timeout {
                return Ok(());
            }
            #[expect(clippy::disallowed_methods, reason = "the day is played in real time")]
            tokio::time::sleep(STEP).await;
        }
    }

    pub(super) async fn verdict(&self) -> Result<Verdict> {
        for server in [&self.sandbox.shop_server, &self.sandbox.warehouse_server] {
            server.faults.set_random(None); // the day is over
        }
        let mut differences = 0;
        for what in SyncKind::ALL {
            differences += self.count_differences(what).await?;
        }
        let mut db = self.pool.acquire().await?;
        let left_over = self.count_open().await? + overview::count_dead(&mut db).await?;
        Ok(Verdict {
            reconciliation: self.reconciliation(),
            left_over,
            differences,
            faults_met: self.faults_met(),
            webhooks_sent: self.simulation.sent().0,
            webhooks_withheld: self.simulation.withheld(),
            seconds: self.begun.elapsed().as_secs_f64(),
        })
    }

    /// Has the service compare both sides, as a person would: the ledger beside the sandbox's own books.
    async fn count_differences(&self, what: SyncKind) -> Result<i64> {
        let entropy = Entropy::from_os();
        let actor = Actor { name: "demo", clock: &SystemClock, entropy: &entropy };
        let begun = Instant::now();
        loop {
            let mut db = self.pool.begin().await?;
            let (id, _) = actions::request_sync(&mut db, &actor, CONNECTION, what, true, None).await?;
            db.commit().await?;
            loop {
                let mut db = self.pool.acquire().await?;
                let row = syncs::find(&mut db, id).await?.context("the sync is gone")?;
                drop(db);
                match row.state.as_str() {
                    "done" if row.actor == actor.name => return Ok(row.difference_count),
                    "running" if begun.elapsed() < SYNC_TIMEOUT => {}
                    _ => break, // somebody else's sync, or one that failed: ask for our own
                }
                #[expect(clippy::disallowed_methods, reason = "the demo watches in real time")]
                tokio::time::sleep(STEP).await;
            }
            anyhow::ensure!(begun.elapsed() < SYNC_TIMEOUT, "the sync of both sides does not end");
        }
    }

    /// Stops the service as SIGTERM would.
    pub(super) async fn stop(self) {
        self.shutdown.soft.cancel();
        let _ = tokio::time::timeout(Duration::from_secs(20), self.service).await;
        self.shutdown.hard.cancel();
        self.pool.close().await;
    }

    fn reconciliation(&self) -> Reconciliation {
        reconcile(&self.sandbox.shop, &self.sandbox.warehouse, &format!("{CONNECTION}-"))
    }

    fn faults_met(&self) -> usize {
        self.sandbox.shop_server.faults.hit_count() + self.sandbox.warehouse_server.faults.hit_count()
    }

    async fn count_open(&self) -> Result<i64> {
        let mut db = self.pool.acquire().await?;
        let backlog = overview::backlog(&mut db, SystemClock.now()).await?;
        Ok(backlog.iter().map(|connection| connection.open).sum())
    }
}

impl Verdict {
    pub(super) const fn is_good(&self) -> bool {
        let Reconciliation { placed, at_warehouse, shipped, tracking_back, .. } = self.reconciliation;
        let nothing_left = self.left_over == 0 && self.differences == 0;
        self.reconciliation.is_balanced()
            && nothing_left
            && placed == at_warehouse
            && tracking_back == shipped
    }

    pub(super) fn table(&self) -> String {
        let Reconciliation { shipped, tracking_back, .. } = self.reconciliation;
        let [placed, at_warehouse, products, stock, lost, doubled] = self.reconciliation.rows();
        let rows = [
            placed,
            at_warehouse,
            ("shipped", shipped.to_string()),
            ("tracking back in the shop", tracking_back.to_string()),
            products,
            stock,
            ("webhooks sent / withheld", format!("{} / {}", self.webhooks_sent, self.webhooks_withheld)),
            ("faults met", self.faults_met.to_string()),
            lost,
            doubled,
            ("left over", self.left_over.to_string()),
            ("differences found by sync", self.differences.to_string()),
            ("seconds", format!("{:.1}", self.seconds)),
            ("verdict", (if self.is_good() { "good" } else { "NOT GOOD" }).to_owned()),
        ];
        let lines: Vec<_> = rows.iter().map(|(what, figure)| format!("  {what:<28}{figure:>10}")).collect();
        format!("\nCounted by the sandbox itself:\n{}\n", lines.join("\n"))
    }
}

/// A configuration as a merchant would write it, only in more of a hurry.
fn configuration(sandbox: &Sandbox) -> String {
    let admin = sha256_hex(ADMIN_TOKEN.as_bytes());
    let connection = sandbox.connection_toml(CONNECTION);
    format!(
        r#"
        [worker]
        lease = "20s"
        [retry]
        base = "200ms"
        cap = "3s"
        attempts = 40
        recheck_delay = "1s"
        [outbound]
        timeout = "2s"
        dangerously_allow_private = true
        [[admin.tokens]]
        name = "demo"
        token_sha256 = "{admin}"
        role = "operator"
        {connection}
        [connections.polls]
        orders = "2s"
        statuses = "2s"
        stock = "2s"
        products = "5s"
        "#
    )
}
