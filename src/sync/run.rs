//! A sync while it runs: its position, its counts, and the commit of each page.

use std::time::Duration;

use sqlx::{Postgres, Transaction};

use super::{deps::Deps, error::SyncError};
use crate::{
    domain::{page_walk::PageWalk, switch::Switch, task::reason::Reason},
    store::{
        items::{self, Reading},
        sync_differences::{self, NewDifference},
        sync_runs::{self, LeasedSync, Progress},
        sync_snapshots::{self, SnapshotRow},
        tasks::Fenced,
        warehouse_codes,
    },
};

/// How long a sync's lease lasts; each page extends it. Losing it costs one page, which another process reads again.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// Called after each page, for progress bars.
pub type OnProgress<'a> = &'a (dyn Fn(&Progress) + Send + Sync);

/// A sync while it runs.
pub(super) struct Run<'a> {
    pub(super) deps: &'a Deps,
    pub(super) leased: &'a LeasedSync,
    pub(super) progress: Progress,
    /// Why nothing is fixed until an operator approves.
    pub(super) braked: Option<Reason>,
    /// Whether what it compares is written by itself, when a person asks, or never.
    pub(super) switch: Switch,
    on_progress: OnProgress<'a>,
}

impl<'a> Run<'a> {
    /// Resumes a sync at its last committed page.
    pub(super) fn resume(deps: &'a Deps, leased: &'a LeasedSync, on_progress: OnProgress<'a>) -> Self {
        let clients = deps.dry_runner.clients(&leased.connection);
        let switch = clients.map_or(Switch::Off, |clients| clients.switches().of_sync(leased.what));
        Self { deps, leased, progress: leased.progress.clone(), braked: None, switch, on_progress }
    }

    /// Adds to a counter of the report.
    pub(super) fn count(&mut self, counter: &str, pieces: i64) {
        *self.progress.counts.entry(counter.to_owned()).or_default() += pieces;
    }

    /// A counter of the report.
    pub(super) fn count_of(&self, counter: &str) -> i64 {
        self.progress.counts.get(counter).copied().unwrap_or_default()
    }

    /// Where to continue, in a step that reads page by page.
    pub(super) fn page_walk(&self) -> PageWalk {
        PageWalk::from_cursor(&self.progress.cursor)
    }

    /// Numbers a read of the shop that is about to begin.
    pub(super) async fn begin_reading(&self) -> Result<Reading, SyncError> {
        let mut db = self.deps.pool.acquire().await?;
        Ok(Reading { number: items::begin_reading(&mut db).await?, at: self.deps.clock.now() })
    }

    /// Begins the transaction that [`commit_page`](Self::commit_page) commits.
    pub(super) async fn begin_transaction(&self) -> Result<Transaction<'static, Postgres>, SyncError> {
        Ok(self.deps.pool.begin().await?)
    }

    /// Commits a page: its differences, the cursor behind it and the extended lease in one transaction, so that a page is
    /// counted once however often it is read.
    pub(super) async fn commit_page(
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
        let until = self.deps.clock.now() + LEASE;
        require_lease(sync_runs::advance(&mut tx, self.leased, &self.progress, until).await?)?;
        tx.commit().await?;
        (self.on_progress)(&self.progress);
        Ok(())
    }

    /// Stores a page of the warehouse; false after the last one.
    pub(super) async fn store_snapshot(
        &mut self,
        next: Option<PageWalk>,
        rows: &[SnapshotRow],
    ) -> Result<bool, SyncError> {
        let mut tx = self.begin_transaction().await?;
        sync_snapshots::insert(&mut tx, self.leased.id, rows).await?;
        if let Some(next) = next {
            self.commit_page(tx, &[], next.to_cursor(), 0).await?;
        } else {
            let cursor = self.progress.cursor.clone();
            self.commit_page(tx, &[], cursor, 0).await?;
        }
        Ok(next.is_some())
    }

    /// Records the codes of a page of the warehouse, as it spells them.
    pub(super) async fn record_warehouse_codes(&self, rows: &[SnapshotRow]) -> Result<(), SyncError> {
        let mut db = self.deps.pool.acquire().await?;
        let codes = rows.iter().map(|row| row.name.as_str());
        Ok(warehouse_codes::record(&mut db, &self.leased.connection, codes, self.deps.clock.now()).await?)
    }

    /// Extends the lease within a page.
    pub(super) async fn extend_lease(&self) -> Result<(), SyncError> {
        let mut db = self.deps.pool.acquire().await?;
        let until = self.deps.clock.now() + LEASE;
        require_lease(sync_runs::extend_lease(&mut db, self.leased, until).await?)
    }

    /// A difference that a task would fix. In a dry run, and where the kind is switched off, it is only reported.
    pub(super) fn fixable_difference(
        &self,
        subject: impl Into<String>,
        difference: &'static str,
        remedy: &str,
    ) -> NewDifference {
        NewDifference {
            awaits_approval: !self.leased.dry_run && self.switch != Switch::Off,
            ..reported_difference(subject, difference, remedy)
        }
    }
}

/// A difference that is reported and that no task fixes.
pub(super) fn reported_difference(
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

const fn require_lease(fenced: Fenced) -> Result<(), SyncError> {
    match fenced {
        Fenced::Written => Ok(()),
        Fenced::LeaseLost => Err(SyncError::LeaseLost),
    }
}
