//! A chaos run: breaks one thing after the other (`injections` says how), measures recovery and counts the result.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::sync::Mutex;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::{
    database::Database,
    disturbance::Disturbance,
    replica::{Replica, ReplicaConfig},
    report::{Outcome, Report},
    setup::{CONNECTION, STEP, configuration, pause, run_simulation},
};
use crate::{
    dev::{
        sandbox::{OrderSpec, Reconciliation, Sandbox, Simulation, Traffic, WebhookSender, reconcile},
        temporary_directory::TemporaryDirectory,
    },
    runtime::clock::{Clock, Entropy, SystemClock},
    store::{chaos, views::overview},
};

/// How long an order may take to the warehouse after a disturbance.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(120);

/// How long everything may take to become idle at the end.
const IDLE_TIMEOUT: Duration = Duration::from_secs(240);

/// What a run is started with.
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) replicas: usize,
    /// How long a disturbance lasts, unless it has a duration of its own.
    pub(super) fault_duration: Duration,
    /// The programs that the replicas run, in turn.
    pub(super) programs: Vec<PathBuf>,
}

/// The replicas of the service, and everything around them.
pub(super) struct ChaosRun {
    started_at: Instant,
    pub(super) seed: u64,
    pub(super) sandbox: Sandbox,
    pub(super) webhook_sender: WebhookSender,
    simulation: Arc<Mutex<Simulation>>,
    pub(super) replicas: Vec<Replica>,
    wanted_replicas: usize,
    pub(super) fault_duration: Duration,
    pub(super) replica_config: ReplicaConfig,
    pub(super) late_settles_refused: u64,
    /// What the attack that was just played came to.
    pub(super) attack_figures: Option<String>,
    simulation_task: Option<AbortOnDropHandle<()>>,
    /// Behind the replicas, so that it stops after them.
    pub(super) database: Database,
    _directory: TemporaryDirectory,
}

impl ChaosRun {
    /// Starts everything and checks that an undisturbed order arrives.
    pub(super) async fn start(plan: Plan) -> Result<Self> {
        let Plan { seed, replicas, fault_duration, programs } = plan;
        let started_at = Instant::now();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let seeded = |offset: u64| Arc::new(Entropy::seeded(seed.wrapping_mul(8).wrapping_add(offset)));
        let any_port = "127.0.0.1:0".parse()?;
        let sandbox = Sandbox::start(any_port, any_port, clock, seeded(0)).await?;

        let directory = TemporaryDirectory::new("chaos")?;
        let database = Database::start(directory.path()).await?;
        let config = directory.path().join("silta.toml");
        std::fs::write(&config, configuration(&sandbox))?;
        let replica_config =
            ReplicaConfig { programs, started: AtomicUsize::new(0), config, database: database.url.clone() };

        let webhook_sender = WebhookSender::with_timeout(&[], CONNECTION, Duration::from_secs(2));
        let traffic = Traffic { orders: usize::MAX, lost: 0.1, doubled: 0.1, late: 0.1 };
        let prefix = format!("{CONNECTION}-");
        let simulation = Simulation::start(&sandbox, webhook_sender.clone(), seeded(3), traffic, &prefix);
        let mut run = Self {
            started_at,
            seed,
            sandbox,
            webhook_sender,
            simulation: Arc::new(Mutex::new(simulation)),
            replicas: Vec::new(),
            wanted_replicas: replicas,
            fault_duration,
            replica_config,
            late_settles_refused: 0,
            attack_figures: None,
            simulation_task: None,
            database,
            _directory: directory,
        };
        run.begin().await?;
        Ok(run)
    }

    async fn begin(&mut self) -> Result<()> {
        self.restore_all();
        self.start_missing_replicas().await?;
        // Not before the first replica has started the connection: older orders are never sent.
        self.simulation_task = Some(run_simulation(self.simulation.clone()));
        self.simulation.lock().await.announce_catalogue().await;
        let recovered = self.measure_recovery().await?;
        anyhow::ensure!(recovered.is_some(), "not even an undisturbed order arrives");
        Ok(())
    }

    /// Plays a disturbance, restores everything, and measures how long a new order takes.
    pub(super) async fn inject_and_recover(
        &mut self,
        disturbance: Disturbance,
        entropy: &Entropy,
    ) -> Result<Outcome> {
        let started_at = Instant::now();
        let is_reached = self.inject(disturbance, entropy).await?;
        self.restore_all();
        let lasted = started_at.elapsed();
        self.start_missing_replicas().await?;
        let figures = self.attack_figures.take();
        Ok(Outcome { disturbance, lasted, recovered: self.measure_recovery().await?, is_reached, figures })
    }

