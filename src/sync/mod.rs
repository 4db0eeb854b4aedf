//! A sync: the full sync of both sides, by what stands there and not by what was told.
//!
//! A report of what happened cannot show what never happened. So now and then, on schedule and by hand, everything is
//! read on both sides and the very function that decides about one subject is asked about each: a difference is
//! whatever it would do something about. Differences that fix themselves become ordinary tasks, which read both
//! sides afresh before they do anything; the rest carries its remedy in words.
//!
//! ```text
//! read_warehouse ─▶ read_shop ─▶ compare ─▶ fix ─▶ end
//!  into rows         page by page  what is    unless too much would be
//!                                  left over  fixed at once: then a person approves
//! ```
//!
//! **In the space of a few pages.** The warehouse is read into rows and not into memory; the shop's catalogue is the
//! register of codes anyway. **Resumable.** A sync is a row under a lease, with its step and page; one whose process dies
//! goes on in another. **Giving way.** It spends the rate budget only where nobody live needs it, and what it opens is
//! claimed last.
//!
//! **Nothing in bulk that cannot be taken back.** Fixing comes last, when the whole is known: a list that was cut off, or
//! a feed that fell to zero, shows as a great share of one kind of difference, and then nothing is fixed before a person
//! has looked (`fix.rs`).

mod dry_run;
mod fix;
mod orders;
mod products;
mod run;
mod stock;

use std::{collections::HashMap, sync::Arc, time::Duration};

pub use dry_run::DryRunner;
pub use fix::FIXABLE_DIFFERENCES;
use run::Run;
use sqlx::PgPool;
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    domain::{sync::SyncKind, task::outcome::Reason},
    runtime::clock::{Clock, Entropy},
    store::{
        self, NotifyListener, SYNC_REQUESTED_CHANNEL, StoreError, connections,
        sync_runs::{self, LeasedSync, Progress},
        syncs::{self, NewSync},
    },
    vendors::http::error::CallError,
};

/// How long a sync is ours without a sign of life; each page is one. Losing it costs one page: whoever takes it up goes
/// on.
const LEASE: Duration = Duration::from_secs(60);

/// Syncs at once in a process, each of another connection: one that takes hours keeps nobody else's waiting.
const MAX_CONCURRENT: usize = 4;

/// How often we look whether one is asked for, while nobody can tell us of it: a person waits for it.
const POLL_WITHOUT_LISTENER: Duration = Duration::from_secs(2);

/// How often we look which of each connection's are due by the clock: nobody waits for these.
const SCHEDULE_INTERVAL: Duration = Duration::from_secs(30);

/// When a failed sync is due again, should its schedule say later.
const RETRY_AFTER_FAILURE: Duration = Duration::from_secs(3600);

/// The same for the first reading of the catalogue.
const CATALOGUE_RETRY: Duration = Duration::from_secs(60);

/// Who asks for what is due by the clock.
const SCHEDULE: &str = "schedule";

/// Told whenever a sync has come a page further: for progress bars.
pub type OnProgress<'a> = &'a (dyn Fn(&Progress) + Send + Sync);

/// How often a connection is compared by the clock, and what of that waits for a person.
#[derive(Clone, Debug, Default)]
pub struct SyncSchedule {
    /// Zero is never.
    pub every: Duration,
    /// Classes of [`FIXABLE_DIFFERENCES`] that a sync by the clock leaves for a person to approve.
    pub approve: Vec<String>,
}

/// Runs syncs.
#[derive(Clone)]
pub struct Syncer {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    entropy: Arc<Entropy>,
    dry_runner: Arc<DryRunner>,
    schedule: Arc<HashMap<String, SyncSchedule>>,
}

/// Syncs on their way.
type RunningSyncs = JoinSet<store::Result<()>>;

/// What a syncer is made of.
pub struct Deps {
    /// Where syncs are kept.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and fences.
    pub entropy: Arc<Entropy>,
    /// Who reads and decides.
    pub dry_runner: Arc<DryRunner>,
    /// Each connection's syncs.
    pub schedule: HashMap<String, SyncSchedule>,
}

/// Why a sync ended before its end.
#[derive(Debug, thiserror::Error)]
enum SyncError {
    /// A list could not be read.
    #[error("a list could not be read")]
    Call(#[from] CallError),
    /// What was found could not be kept.
    #[error("the database is away")]
    Store(#[from] StoreError),
    /// The connection is none that this process knows.
    #[error("this process does not know the connection")]
    NotConfigured,
    /// Another process took it over.
    #[error("the lease was lost")]
    LeaseLost,
}

impl From<sqlx::Error> for SyncError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::from(error))
    }
}

impl Syncer {
    /// A syncer at rest.
    pub fn new(deps: Deps) -> Self {
        let Deps { pool, clock, entropy, dry_runner, schedule } = deps;
        Self { pool, clock, entropy, dry_runner, schedule: Arc::new(schedule) }
    }

