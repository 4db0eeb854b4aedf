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
    connection::Line,
    disturbance::Disturbance,
    environment::{CONNECTION, STEP, configuration, live, start_database},
    pause,
    replica::{Recipe, Replica},
    report::{Outcome, Report},
};
use crate::{
    dev::{
        demo::TemporaryDirectory,
        sandbox::{Courier, Life, OrderSpec, Pace, Sandbox, audit},
    },
    runtime::{
        clock::{Clock, Entropy, SystemClock},
        embedded_postgres::PrivatePostgres,
    },
    store::{self, chaos, views::overview},
};

/// How long until an order must have come through, and until everything must have come to rest.
const TO_RECOVER: Duration = Duration::from_secs(120);
const TO_REST: Duration = Duration::from_secs(240);

/// Everything that plays.
pub(super) struct Stage {
    begun: Instant,
    pub(super) seed: u64,
    pub(super) sandbox: Sandbox,
    pub(super) courier: Courier,
    day: Arc<Mutex<Life>>,
    pub(super) replicas: Vec<Replica>,
    wanted: usize,
    /// How long a disturbance lasts, unless it says otherwise.
    pub(super) hold: Duration,
    pub(super) recipe: Recipe,
    pub(super) line: Line,
    pub(super) pool: PgPool,
    pub(super) late_settles_refused: u64,
    played: Option<AbortOnDropHandle<()>>,
    /// `None` while it is down. Behind the replicas, so that it stops after them.
    pub(super) private: Option<PrivatePostgres>,
    pub(super) data_dir: PathBuf,
    _directory: TemporaryDirectory,
}

impl Stage {
    pub(super) async fn set(
        seed: u64,
        replicas: usize,
        hold: Duration,
        programs: Vec<PathBuf>,
    ) -> Result<Self> {
        let begun = Instant::now();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let seeded = |offset: u64| Arc::new(Entropy::seeded(seed.wrapping_mul(8).wrapping_add(offset)));
        let any_port = "127.0.0.1:0".parse()?;
        let sandbox = Sandbox::start(any_port, any_port, clock, seeded(0)).await?;

        let directory = TemporaryDirectory::new("proof")?;
        let data_dir = directory.path().join("data");
        let private = start_database(&data_dir).await?;
        let options = private.database().await?;
        // Our own way to the books, past the line; the server that it leads to comes and goes.
        let pool = PgPoolOptions::new().max_connections(4).test_before_acquire(true);
        let pool = pool.connect_lazy_with(options.clone());
        store::migrate(&pool).await?;
        let server = options.get_socket().context("a private PostgreSQL has a socket")?;
        let near = directory.path().join("line");
        std::fs::create_dir(&near)?;
        let line = Line::lay(&near, server)?;

        let config = directory.path().join("silta.toml");
        std::fs::write(&config, configuration(&sandbox))?;
        let database = format!("postgres://silta@localhost/silta?host={}", near.display());
        let recipe = Recipe { programs, started: AtomicUsize::new(0), config, database };

        let courier = Courier::patient(&[], CONNECTION, Duration::from_secs(2));
        let (shop, warehouse) = (sandbox.shop.clone(), sandbox.warehouse.clone());
        let pace = Pace { orders: usize::MAX, lost: 0.1, doubled: 0.1, late: 0.1 };
        let prefix = format!("{CONNECTION}-");
        let day = Life::begin(shop, warehouse, courier.clone(), seeded(3), pace, &prefix);
        let day = Arc::new(Mutex::new(day));
        let mut stage = Self {
            begun,
            seed,
            sandbox,
            courier,
            day,
            replicas: Vec::new(),
            wanted: replicas,
            hold,
            recipe,
            line,
            pool,
            late_settles_refused: 0,
            played: None,
            private: Some(private),
            data_dir,
            _directory: directory,
        };
        stage.everything_works();
        stage.fill_up().await?;
        // Not before the first replica has begun the connection: an older order is history, and never sent.
        stage.played = Some(live(stage.day.clone()));
        stage.day.lock().await.opens().await;
        anyhow::ensure!(stage.recovers().await?.is_some(), "not even an undisturbed order comes through");
        Ok(stage)
    }

