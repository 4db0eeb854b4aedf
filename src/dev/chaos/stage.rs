//! Sets the stage, breaks one thing after the other (how, is in `plays`), and asks the books.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::sync::Mutex;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::{
    connection::DatabaseProxy,
    disturbance::Disturbance,
    environment::{CONNECTION, STEP, configuration, run_simulation, start_database},
    pause,
    replica::{Replica, ReplicaConfig},
    report::{Outcome, Report},
};
use crate::{
    dev::{
        demo::TemporaryDirectory,
        sandbox::{OrderSpec, Sandbox, Simulation, Traffic, WebhookSender, reconcile},
    },
    runtime::{
        clock::{Clock, Entropy, SystemClock},
        embedded_postgres::PrivatePostgres,
    },
    store::{self, chaos, views::overview},
};

/// How long until an order must have come through, and until everything must have come to rest.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(120);
const IDLE_TIMEOUT: Duration = Duration::from_secs(240);

/// Everything that plays.
pub(super) struct ChaosRun {
    begun: Instant,
    pub(super) seed: u64,
    pub(super) sandbox: Sandbox,
    pub(super) webhook_sender: WebhookSender,
    simulation: Arc<Mutex<Simulation>>,
    pub(super) replicas: Vec<Replica>,
    wanted: usize,
    /// How long a disturbance lasts, unless it says otherwise.
    pub(super) fault_duration: Duration,
    pub(super) replica_config: ReplicaConfig,
    pub(super) proxy: DatabaseProxy,
    pub(super) pool: PgPool,
    pub(super) late_settles_refused: u64,
    simulation_task: Option<AbortOnDropHandle<()>>,
    /// `None` while it is down. Behind the replicas, so that it stops after them.
    pub(super) private: Option<PrivatePostgres>,
    pub(super) data_dir: PathBuf,
    _directory: TemporaryDirectory,
}

impl ChaosRun {
    pub(super) async fn start(
        seed: u64,
        replicas: usize,
        fault_duration: Duration,
        programs: Vec<PathBuf>,
    ) -> Result<Self> {
        let begun = Instant::now();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let seeded = |offset: u64| Arc::new(Entropy::seeded(seed.wrapping_mul(8).wrapping_add(offset)));
        let any_port = "127.0.0.1:0".parse()?;
        let sandbox = Sandbox::start(any_port, any_port, clock, seeded(0)).await?;

        let directory = TemporaryDirectory::new("chaos")?;
        let data_dir = directory.path().join("data");
        let private = start_database(&data_dir).await?;
        let options = private.database().await?;
        // Our own way to the books, past the line; the server that it leads to comes and goes.
        let pool = PgPoolOptions::new().max_connections(4).test_before_acquire(true);
        let pool = pool.connect_lazy_with(options.clone());
        store::migrate(&pool).await?;
        let server = options.get_socket().context("a private PostgreSQL has a socket")?;
        let client = directory.path().join("line");
        std::fs::create_dir(&client)?;
        let proxy = DatabaseProxy::start(&client, server)?;

        let config = directory.path().join("silta.toml");
        std::fs::write(&config, configuration(&sandbox))?;
        let database = format!("postgres://silta@localhost/silta?host={}", client.display());
        let replica_config = ReplicaConfig { programs, started: AtomicUsize::new(0), config, database };

        let webhook_sender = WebhookSender::with_timeout(&[], CONNECTION, Duration::from_secs(2));
        let (shop, warehouse) = (sandbox.shop.clone(), sandbox.warehouse.clone());
        let traffic = Traffic { orders: usize::MAX, lost: 0.1, doubled: 0.1, late: 0.1 };
        let prefix = format!("{CONNECTION}-");
        let simulation =
            Simulation::start(shop, warehouse, webhook_sender.clone(), seeded(3), traffic, &prefix);
        let simulation = Arc::new(Mutex::new(simulation));
        let mut run = Self {
            begun,
            seed,
            sandbox,
            webhook_sender,
            simulation,
            replicas: Vec::new(),
            wanted: replicas,
            fault_duration,
            replica_config,
            proxy,
            pool,
            late_settles_refused: 0,
            simulation_task: None,
            private: Some(private),
            data_dir,
            _directory: directory,
        };
        run.restore_all();
        run.start_missing_replicas().await?;
        // Not before the first replica has begun the connection: an older order is history, and never sent.
        run.simulation_task = Some(run_simulation(run.simulation.clone()));
        run.simulation.lock().await.announce_catalogue().await;
        anyhow::ensure!(
            run.measure_recovery().await?.is_some(),
            "not even an undisturbed order comes through"
        );
        Ok(run)
    }