    /// Runs what is asked for and what is due, until told to stop. One that is cut off then is taken up at its page by
    /// whoever comes next.
    pub async fn run(&self, soft: CancellationToken) {
        let mut schedule_at = Instant::now();
        let mut listener = NotifyListener::new(self.pool.clone(), SYNC_REQUESTED_CHANNEL);
        let mut running = RunningSyncs::new();
        while !soft.is_cancelled() {
            let is_listening = listener.ensure_open().await;
            let is_schedule_due = Instant::now() >= schedule_at;
            if is_schedule_due {
                schedule_at = Instant::now() + SCHEDULE_INTERVAL;
            }
            let started = async {
                if is_schedule_due {
                    self.request_due().await?;
                }
                self.start_requested(&mut running).await
            };
            if let Err(error) = started.await {
                tracing::warn!(error = %error, "cannot sync");
            }
            let poll = if is_listening { SCHEDULE_INTERVAL } else { POLL_WITHOUT_LISTENER };
            let pause = poll.mul_f64(1.0 + self.entropy.fraction() / 10.0);
            let wake = async {
                tokio::select! {
                    () = listener.wait_for_notification() => {}
                    Some(ended) = running.join_next() => match ended {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => tracing::warn!(error = %error, "cannot sync"),
                        Err(_) => tracing::error!("a sync panicked: a fault of ours; it goes on when its lease runs out"),
                    },
                    () = soft.cancelled() => {}
                }
            };
            let _ = tokio::time::timeout(pause, wake).await;
        }
    }

    /// Runs everything that is asked for or due now; answers how many: the crank of the tests.
    pub async fn run_due(&self) -> store::Result<usize> {
        self.request_due().await?;
        let (mut running, mut ended) = (RunningSyncs::new(), 0);
        loop {
            self.start_requested(&mut running).await?;
            let Some(one) = running.join_next().await else { return Ok(ended) };
            one.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))?;
            ended += 1;
        }
    }

    /// Begins what is asked for, as far as there is room: each beside the others, and one that panics costs itself alone.
    async fn start_requested(&self, running: &mut RunningSyncs) -> store::Result<()> {
        while running.len() < MAX_CONCURRENT {
            let Some(leased) = self.claim(None).await? else { break };
            let syncer = self.clone();
            running.spawn(async move { syncer.run_leased(&leased, &|_| {}).await });
        }
        Ok(())
    }

    /// Runs this sync here and now; false where another process has it.
    pub async fn run_one(&self, id: Uuid, on_progress: OnProgress<'_>) -> store::Result<bool> {
        let Some(leased) = self.claim(Some(id)).await? else { return Ok(false) };
        self.run_leased(&leased, on_progress).await.map(|()| true)
    }

    async fn claim(&self, only: Option<Uuid>) -> store::Result<Option<LeasedSync>> {
        let now = self.clock.now();
        let mut db = self.pool.acquire().await?;
        let (names, fence) = (self.dry_runner.names(), self.entropy.fence());
        sync_runs::claim(&mut db, &names, only, fence, now, now + LEASE).await
    }

    async fn run_leased(&self, leased: &LeasedSync, on_progress: OnProgress<'_>) -> store::Result<()> {
        let mut run = Run::resume(self, leased, on_progress);
        let error = match run.run_to_end().await {
            Ok(()) => None,
            Err(SyncError::LeaseLost) => return Ok(()), // whoever holds it now will end it
            Err(SyncError::Store(error)) => return Err(error),
            Err(SyncError::NotConfigured) => Some(Reason::Refused),
            Err(SyncError::Call(error)) => {
                let reason = error.read_failure_reason();
                let (connection, what) = (&leased.connection, leased.what.as_str());
                tracing::warn!(sync = %leased.id, connection, what, reason = reason.code(), "sync failed");
                Some(reason)
            }
        };
        let braked = run.braked;
        if let Some(reason) = braked {
            let (connection, what, reason) = (&leased.connection, leased.what.as_str(), reason.code());
            tracing::warn!(sync = %leased.id, connection, what, reason, "nothing is fixed before a person approves");
        }
        let mut db = self.pool.acquire().await?;
        sync_runs::finish(&mut db, leased, error, braked, self.clock.now()).await?;
        tracing::info!(sync = %leased.id, connection = leased.connection, what = leased.what.as_str(), "sync ended");
        Ok(())
    }

    /// Asks for what is due by the clock.
    async fn request_due(&self) -> store::Result<()> {
        let now = self.clock.now();
        let mut db = self.pool.acquire().await?;
        let (rows, asked) = (connections::list(&mut db).await?, syncs::list_last_requests(&mut db).await?);
        for (connection, sync_schedule) in &*self.schedule {
            let Some(row) = rows.iter().find(|row| row.name == *connection) else { continue };
            for what in SyncKind::ALL {
                let last = asked.iter().find(|it| it.connection == *connection && it.what == what.as_str());
                let after = match last {
                    // No product is sent before the catalogue was read once, so that is tried whatever the schedule says.
                    _ if what == SyncKind::Products && row.catalogue_read_at.is_none() => CATALOGUE_RETRY,
                    _ if sync_schedule.every.is_zero() => continue,
                    Some(last) if last.failed => sync_schedule.every.min(RETRY_AFTER_FAILURE),
                    _ => sync_schedule.every,
                };
                if last.is_some_and(|last| now < last.created_at + after) {
                    continue;
                }
                let not_before =
                    self.dry_runner.clients(connection).and_then(|clients| clients.orders.not_before);
                let new = NewSync {
                    id: self.entropy.id(now),
                    connection,
                    what,
                    dry_run: false,
                    actor: SCHEDULE,
                    since: syncs::default_since(not_before.unwrap_or(row.created_at), now),
                    at: now,
                };
                syncs::request(&mut db, &new).await?;
            }
        }
        Ok(())
    }
}
