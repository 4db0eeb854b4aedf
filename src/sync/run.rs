//! One sync on its way: step after step, page after page, each kept before the next.

use std::time::Duration;

use sqlx::{Postgres, Transaction};

use super::{LEASE, OnProgress, SyncError, Syncer};
use crate::{
    domain::{
        sync::{Step, SyncKind},
        task::outcome::{Outcome, Reason},
    },
    store::{
        sync_differences::{self, NewDifference},
        sync_runs::{self, LeasedSync, Progress},
        sync_snapshots::{self, SnapshotRow},
        tasks::Fenced,
    },
    vendors::http::error::{CallError, Effect, Failure},
};

/// How often a page that could not be read is asked for again.
const MAX_READ_FAILURES: u32 = 5;

/// How long live calls may keep a sync from one page before it gives up for today.
const MAX_YIELD_TIME: Duration = Duration::from_secs(600);

/// One sync on its way.
pub(super) struct Run<'a> {
    pub syncer: &'a Syncer,
    pub leased: &'a LeasedSync,
    pub progress: Progress,
    /// Why nothing is fixed before a person approves.
    pub braked: Option<Reason>,
    on_progress: OnProgress<'a>,
}

/// Asks for a page with grace_period: `read_with_retries!(clients.shop.list_products(page))`.
macro_rules! read_with_retries {
    ($call:expr) => {{
        let mut retries = $crate::sync::run::ReadRetries::default();
        loop {
            match $call.await {
                Ok(read) => break read,
                Err(error) => retries.wait_or_fail(error).await?,
            }
        }
    }};
}
pub(super) use read_with_retries;

impl<'a> Run<'a> {
    /// Where it was left.
    pub fn resume(syncer: &'a Syncer, leased: &'a LeasedSync, on_progress: OnProgress<'a>) -> Self {
        Self { syncer, leased, progress: leased.progress.clone(), braked: None, on_progress }
    }

    pub async fn run_to_end(&mut self) -> Result<(), SyncError> {
        use {
            Step::{End, FindDifferences, Fix, ReadShop, ReadWarehouse},
            SyncKind::{Orders, Products, Stock},
        };
        let dry_runner = &self.syncer.dry_runner;
        let clients =
            dry_runner.clients(&self.leased.connection).ok_or(SyncError::NotConfigured)?.in_background();
        while self.progress.step != End {
            match (self.progress.step, self.leased.what) {
                (ReadWarehouse, Products) => self.read_products(&clients).await?,
                (ReadWarehouse, Stock) => self.read_stock_figures(&clients).await?,
                (ReadWarehouse, Orders) => self.read_orders(&clients).await?,
                (ReadShop, Products) => self.read_catalogue(&clients).await?,
                (ReadShop, Stock) => self.find_stock_differences(&clients).await?,
                (ReadShop, Orders) => self.find_order_differences(&clients).await?,
                (FindDifferences, Products) => self.find_product_differences(&clients).await?,
                (FindDifferences, Stock) => self.report_unknown_codes(&clients).await?,
                (FindDifferences, Orders) => self.check_left_over_orders(&clients).await?,
                (Fix, _) => self.fix(&clients).await?,
                (End, _) => {}
            }
            let step = self.progress.step.next();
            self.progress.step = step;
            let tx = self.begin_transaction().await?;
            self.commit_page(tx, &[], String::new(), 0).await?;
        }
        Ok(())
    }

    pub fn count(&mut self, counter: &str, pieces: i64) {
        *self.progress.counts.entry(counter.to_owned()).or_default() += pieces;
    }

    pub fn count_of(&self, counter: &str) -> i64 {
        self.progress.counts.get(counter).copied().unwrap_or_default()
    }

    /// The page to begin with, in a step that counts pages.
    pub fn page(&self) -> u32 {
        self.progress.cursor.parse().unwrap_or(1)
    }

    /// Opens the transaction in which a page is kept.
    pub async fn begin_transaction(&self) -> Result<Transaction<'static, Postgres>, SyncError> {
        Ok(self.syncer.pool.begin().await?)
    }

    /// Turns the page: what was found on it, how far we are now and the lease are kept in one transaction, so that a page
    /// is counted once however often it is begun.
    pub async fn commit_page(
        &mut self,
        mut tx: Transaction<'static, Postgres>,
        found: &[NewDifference],
        cursor: String,
        compared: usize,
    ) -> Result<(), SyncError> {
        if !found.is_empty() {
            for class in sync_differences::insert(&mut tx, self.leased.id, found).await? {
                self.count(&class, 1);
            }
        }
        self.progress.cursor = cursor;
        self.progress.done += i64::try_from(compared).unwrap_or(0);
        let until = self.syncer.clock.now() + LEASE;
        if sync_runs::advance(&mut tx, self.leased, &self.progress, until).await? == Fenced::LeaseLost {
            return Err(SyncError::LeaseLost);
        }
        tx.commit().await?;
        (self.on_progress)(&self.progress);
        Ok(())
    }

    /// Keeps a page of what was read at the warehouse.
    pub async fn store_readings(&mut self, page: u32, read: &[SnapshotRow]) -> Result<(), SyncError> {
        let mut tx = self.begin_transaction().await?;
        sync_snapshots::insert(&mut tx, self.leased.id, read).await?;
        self.commit_page(tx, &[], (page + 1).to_string(), 0).await
    }

    /// A sign of life in the middle of a page.
    pub async fn extend_lease(&self) -> Result<(), SyncError> {
        let mut db = self.syncer.pool.acquire().await?;
        let until = self.syncer.clock.now() + LEASE;
        match sync_runs::extend_lease(&mut db, self.leased, until).await? {
            Fenced::Written => Ok(()),
            Fenced::LeaseLost => Err(SyncError::LeaseLost),
        }
    }

    /// A difference that a task would fix. It waits until the whole is known; in a dry run it is only told.
    pub fn fixable_difference(
        &self,
        subject: impl Into<String>,
        difference: &'static str,
        remedy: &str,
    ) -> NewDifference {
        NewDifference {
            awaits_approval: !self.leased.dry_run,
            ..Self::reported_difference(subject, difference, remedy)
        }
    }

    /// A difference that is told, and fixed by nobody here.
    pub fn reported_difference(
        subject: impl Into<String>,
        difference: &'static str,
        remedy: &str,
    ) -> NewDifference {
        NewDifference {
            subject: subject.into(),
            item: String::new(),
            difference,
            reason: None,
            detail: None,
            remedy: remedy.to_owned(),
            awaits_approval: false,
        }
    }
}

/// GracePeriod with one page: what time may fix is asked for again a few times, what the far side asks for is given, and
/// live calls go first.
#[derive(Default)]
pub(super) struct ReadRetries {
    failures: u32,
    yielded: Duration,
}

impl ReadRetries {
    /// Waits before the page is asked for again, or gives the error back.
    pub async fn wait_or_fail(&mut self, error: CallError) -> Result<(), CallError> {
        let wait = match error.verdict(Effect::Read) {
            Outcome::Snoozed { after, .. } => {
                after.unwrap_or(Duration::from_secs(2)).min(Duration::from_secs(60))
            }
            Outcome::Retryable { .. } => Duration::from_millis(200) * 2_u32.pow(self.failures + 1),
            _ => return Err(error),
        };
        if error.failure == Failure::RateLimited {
            self.yielded += wait;
        } else {
            self.failures += 1;
        }
        if self.failures == MAX_READ_FAILURES || self.yielded > MAX_YIELD_TIME {
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
