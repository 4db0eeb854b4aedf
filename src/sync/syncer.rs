//! Runs syncs: those that operators request and those that are due.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    deps::Deps,
    error::SyncError,
    run::{LEASE, OnProgress, Run},
    scheduler::request_due,
    steps::run_steps,
};
use crate::{
    domain::{sync::SyncKind, task::reason::Reason},
    store::{
        self, NotifyListener, SYNC_REQUESTED_CHANNEL,
        sync_runs::{self, LeasedSync, Wanted},
    },
};

/// Syncs of a kind at once in a process, each of another connection. Each kind has places of its own, so that a comparison of
/// years of orders delays neither products nor stock.
const MAX_CONCURRENT: usize = 4;

/// How often requests are polled while the listener is disconnected: an operator waits for them.
const POLL_WITHOUT_LISTENER: Duration = Duration::from_secs(2);

/// How often the schedules are checked.
const SCHEDULE_INTERVAL: Duration = Duration::from_secs(30);

/// Runs syncs.
#[derive(Clone)]
pub struct Syncer(Arc<Deps>);

/// The places of one kind of sync.
struct Places {
    kind: SyncKind,
    free: Arc<Semaphore>,
}

/// The places of every kind.
fn all_places() -> Vec<Places> {
    let kinds = SyncKind::ALL.iter().copied();
    kinds.map(|kind| Places { kind, free: Arc::new(Semaphore::new(MAX_CONCURRENT)) }).collect()
}

type RunningSyncs = JoinSet<store::Result<()>>;

impl Syncer {
    /// Creates a syncer that does nothing until it is run.
    pub fn new(deps: Deps) -> Self {
        Self(Arc::new(deps))
    }

    /// Runs requested and due syncs until `soft` is cancelled. A sync that is cut off then is resumed at its page by the
    /// next process.
    pub async fn run(&self, soft: CancellationToken) {
        let Deps { pool, entropy, .. } = &*self.0;
        let mut schedule_at = Instant::now();
        let mut listener = NotifyListener::new(pool.clone(), SYNC_REQUESTED_CHANNEL);
        let (mut running, places) = (RunningSyncs::new(), all_places());
        while !soft.is_cancelled() {
            let is_listening = listener.ensure_open().await;
            let is_schedule_due = Instant::now() >= schedule_at;
            if is_schedule_due {
                schedule_at = Instant::now() + SCHEDULE_INTERVAL;
            }
            let started = async {
                if is_schedule_due {
                    request_due(&self.0).await?;
                }
                self.start_requested(&mut running, &places).await
            };
            if let Err(error) = started.await {
                tracing::warn!(error = %error, "cannot start syncs, retrying");
            }
            let poll = if is_listening { SCHEDULE_INTERVAL } else { POLL_WITHOUT_LISTENER };
            let pause = poll.mul_f64(1.0 + entropy.fraction() / 10.0);
            let wake = async {
                tokio::select! {
                    () = listener.wait_for_notification() => {}
                    Some(ended) = running.join_next() => match ended {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => tracing::warn!(error = %error, "sync interrupted, it resumes once its lease runs out"),
                        Err(_) => tracing::error!("sync panicked, it resumes once its lease runs out"),
                    },
                    () = soft.cancelled() => {}
                }
            };
            let _ = tokio::time::timeout(pause, wake).await;
        }
    }

    /// Runs every requested and due sync; returns how many. Tests drive the syncer with it.
    pub async fn run_due(&self) -> store::Result<usize> {
        request_due(&self.0).await?;
        let (mut running, places, mut ended) = (RunningSyncs::new(), all_places(), 0);
        loop {
            self.start_requested(&mut running, &places).await?;
            let Some(one) = running.join_next().await else { return Ok(ended) };
            one.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))?;
            ended += 1;
        }
    }

    /// Runs this sync; false where another process runs it.
    pub async fn run_one(&self, id: Uuid, on_progress: OnProgress<'_>) -> store::Result<bool> {
        let Some(leased) = self.claim(Wanted::Only(id)).await? else { return Ok(false) };
        self.run_leased(&leased, on_progress).await.map(|()| true)
    }

    /// Starts requested syncs up to the limit of their kind. They run concurrently, and a panic affects one alone.
    async fn start_requested(&self, running: &mut RunningSyncs, places: &[Places]) -> store::Result<()> {
        for Places { kind, free } in places {
            while let Ok(place) = free.clone().try_acquire_owned() {
                let Some(leased) = self.claim(Wanted::Kind(*kind)).await? else { break };
                self.start(running, leased, place);
            }
        }
        Ok(())
    }

    fn start(&self, running: &mut RunningSyncs, leased: LeasedSync, place: OwnedSemaphorePermit) {
        let syncer = self.clone();
        running.spawn(async move {
            let _place = place;
            syncer.run_leased(&leased, &|_| {}).await
        });
    }

    async fn claim(&self, wanted: Wanted) -> store::Result<Option<LeasedSync>> {
        let Deps { pool, clock, entropy, dry_runner, .. } = &*self.0;
        let now = clock.now();
        let mut db = pool.acquire().await?;
        sync_runs::claim(&mut db, &dry_runner.connections(), wanted, entropy.fence(), now, now + LEASE).await
    }

    async fn run_leased(&self, leased: &LeasedSync, on_progress: OnProgress<'_>) -> store::Result<()> {
        let (connection, what) = (&leased.connection, leased.what.as_str());
        let mut run = Run::resume(&self.0, leased, on_progress);
        let failed = match run_steps(&mut run).await {
            Ok(()) => None,
            Err(SyncError::LeaseLost) => return Ok(()), // it was cancelled, or the process that has it now finishes it
            Err(SyncError::Store(error)) => return Err(error),
            Err(SyncError::NotConfigured) => Some(Reason::Refused),
            Err(SyncError::StartUnknown(_)) => Some(Reason::DatabaseUnavailable),
            Err(SyncError::Call(error)) => {
                let reason = error.read_failure_reason();
                tracing::warn!(sync = %leased.id, connection, what, reason = reason.code(), "sync failed");
                Some(reason)
            }
        };
        let braked = run.braked;
        if let Some(reason) = braked {
            tracing::warn!(sync = %leased.id, connection, what, reason = reason.code(), "sync waits for approval, nothing is fixed");
        }
        let mut db = self.0.pool.acquire().await?;
        sync_runs::finish(&mut db, leased, failed, braked, self.0.clock.now()).await?;
        tracing::info!(sync = %leased.id, connection, what, "sync ended");
        Ok(())
    }
}
