//! The session of a demo: starts everything, plays the day and counts the result.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use sqlx::PgPool;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::{
    configuration::{CONNECTION, configuration},
    options::Options,
    verdict::{Verdict, describe_open_tasks},
    view::View,
};
use crate::{
    actions::{self, ActionError, Actor, SyncRequest},
    app::{
        self, App, AppDeps,
        config::{Config, Environment},
        shutdown::Shutdown,
    },
    dev::{
        sandbox::{Reconciliation, Sandbox, Simulation, WebhookSender, reconcile},
        temporary_directory::TemporaryDirectory,
    },
    domain::{event::subject::Subject, sync::SyncKind},
    runtime::{
        clock::{Clock, Entropy, SystemClock},
        embedded_postgres::{Durability, PrivatePostgres},
        failpoints::Failpoints,
    },
    store::{self, redaction, syncs, views::overview},
};

/// The pause between two steps of the day.
const STEP: Duration = Duration::from_millis(60);

/// How long after the last order both vendors work again: what is left then takes a few seconds.
const FAULTS_AFTER_LAST_ORDER: Duration = Duration::from_secs(30);

/// How long a final sync may take. Longer than the lease of a sync: one that was interrupted resumes only when its lease
/// runs out.
const SYNC_TIMEOUT: Duration = Duration::from_secs(150);

/// The service, the sandbox and the simulated day.
pub(super) struct Session {
    pub(super) url: String,
    sandbox: Sandbox,
    simulation: Simulation,
    pool: PgPool,
    shutdown: Shutdown,
    service: JoinHandle<()>,
    started_at: Instant,
    /// What was still waited for when the day's time was over.
    waiting: Vec<String>,
    /// Last, so that it stops after the service.
    _private: PrivatePostgres,
    _directory: TemporaryDirectory,
}

impl Session {
    pub(super) async fn start(options: &Options) -> Result<Self> {
        let started_at = Instant::now();
        let seeded =
            |offset: u64| Arc::new(Entropy::seeded(options.seed.wrapping_mul(4).wrapping_add(offset)));
        let any_port = "127.0.0.1:0".parse()?;
        let sandbox = Sandbox::start(any_port, any_port, Arc::new(SystemClock), seeded(0)).await?;

        let directory = TemporaryDirectory::new("demo")?;
        let data_dir = directory.path().to_owned();
        let start = move || PrivatePostgres::start(&data_dir, Durability::Full);
        let private = tokio::task::spawn_blocking(start).await??;
        let pool = store::connect(private.database().await?, 16);
        store::migrate(&pool).await?;
        let shutdown = Shutdown::default();
        let (url, service) = start_service(&sandbox, pool.clone(), shutdown.clone()).await?;

        for (server, offset) in [(&sandbox.shop_server, 1), (&sandbox.warehouse_server, 2)] {
            server.faults.set_random(options.faults.random_faults(seeded(offset)));
        }
        let webhook_sender = WebhookSender::to(&url, CONNECTION);
        let traffic = options.faults.traffic(options.orders);
        let prefix = format!("{CONNECTION}-");
        let simulation = Simulation::start(&sandbox, webhook_sender, seeded(3), traffic, &prefix);
        Ok(Self {
            url,
            sandbox,
            simulation,
            pool,
            shutdown,
            service,
            started_at,
            waiting: Vec::new(),
            _private: private,
            _directory: directory,
        })
    }

    /// Plays until the day is over and everything is idle, or the timeout ends.
    pub(super) async fn run_until_idle(&mut self, view: &View, idle_timeout: Duration) -> Result<()> {
        self.simulation.announce_catalogue().await;
        let mut last_order_at = Instant::now();
        let mut idle_since = None;
        loop {
            anyhow::ensure!(!self.service.is_finished(), "the service ended in the middle of the day");
            let has_more = self.simulation.step().await;
            if self.simulation.placed() < view.orders() {
                last_order_at = Instant::now();
            }
            let counts = self.reconcile();
            let open = self.count_open().await?;
            view.show(&counts, open, self.faults_met(), self.simulation.sent(), self.simulation.withheld());
            let is_idle =
                !has_more && open == 0 && counts.is_balanced() && counts.tracking_back == counts.shipped;
            // Idle for a while: a poll may still find something.
            idle_since = if is_idle { idle_since.or_else(|| Some(Instant::now())) } else { None };
            if idle_since.is_some_and(|since| since.elapsed() > Duration::from_secs(3)) {
                return Ok(());
            }
            if last_order_at.elapsed() > FAULTS_AFTER_LAST_ORDER && self.end_faults() {
                view.note("both vendors work again");
            }
            if last_order_at.elapsed() > idle_timeout {
                self.waiting = describe_open_tasks(&mut *self.pool.acquire().await?).await?;
                return Ok(());
            }
            #[expect(clippy::disallowed_methods, reason = "the demo runs in real time")]
            tokio::time::sleep(STEP).await;
        }
    }

