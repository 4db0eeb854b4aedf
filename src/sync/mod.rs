//! A sync: the full comparison of both sides, by what stands there and not by what was told.
//!
//! A report of what happened cannot show what never happened. So now and then, on schedule and by hand, everything is
//! read on both sides and the very function that decides about one subject is asked about each: a difference is
//! whatever it would do something about. What looks like one is read again, alone and freshly, before it is told, since
//! a list of thousands is old before its end. Differences that mend themselves become ordinary deliveries; the rest
//! carries its remedy in words.
//!
//! A sync is a row under a lease: replicas never compare the same thing side by side, and one that dies is begun anew.

mod orders;
mod rehearse;

use std::{collections::HashMap, sync::Arc, time::Duration};

pub use rehearse::Rehearser;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    clock::{Clock, Entropy},
    domain::{
        event::Source,
        id::{DeliveryId, EventId},
        outcome::{Outcome, Reason},
        subject::{Subject, Urgency},
    },
    flows::Tied,
    store::{
        self, Page, StoreError, connections,
        deliveries::Fenced,
        events::{self, OwnNews},
        syncs::{self, DifferenceRow, LeasedSync, NewSync, Progress},
    },
    systems::call::{CallError, Effect},
};

/// How long a sync is ours without a sign of life; each page is one.
const LEASE: Duration = Duration::from_secs(300);

/// How often we look whether one is asked for or due.
const POLL: Duration = Duration::from_secs(2);

/// How often a page that could not be read is asked for again.
const READ_TRIES: u32 = 5;

/// Told whenever a sync has come a page further: for progress bars.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Runs syncs.
pub struct Syncer {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    entropy: Arc<Entropy>,
    rehearser: Arc<Rehearser>,
    /// How often each connection's orders are compared by themselves; zero is never.
    schedule: HashMap<String, Duration>,
}

/// What a syncer is made of.
pub struct Parts {
    /// Where syncs are kept.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and fences.
    pub entropy: Arc<Entropy>,
    /// Who reads and decides.
    pub rehearser: Arc<Rehearser>,
    /// How often each connection's orders are compared by themselves; zero is never.
    pub schedule: HashMap<String, Duration>,
}

/// Why a sync ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A list could not be read.
    #[error("a list could not be read")]
    Call(#[from] CallError),
    /// What was found could not be kept.
    #[error("the database is away")]
    Store(#[from] StoreError),
    /// The connection, or this comparison, is none that this process knows.
    #[error("this process does not know how")]
    NotConfigured,
    /// Another process took it over.
    #[error("the lease was lost")]
    LeaseLost,
}

impl Syncer {
    /// A syncer at rest.
    pub fn new(parts: Parts) -> Self {
        let Parts { pool, clock, entropy, rehearser, schedule } = parts;
        Self { pool, clock, entropy, rehearser, schedule }
    }

    /// Runs what is asked for and what is due, until told to stop.
    pub async fn run(&self, soft: CancellationToken) {
        while !soft.is_cancelled() {
            let all = async {
                if let Err(error) = self.run_due().await {
                    tracing::warn!(error = %error, "cannot sync");
                }
            };
            // A sync that is cut off is begun anew by whoever comes next.
            tokio::select! { () = all => {}, () = soft.cancelled() => return }
            let pause = POLL.mul_f64(1.0 + self.entropy.fraction() / 10.0);
            let _ = tokio::time::timeout(pause, soft.cancelled()).await;
        }
    }

    /// Runs everything that is asked for or due now; answers how many: the crank of the tests.
    pub async fn run_due(&self) -> store::Result<usize> {
        self.request_due().await?;
        let mut finished = 0;
        while self.run_one(None, &|_| {}).await? {
            finished += 1;
        }
        Ok(finished)
    }

    /// Runs one waiting sync, or `only` this one; false where there is none to run.
    pub async fn run_one(&self, only: Option<Uuid>, on_progress: OnProgress<'_>) -> store::Result<bool> {
        let now = self.clock.now();
        let mut db = self.pool.acquire().await?;
        let (names, fence) = (self.rehearser.names(), self.entropy.fence());
        let held = syncs::claim(&mut db, &names, only, fence, now, now + LEASE).await?;
        drop(db); // never held across the network
        let Some(held) = held else { return Ok(false) };
        let mut run = Run {
            syncer: self,
            held: &held,
            on_progress,
            progress: Progress::default(),
            differences: 0,
            counts: HashMap::new(),
        };
        let ended = match held.what.as_str() {
            "orders" => run.compare_orders().await,
            _ => Err(Broken::NotConfigured),
        };
        let counts = serde_json::json!(run.counts);
        let error = match ended {
            Ok(()) => None,
            Err(Broken::LeaseLost) => return Ok(true), // whoever holds it now will end it
            Err(Broken::Store(error)) => return Err(error),
            Err(Broken::NotConfigured) => Some(Reason::Refused.code()),
            Err(Broken::Call(error)) => {
                let reason = error.reason_unread().code();
                tracing::warn!(sync = %held.id, connection = held.connection, what = held.what, reason, "sync failed");
                Some(reason)
            }
        };
        let mut db = self.pool.acquire().await?;
        syncs::finish(&mut db, &held, &counts, error, self.clock.now()).await?;
        let (connection, what, differences) = (&held.connection, &held.what, run.differences);
        tracing::info!(sync = %held.id, connection, what, differences, "sync ended");
        Ok(true)
    }

    /// Asks for what is due by the clock.
    async fn request_due(&self) -> store::Result<()> {
        let now = self.clock.now();
        for (connection, every) in self.schedule.iter().filter(|(_, every)| !every.is_zero()) {
            let mut db = self.pool.acquire().await?;
            let last =
                syncs::list(&mut db, Some(connection), Some("orders"), &Page { before: None, limit: 1 });
            let last = last.await?.first().map(|sync| sync.created_at);
            if last.is_some_and(|last| now < last + *every) {
                continue;
            }
            let Some(row) = connections::find(&mut db, connection).await? else { continue };
            let not_before = self.rehearser.tied(connection).and_then(|tied| tied.orders.not_before);
            let new = NewSync {
                id: self.entropy.id(now),
                connection,
                what: "orders",
                dry_run: false,
                actor: "schedule",
                since: syncs::usual_since(not_before.unwrap_or(row.created_at), now),
                at: now,
            };
            syncs::request(&mut db, &new).await?;
        }
        Ok(())
    }
}

/// One sync on its way.
struct Run<'a> {
    syncer: &'a Syncer,
    held: &'a LeasedSync,
    on_progress: OnProgress<'a>,
    progress: Progress,
    differences: i32,
    counts: HashMap<String, u64>,
}

