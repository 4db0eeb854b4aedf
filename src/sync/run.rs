//! One sync on its way: step after step, page after page, each kept before the next.

use std::time::Duration;

use sqlx::{Postgres, Transaction};

use super::{Broken, LEASE, OnProgress, Syncer};
use crate::{
    domain::{
        sync::{Step, What},
        task::outcome::{Outcome, Reason},
    },
    store::{
        sync_differences::{self, Found},
        sync_runs::{self, LeasedSync, Progress},
        sync_snapshots::{self, Reading},
        tasks::Fenced,
    },
    vendors::http::error::{CallError, Effect, Failure},
};

/// How often a page that could not be read is asked for again.
const READ_TRIES: u32 = 5;

/// How long live calls may keep a sync from one page before it gives up for today.
const LONGEST_WAY: Duration = Duration::from_secs(600);

/// One sync on its way.
pub(super) struct Run<'a> {
    pub syncer: &'a Syncer,
    pub held: &'a LeasedSync,
    pub progress: Progress,
    /// Why nothing is mended before a person approves.
    pub braked: Option<Reason>,
    on_progress: OnProgress<'a>,
}

/// Asks for a page with patience: `patiently!(tied.shop.products(page))`.
macro_rules! patiently {
    ($call:expr) => {{
        let mut patience = $crate::sync::run::Patience::default();
        loop {
            match $call.await {
                Ok(read) => break read,
                Err(error) => patience.bear(error).await?,
            }
        }
    }};
}
pub(super) use patiently;

impl<'a> Run<'a> {
    /// Where it was left.
    pub fn begin(syncer: &'a Syncer, held: &'a LeasedSync, on_progress: OnProgress<'a>) -> Self {
        Self { syncer, held, progress: held.progress.clone(), braked: None, on_progress }
    }

    pub async fn finish(&mut self) -> Result<(), Broken> {
        use {
            Step::{Compare, End, Mend, ReadShop, ReadWarehouse},
            What::{Orders, Products, Stock},
        };
        let rehearser = &self.syncer.rehearser;
        let tied = rehearser.tied(&self.held.connection).ok_or(Broken::NotConfigured)?.giving_way();
        while self.progress.step != End {
            match (self.progress.step, self.held.what) {
                (ReadWarehouse, Products) => self.read_products(&tied).await?,
                (ReadWarehouse, Stock) => self.read_figures(&tied).await?,
                (ReadWarehouse, Orders) => self.read_orders(&tied).await?,
                (ReadShop, Products) => self.read_catalogue(&tied).await?,
                (ReadShop, Stock) => self.compare_stock(&tied).await?,
                (ReadShop, Orders) => self.compare_orders(&tied).await?,
                (Compare, Products) => self.compare_products(&tied).await?,
                (Compare, Stock) => self.tell_unknown_codes(&tied).await?,
                (Compare, Orders) => self.compare_left_over(&tied).await?,
                (Mend, _) => self.mend(&tied).await?,
                (End, _) => {}
            }
            let step = self.progress.step.next();
            self.progress.step = step;
            let tx = self.open().await?;
            self.turn(tx, &[], String::new(), 0).await?;
        }
        Ok(())
    }

    pub fn count(&mut self, word: &str, pieces: i64) {
        *self.progress.counts.entry(word.to_owned()).or_default() += pieces;
    }

    pub fn counted(&self, word: &str) -> i64 {
        self.progress.counts.get(word).copied().unwrap_or_default()
    }

    /// The page to begin with, in a step that counts pages.
    pub fn page(&self) -> u32 {
        self.progress.cursor.parse().unwrap_or(1)
    }

    /// Opens the transaction in which a page is kept.
    pub async fn open(&self) -> Result<Transaction<'static, Postgres>, Broken> {
        Ok(self.syncer.pool.begin().await?)
    }

    /// Turns the page: what was found on it, how far we are now and the lease are kept in one transaction, so that a page
    /// is counted once however often it is begun.
    pub async fn turn(
        &mut self,
        mut tx: Transaction<'static, Postgres>,
        found: &[Found],
        cursor: String,
        compared: usize,
    ) -> Result<(), Broken> {
        if !found.is_empty() {
            for word in sync_differences::insert(&mut tx, self.held.id, found).await? {
                self.count(&word, 1);
            }
        }
        self.progress.cursor = cursor;
        self.progress.done += i64::try_from(compared).unwrap_or(0);
        let until = self.syncer.clock.now() + LEASE;
        if sync_runs::advance(&mut tx, self.held, &self.progress, until).await? == Fenced::LeaseLost {
            return Err(Broken::LeaseLost);
        }
        tx.commit().await?;
        (self.on_progress)(&self.progress);
        Ok(())
    }

    /// Keeps a page of what was read at the warehouse.
    pub async fn keep_readings(&mut self, page: u32, read: &[Reading]) -> Result<(), Broken> {
        let mut tx = self.open().await?;
        sync_snapshots::keep(&mut tx, self.held.id, read).await?;
        self.turn(tx, &[], (page + 1).to_string(), 0).await
    }

    /// A sign of life in the middle of a page.
    pub async fn keep_lease(&self) -> Result<(), Broken> {
        let mut db = self.syncer.pool.acquire().await?;
        let until = self.syncer.clock.now() + LEASE;
        match sync_runs::keep_lease(&mut db, self.held, until).await? {
            Fenced::Written => Ok(()),
            Fenced::LeaseLost => Err(Broken::LeaseLost),
        }
    }

    /// A difference that a delivery would mend. It waits until the whole is known; in a dry run it is only told.
    pub fn mends(&self, subject: impl Into<String>, difference: &'static str, remedy: &str) -> Found {
        Found { waits: !self.held.dry_run, ..Self::told(subject, difference, remedy) }
    }

    /// A difference that is told, and mended by nobody here.
    pub fn told(subject: impl Into<String>, difference: &'static str, remedy: &str) -> Found {
        Found {
            subject: subject.into(),
            part: String::new(),
            difference,
            reason: None,
            detail: None,
            remedy: remedy.to_owned(),
            waits: false,
        }
    }
}

/// Patience with one page: what time may mend is asked for again a few times, what the far side asks for is given, and
/// live calls go first.
#[derive(Default)]
pub(super) struct Patience {
    tries: u32,
    gave_way: Duration,
}

impl Patience {
    /// Waits before the page is asked for again, or gives the error back.
    pub async fn bear(&mut self, error: CallError) -> Result<(), CallError> {
        let wait = match error.verdict(Effect::Read) {
            Outcome::Snoozed { after, .. } => {
                after.unwrap_or(Duration::from_secs(2)).min(Duration::from_secs(60))
            }
            Outcome::Retryable { .. } => Duration::from_millis(200) * 2_u32.pow(self.tries + 1),
            _ => return Err(error),
        };
        if error.failure == Failure::Budget {
            self.gave_way += wait;
        } else {
            self.tries += 1;
        }
        if self.tries == READ_TRIES || self.gave_way > LONGEST_WAY {
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