    /// Starts the replicas that are missing, and sends webhooks to all of them.
    async fn start_missing_replicas(&mut self) -> Result<()> {
        while self.replicas.len() < self.wanted_replicas {
            self.replicas.push(Replica::start(&self.replica_config, None).await?);
        }
        self.announce_replicas();
        Ok(())
    }

    /// Sends webhooks to all replicas.
    pub(super) fn announce_replicas(&self) {
        let urls: Vec<_> = self.replicas.iter().map(|replica| replica.url.clone()).collect();
        self.webhook_sender.set_replicas(&urls);
    }

    /// How long an order placed now takes to the warehouse. Its webhook is sent until it is answered 200.
    async fn measure_recovery(&self) -> Result<Option<Duration>> {
        let started_at = Instant::now();
        let order = self.sandbox.shop.place_order(OrderSpec::of("KAHVI-500", 1));
        let webhook = self.sandbox.shop.order_created(order);
        let reference = format!("{CONNECTION}-{order}");
        let mut is_sent = false;
        while started_at.elapsed() < RECOVERY_TIMEOUT {
            if !is_sent {
                is_sent = self.webhook_sender.send(&webhook).await.is_some_and(|(status, _)| status == 200);
            }
            if self.sandbox.warehouse.count(&reference) > 0 {
                return Ok(Some(started_at.elapsed()));
            }
            pause(Duration::from_millis(25)).await;
        }
        Ok(None)
    }

    /// Stops the orders, waits until everything is idle, and completes the report.
    pub(super) async fn finish(&self, report: &mut Report) -> Result<()> {
        for server in [&self.sandbox.shop_server, &self.sandbox.warehouse_server] {
            server.faults.set_random(None);
        }
        self.simulation.lock().await.stop_orders();
        self.wait_until_idle().await?;
        let acknowledged: BTreeSet<Uuid> =
            self.webhook_sender.acknowledged_ids().iter().filter_map(|id| id.parse().ok()).collect();
        let acknowledged: Vec<_> = acknowledged.into_iter().collect();
        let mut db = self.database.pool.acquire().await?;
        let stored = chaos::count_events(&mut db, &acknowledged).await?;
        report.acknowledged = acknowledged.len();
        report.acknowledged_missing = acknowledged.len() - usize::try_from(stored)?;
        report.rescued = chaos::count_rescued(&mut db).await?;
        drop(db);
        report.reconciliation = self.reconcile();
        report.left_over = self.count_left_over().await?;
        report.faults_met =
            self.sandbox.shop_server.faults.hit_count() + self.sandbox.warehouse_server.faults.hit_count();
        report.late_settles_refused = self.late_settles_refused;
        let simulation = self.simulation.lock().await;
        (report.webhooks_sent, report.webhooks_withheld) = (simulation.sent().0, simulation.withheld());
        report.seconds = self.started_at.elapsed().as_secs_f64();
        Ok(())
    }

    /// Waits until nothing is open or out of sync for four seconds, or the timeout ends.
    async fn wait_until_idle(&self) -> Result<()> {
        let started_at = Instant::now();
        let mut idle_since: Option<Instant> = None;
        while started_at.elapsed() < IDLE_TIMEOUT {
            let has_more = self.simulation.lock().await.step().await;
            let counts = self.reconcile();
            let is_idle = !has_more
                && self.count_left_over().await? == 0
                && counts.is_balanced()
                && counts.tracking_back == counts.shipped;
            idle_since = if is_idle { idle_since.or_else(|| Some(Instant::now())) } else { None };
            if idle_since.is_some_and(|since| since.elapsed() > Duration::from_secs(4)) {
                break;
            }
            pause(STEP).await;
        }
        Ok(())
    }

    /// Stops all replicas as SIGTERM does.
    pub(super) async fn stop(mut self) -> Result<()> {
        for replica in self.replicas.drain(..) {
            replica.stop(Duration::from_secs(15)).await?;
        }
        self.database.pool.close().await;
        Ok(())
    }

    fn reconcile(&self) -> Reconciliation {
        reconcile(&self.sandbox.shop, &self.sandbox.warehouse, &format!("{CONNECTION}-"))
    }

    /// The number of tasks that are open or dead.
    async fn count_left_over(&self) -> Result<i64> {
        let mut db = self.database.pool.acquire().await?;
        let backlog = overview::backlog(&mut db, SystemClock.now()).await?;
        let open: i64 = backlog.iter().map(|connection| connection.open).sum();
        Ok(open + overview::count_dead(&mut db).await?)
    }
}