/// What differs, in a word, and what mends it.
struct Difference<'a> {
    word: &'a str,
    reason: Option<Reason>,
    detail: Option<String>,
    remedy: &'a str,
    /// Does an ordinary delivery mend it?
    mends_itself: bool,
}

impl Run<'_> {
    fn count(&mut self, word: &str) {
        *self.counts.entry(word.to_owned()).or_default() += 1;
    }

    fn tied(&self) -> Result<&Tied, Broken> {
        self.syncer.rehearser.tied(&self.held.connection).ok_or(Broken::NotConfigured)
    }

    /// A page further: the lease is kept, and whoever watches is told.
    async fn advance(&mut self, more: usize) -> Result<(), Broken> {
        self.progress.done += i64::try_from(more).unwrap_or(0);
        let mut db = self.syncer.pool.acquire().await.map_err(StoreError::from)?;
        let until = self.syncer.clock.now() + LEASE;
        (self.on_progress)(self.progress);
        match syncs::advance(&mut db, self.held, self.progress, until).await? {
            Fenced::Written => Ok(()),
            Fenced::LeaseLost => Err(Broken::LeaseLost),
        }
    }

    /// Keeps a difference, and opens a delivery where that mends it and mending was asked for.
    async fn keep(&mut self, subject: &str, difference: Difference<'_>) -> Result<(), Broken> {
        let Difference { word, reason, detail, remedy, mends_itself } = difference;
        self.count(word);
        self.differences += 1;
        let mending = mends_itself && !self.held.dry_run;
        let row = DifferenceRow {
            place: self.differences,
            subject: subject.to_owned(),
            difference: word.to_owned(),
            reason: reason.map(|reason| reason.code().to_owned()),
            detail,
            remedy: remedy.to_owned(),
            mending,
        };
        let Syncer { pool, clock, entropy, .. } = self.syncer;
        let mut db = pool.begin().await.map_err(StoreError::from)?;
        if syncs::insert_difference(&mut db, self.held, &row).await? == Fenced::LeaseLost {
            return Err(Broken::LeaseLost);
        }
        if let Some(subject) = subject.parse::<Subject>().ok().filter(|_| mending) {
            let at = clock.now();
            let topic = format!("compared.{}", self.held.what);
            let news = OwnNews {
                connection: &self.held.connection,
                // A thousand finds never stand in front of a live order.
                urgency: Urgency::BACKGROUND,
                body: serde_json::json!({ "sync": self.held.id, "subject": subject.to_string() }),
                subject,
                source: Source::Sweep,
                topic: &topic,
                at,
            };
            let arrival = news.arrival(EventId(entropy.id(at)), DeliveryId(entropy.id(at)));
            events::receive(&mut db, &[arrival]).await?;
        }
        db.commit().await.map_err(StoreError::from)?;
        Ok(())
    }
}

/// Patience with one page: what time may mend is asked for again a few times, what the far side asks for is given.
#[derive(Default)]
struct Patience {
    tries: u32,
}

impl Patience {
    /// Waits before the page is asked for again, or gives the error back.
    async fn bear(&mut self, error: CallError) -> Result<(), CallError> {
        self.tries += 1;
        let wait = match error.verdict(Effect::Read) {
            Outcome::Snoozed { after, .. } => {
                after.unwrap_or(Duration::from_secs(2)).min(Duration::from_secs(60))
            }
            Outcome::Retryable { .. } => Duration::from_millis(200) * 2_u32.pow(self.tries),
            _ => return Err(error),
        };
        if self.tries == READ_TRIES {
            return Err(error);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "there is nothing to wait on but the far side's recovery"
        )]
        tokio::time::sleep(wait).await;
        Ok(())
    }
}