    /// Breaks one thing, puts it right, and sees how long an order then takes.
    pub(super) async fn disturb(&mut self, what: Disturbance, entropy: &Entropy) -> Result<Outcome> {
        let begun = Instant::now();
        let happened = self.play(what, entropy).await?;
        self.everything_works();
        let lasted = begun.elapsed();
        self.fill_up().await?;
        Ok(Outcome { disturbance: what, lasted, recovered: self.recovers().await?, happened })
    }

    /// As many replicas as there should be, and the way to them.
    async fn fill_up(&mut self) -> Result<()> {
        while self.replicas.len() < self.wanted {
            self.replicas.push(Replica::start(&self.recipe, None).await?);
        }
        let urls: Vec<_> = self.replicas.iter().map(|replica| replica.url.clone()).collect();
        self.courier.reroute(&urls);
        Ok(())
    }

    /// How long an order placed now takes to the warehouse; the sender of its webhook tries until it is taken.
    async fn recovers(&self) -> Result<Option<Duration>> {
        let begun = Instant::now();
        let order = self.sandbox.shop.takes_order(OrderSpec::of("KAHVI-500", 1));
        let webhook = self.sandbox.shop.order_created(order);
        let reference = format!("{CONNECTION}-{order}");
        let mut is_told = false;
        while begun.elapsed() < TO_RECOVER {
            if !is_told {
                is_told = self.courier.carries(&webhook).await.is_some_and(|(status, _)| status == 200);
            }
            if self.sandbox.warehouse.count(&reference) > 0 {
                return Ok(Some(begun.elapsed()));
            }
            pause(Duration::from_millis(25)).await;
        }
        Ok(None)
    }

    /// Lets the day end, waits until everything has come to rest, and writes down what the books say.
    pub(super) async fn rest(&self, report: &mut Report) -> Result<()> {
        for server in [&self.sandbox.shop_server, &self.sandbox.warehouse_server] {
            server.faults.storm(None);
        }
        self.day.lock().await.closes();
        let begun = Instant::now();
        let mut quiet_since: Option<Instant> = None;
        while begun.elapsed() < TO_REST {
            let goes_on = self.day.lock().await.step().await;
            let books = self.books();
            let is_rest = !goes_on
                && self.left_over().await? == 0
                && books.are_balanced()
                && books.tracking_back == books.shipped;
            quiet_since = if is_rest { quiet_since.or_else(|| Some(Instant::now())) } else { None };
            if quiet_since.is_some_and(|since| since.elapsed() > Duration::from_secs(4)) {
                break;
            }
            pause(STEP).await;
        }
        let told: BTreeSet<Uuid> = self.courier.receipts().iter().filter_map(|id| id.parse().ok()).collect();
        let told: Vec<_> = told.into_iter().collect();
        let mut db = self.pool.acquire().await?;
        let there = chaos::count_events(&mut db, &told).await?;
        report.acknowledged = told.len();
        report.acknowledged_missing = told.len() - usize::try_from(there)?;
        report.rescued = chaos::count_rescued(&mut db).await?;
        drop(db);
        report.books = self.books();
        report.left_over = self.left_over().await?;
        report.faults_met =
            self.sandbox.shop_server.faults.met() + self.sandbox.warehouse_server.faults.met();
        report.late_settles_refused = self.late_settles_refused;
        let day = self.day.lock().await;
        (report.webhooks_sent, report.webhooks_withheld) = (day.sent().0, day.withheld());
        report.seconds = self.begun.elapsed().as_secs_f64();
        Ok(())
    }

    /// Ends everything in order.
    pub(super) async fn strike(mut self) -> Result<()> {
        for replica in self.replicas.drain(..) {
            replica.end(Duration::from_secs(15)).await?;
        }
        self.pool.close().await;
        Ok(())
    }

    fn books(&self) -> crate::dev::sandbox::Books {
        audit(&self.sandbox.shop, &self.sandbox.warehouse, &format!("{CONNECTION}-"))
    }

    /// Deliveries still open or dead.
    async fn left_over(&self) -> Result<i64> {
        let mut db = self.pool.acquire().await?;
        let backlog = overview::backlog(&mut db, SystemClock.now()).await?;
        let open: i64 = backlog.iter().map(|connection| connection.open).sum();
        Ok(open + overview::count_dead(&mut db).await?)
    }
}