    /// Breaks one thing, puts it right, and sees how long an order then takes.
    pub(super) async fn inject_and_recover(
        &mut self,
        what: Disturbance,
        entropy: &Entropy,
    ) -> Result<Outcome> {
        let begun = Instant::now();
        let happened = self.inject(what, entropy).await?;
        self.restore_all();
        let lasted = begun.elapsed();
        self.start_missing_replicas().await?;
        Ok(Outcome { disturbance: what, lasted, recovered: self.measure_recovery().await?, happened })
    }

    /// As many replicas as there should be, and the way to them.
    async fn start_missing_replicas(&mut self) -> Result<()> {
        while self.replicas.len() < self.wanted {
            self.replicas.push(Replica::start(&self.replica_config, None).await?);
        }
        let urls: Vec<_> = self.replicas.iter().map(|replica| replica.url.clone()).collect();
        self.webhook_sender.set_replicas(&urls);
        Ok(())
    }

    /// How long an order placed now takes to the warehouse; the sender of its webhook attempts until it is taken.
    async fn measure_recovery(&self) -> Result<Option<Duration>> {
        let begun = Instant::now();
        let order = self.sandbox.shop.place_order(OrderSpec::of("KAHVI-500", 1));
        let webhook = self.sandbox.shop.order_created(order);
        let reference = format!("{CONNECTION}-{order}");
        let mut is_sent = false;
        while begun.elapsed() < RECOVERY_TIMEOUT {
            if !is_sent {
                is_sent = self.webhook_sender.send(&webhook).await.is_some_and(|(status, _)| status == 200);
            }
            if self.sandbox.warehouse.count(&reference) > 0 {
                return Ok(Some(begun.elapsed()));
            }
            pause(Duration::from_millis(25)).await;
        }
        Ok(None)
    }

    /// Lets the day end, waits until everything has come to rest, and writes down what the books say.
    pub(super) async fn finish(&self, report: &mut Report) -> Result<()> {
        for server in [&self.sandbox.shop_server, &self.sandbox.warehouse_server] {
            server.faults.set_random(None);
        }
        self.simulation.lock().await.stop_orders();
        let begun = Instant::now();
        let mut idle_since: Option<Instant> = None;
        while begun.elapsed() < IDLE_TIMEOUT {
            let has_more = self.simulation.lock().await.step().await;
            let reconciliation = self.reconciliation();
            let is_idle = !has_more
                && self.left_over().await? == 0
                && reconciliation.is_balanced()
                && reconciliation.tracking_back == reconciliation.shipped;
            idle_since = if is_idle { idle_since.or_else(|| Some(Instant::now())) } else { None };
            if idle_since.is_some_and(|since| since.elapsed() > Duration::from_secs(4)) {
                break;
            }
            pause(STEP).await;
        }
        let acknowledged: BTreeSet<Uuid> =
            self.webhook_sender.acknowledged_ids().iter().filter_map(|id| id.parse().ok()).collect();
        let acknowledged: Vec<_> = acknowledged.into_iter().collect();
        let mut db = self.pool.acquire().await?;
        let there = chaos::count_events(&mut db, &acknowledged).await?;
        report.acknowledged = acknowledged.len();
        report.acknowledged_missing = acknowledged.len() - usize::try_from(there)?;
        report.rescued = chaos::count_rescued(&mut db).await?;
        drop(db);
        report.reconciliation = self.reconciliation();
        report.left_over = self.left_over().await?;
        report.faults_met =
            self.sandbox.shop_server.faults.hit_count() + self.sandbox.warehouse_server.faults.hit_count();
        report.late_settles_refused = self.late_settles_refused;
        let simulation = self.simulation.lock().await;
        (report.webhooks_sent, report.webhooks_withheld) = (simulation.sent().0, simulation.withheld());
        report.seconds = self.begun.elapsed().as_secs_f64();
        Ok(())
    }

    /// Ends everything in order.
    pub(super) async fn stop(mut self) -> Result<()> {
        for replica in self.replicas.drain(..) {
            replica.end(Duration::from_secs(15)).await?;
        }
        self.pool.close().await;
        Ok(())
    }

    fn reconciliation(&self) -> crate::dev::sandbox::Reconciliation {
        reconcile(&self.sandbox.shop, &self.sandbox.warehouse, &format!("{CONNECTION}-"))
    }

    /// Tasks still open or dead.
    async fn left_over(&self) -> Result<i64> {
        let mut db = self.pool.acquire().await?;
        let backlog = overview::backlog(&mut db, SystemClock.now()).await?;
        let open: i64 = backlog.iter().map(|connection| connection.open).sum();
        Ok(open + overview::count_dead(&mut db).await?)
    }
}