    pub(super) async fn verdict(&mut self) -> Result<Verdict> {
        // The last sync runs without faults.
        self.end_faults();
        let mut differences = 0;
        for what in SyncKind::ALL.iter().copied() {
            differences += self.count_differences(what).await?;
        }
        let mut db = self.pool.acquire().await?;
        let left_over = self.count_open().await? + overview::count_dead(&mut db).await?;
        let mut reconciliation = self.reconcile();
        let mut not_yet = 0;
        for order in &reconciliation.missing {
            let subject = Subject::order(order.to_string()).to_string();
            not_yet += usize::from(redaction::has_open_task(&mut db, CONNECTION, &subject).await?);
        }
        reconciliation.lost -= not_yet;
        Ok(Verdict {
            reconciliation,
            not_yet,
            waiting: std::mem::take(&mut self.waiting),
            left_over,
            differences,
            faults_met: self.faults_met(),
            webhooks_sent: self.simulation.sent().0,
            webhooks_withheld: self.simulation.withheld(),
            seconds: self.started_at.elapsed().as_secs_f64(),
        })
    }

    /// Lets the service sync both sides as a dry run, and returns the number of differences.
    async fn count_differences(&self, what: SyncKind) -> Result<i64> {
        let entropy = Entropy::from_os();
        let actor = Actor { name: "demo", clock: &SystemClock, entropy: &entropy };
        let requested_at = Instant::now();
        while requested_at.elapsed() < SYNC_TIMEOUT {
            let mut db = self.pool.begin().await?;
            let request =
                SyncRequest { connection: CONNECTION, what, dry_run: true, since: None, not_before: None };
            let requested = actions::request_sync(&mut db, &actor, request).await;
            db.commit().await?;
            match requested {
                Ok(sync) => {
                    if let Some(count) = self.wait_for_sync(sync.id, requested_at).await? {
                        return Ok(count);
                    }
                }
                Err(ActionError::Conflict(_)) => pause().await, // a scheduled sync is running
                Err(error) => return Err(error.into()),
            }
        }
        anyhow::bail!("the sync of both sides does not end")
    }

    /// The differences of this sync once it has ended; `None` if it failed or takes too long.
    async fn wait_for_sync(&self, id: Uuid, requested_at: Instant) -> Result<Option<i64>> {
        loop {
            let mut db = self.pool.acquire().await?;
            let row = syncs::find(&mut db, id).await?.context("the sync is gone")?;
            drop(db);
            match row.state.as_str() {
                "done" => return Ok(Some(row.difference_count)),
                "running" if requested_at.elapsed() < SYNC_TIMEOUT => pause().await,
                _ => return Ok(None),
            }
        }
    }

    /// Stops the service as SIGTERM would.
    pub(super) async fn stop(self) {
        self.shutdown.soft.cancel();
        let _ = tokio::time::timeout(Duration::from_secs(20), self.service).await;
        self.shutdown.hard.cancel();
        self.pool.close().await;
    }

    fn reconcile(&self) -> Reconciliation {
        reconcile(&self.sandbox.shop, &self.sandbox.warehouse, &format!("{CONNECTION}-"))
    }

    /// Lets both vendors work from now on; false where they do.
    fn end_faults(&self) -> bool {
        let mut had_faults = false;
        for server in [&self.sandbox.shop_server, &self.sandbox.warehouse_server] {
            had_faults |= server.faults.set_random(None);
        }
        had_faults
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

/// Starts the service on a free port; returns its URL and its task.
async fn start_service(
    sandbox: &Sandbox,
    pool: PgPool,
    shutdown: Shutdown,
) -> Result<(String, JoinHandle<()>)> {
    let config = Config::load(&configuration(sandbox), &Environment::new())
        .map_err(|errors| anyhow::anyhow!("the demo's own configuration is invalid: {errors:?}"))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (entropy, failpoints) = (Arc::new(Entropy::from_os()), Failpoints::disabled());
    let connection_limits = config.http.connection_limits;
    let app = App::new(config, AppDeps { pool, clock, entropy, failpoints });
    app.prepare().await?;
    app.adopt_configuration().await?;
    let main = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", main.local_addr()?);
    let (_, no_reloads) = mpsc::channel(1);
    let served = app::serve(
        app,
        app::Listeners { main, monitoring: None },
        connection_limits,
        None,
        shutdown,
        no_reloads,
    );
    Ok((url, TaskTracker::new().spawn(served)))
}

/// Waits one step of the day.
#[expect(clippy::disallowed_methods, reason = "the demo runs in real time")]
async fn pause() {
    tokio::time::sleep(STEP).await;
}
