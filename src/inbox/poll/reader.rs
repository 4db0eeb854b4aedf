//! Reads one list for a poll, page by page, and stores what is new.

use std::time::Duration;

use parking_lot::Mutex;
use sqlx::PgPool;

use super::{
    covered::CoveredChanges,
    error::PollError,
    lists::{PolledConnection, PolledList},
};
use crate::{
    domain::{Timestamp, event::subject::Subject, time_window::TimeWindow},
    inbox::ingester::{Ingester, PolledChange},
    runtime::clock::Clock,
    store::{
        self, StoreError,
        poll_gaps::PollGap,
        polled_changes::{self, ListedChanges},
        polls::{self, LeasedPoll},
        tasks::Fenced,
        warehouse_codes,
    },
    vendors::changes::{ChangePage, ChangeRequest},
};

/// Polls that enqueue a subject for the same version, where no read of it covers that version.
const MAX_TIMES: i32 = 4;

/// Reads one leased list of a connection.
pub(super) struct ListReader<'a> {
    pub(super) pool: &'a PgPool,
    pub(super) clock: &'a dyn Clock,
    pub(super) ingester: &'a Ingester,
    pub(super) covered: &'a CoveredChanges,
    /// How long each page extends the lease.
    pub(super) lease: Duration,
    pub(super) leased: &'a LeasedPoll,
    pub(super) polled: &'a PolledConnection,
    pub(super) list: PolledList,
    /// The gaps that earlier polls left.
    pub(super) gaps: &'a [PollGap],
    /// How far it has come, also where it is cut off.
    pub(super) progress: &'a Mutex<Progress>,
}

/// How far a poll has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    /// When the lease was taken or last extended, by the clock that nobody sets.
    leased_at: Duration,
    /// The walk has read everything that changed before this.
    pub(super) reached: Option<Timestamp>,
    /// The vendor's clock, as it was first shown.
    pub(super) date: Option<Timestamp>,
    /// The latest change that was shown, no later than the vendor's clock.
    pub(super) newest: Option<Timestamp>,
    /// New events.
    pub(super) found: usize,
    /// The end of a stretch that was narrowed down: all before it was read or is a gap.
    pub(super) narrowed_to: Option<Timestamp>,
    /// Stretches in which rows do not say what they are about.
    pub(super) spoilt: Vec<TimeWindow>,
    /// Whether the vendor counts the rows of a page's list rightly, once that was asked.
    trusts_counts: Option<bool>,
}

impl Progress {
    /// That of a poll whose lease was taken then.
    pub(super) fn leased_at(leased_at: Duration) -> Self {
        Self { leased_at, ..Self::default() }
    }

    /// The cursor after a poll that came to the end of its list. It only moves to times that the vendor has shown. Where it
    /// was ahead of the vendor's clock, it moves back.
    pub(super) fn cursor_at_end(&self, cursor: Timestamp) -> Timestamp {
        let cursor = self.date.map_or(cursor, |date| cursor.min(date));
        let narrowed = self.narrowed_to.zip(self.date).map(|(to, date)| to.min(date));
        [Some(cursor), self.newest, narrowed].into_iter().flatten().max().unwrap_or(cursor)
    }

    /// The cursor after a poll that was cut off.
    pub(super) fn cursor_reached(&self, cursor: Timestamp) -> Timestamp {
        let reached = self.reached.zip(self.newest).map(|(reached, newest)| reached.min(newest));
        reached.map_or(cursor, |reached| reached.max(cursor))
    }
}

/// In the future by more than clocks differ: no row has changed there.
const CONTROL_AHEAD: chrono::Duration = chrono::Duration::days(2);

impl ListReader<'_> {
    /// Reads a page, stores the changes that it shows, and records how far that is.
    pub(super) async fn read_page(&self, request: ChangeRequest) -> Result<ChangePage, PollError> {
        self.extend_lease().await?;
        let page = self.polled.read_page(self.list, request).await?;
        if page.is_suspect && self.trusts_counts().await {
            return Err(PollError::Call(self.list.unreadable()));
        }
        let changes = self.polled.changes(self.list, &page.rows);
        let changes =
            if self.list == PolledList::Stock { self.spelt_as_in_shop(changes).await? } else { changes };
        let found = self.ingest_uncovered(changes).await?;
        // A row that is dated later than the vendor's own clock moves nothing; without that clock, ours bounds it.
        let bound = page.date.unwrap_or_else(|| self.clock.now());
        let newest = page.rows.iter().filter_map(|row| row.changed_at).filter(|at| *at <= bound).max();
        let mut progress = self.progress.lock();
        progress.found += found;
        progress.newest = progress.newest.max(newest);
        progress.date = progress.date.or(page.date);
        if page.unreadable > 0 {
            let times = || page.rows.iter().filter_map(|row| row.changed_at);
            let from = times().min().map_or(request.from, |at| at.min(bound)).max(request.from);
            let to = if page.has_more { times().max().unwrap_or(from) } else { bound };
            let to = request.to.map_or(to, |end| to.min(end));
            progress.spoilt.push(TimeWindow { from, to: to.max(from) });
        }
        drop(progress);
        Ok(page)
    }

    /// The changes of stock under the codes as the shop spells them: those name the subjects. A code that could be one of
    /// several keeps the warehouse's spelling; its attempt asks a person.
    async fn spelt_as_in_shop(&self, changes: Vec<PolledChange>) -> store::Result<Vec<PolledChange>> {
        if changes.is_empty() {
            return Ok(changes);
        }
        let connection = &self.leased.connection;
        let codes = || changes.iter().map(|change| change.subject.key.as_str());
        let mut db = self.pool.acquire().await?;
        warehouse_codes::record(&mut db, connection, codes(), self.clock.now()).await?;
        let spellings = warehouse_codes::load_spellings(&mut db, connection, codes()).await?;
        let spelt = |change: &PolledChange| {
            let code = &change.subject.key;
            let subject = Subject::stock(spellings.in_shop(code).unwrap_or(code));
            PolledChange { subject, ..change.clone() }
        };
        Ok(changes.iter().map(spelt).collect())
    }

    /// Reads a stretch of the list in which nothing has changed. An error says that the list fails everywhere.
    pub(super) async fn read_control(&self) -> Result<ChangePage, PollError> {
        let from = self.clock.now().max(self.leased.cursor) + CONTROL_AHEAD;
        let request = ChangeRequest { from, to: Some(from), page: 1, size: self.list.page_size() };
        self.extend_lease().await?;
        Ok(self.polled.read_page(self.list, request).await?)
    }

    /// Whether the vendor counts the rows of the list that was asked for. One that counts others calls a list without
    /// rows not empty, too.
    async fn trusts_counts(&self) -> bool {
        let known = self.progress.lock().trusts_counts;
        if let Some(known) = known {
            return known;
        }
        let counts = self.read_control().await.map_or(true, |page| !page.is_suspect);
        self.progress.lock().trusts_counts = Some(counts);
        counts
    }

    /// Extends the lease before a page, unless most of it is left: nearly all polls read one page and need no more than their
    /// claim. Where the process dies, another replica starts the poll again when it ends.
    async fn extend_lease(&self) -> Result<(), PollError> {
        let now = self.clock.monotonic();
        if now < self.progress.lock().leased_at + self.lease / 4 {
            return Ok(());
        }
        let mut db = self.pool.acquire().await.map_err(StoreError::from)?;
        let until = self.clock.now() + self.lease;
        match polls::extend_lease(&mut db, self.leased, until).await? {
            Fenced::Written => {
                self.progress.lock().leased_at = now;
                Ok(())
            }
            Fenced::LeaseLost => Err(PollError::LeaseLost),
        }
    }

    /// Stores the changes that no read has covered yet, and counts how often each was met.
    async fn ingest_uncovered(&self, changes: Vec<PolledChange>) -> Result<usize, PollError> {
        if changes.is_empty() {
            return Ok(0);
        }
        let Self { leased, list, clock, .. } = self;
        let subjects: Vec<_> = changes.iter().map(|change| change.subject.to_string()).collect();
        let versions: Vec<_> = changes.iter().map(|change| change.version.clone()).collect();
        let (connection, what) = (leased.connection.clone(), leased.what.clone());
        let listed = ListedChanges { connection, what, subjects: subjects.clone(), versions };
        let covered = self.covered.take(listed).await?;
        let listed = changes.into_iter().zip(subjects).zip(covered);
        let open: Vec<_> =
            listed.filter_map(|(change, is_covered)| (!is_covered).then_some(change)).collect();
        if open.is_empty() {
            return Ok(0);
        }
        let pairs: Vec<_> = open.iter().map(|(it, subject)| (subject.clone(), it.version.clone())).collect();
        let mut db = self.pool.acquire().await.map_err(StoreError::from)?;
        let times = polled_changes::count(&mut db, leased, &pairs, clock.now()).await?;
        drop(db);
        let counted = open.into_iter().filter_map(|(change, subject)| {
            let times = times.get(&subject).copied().unwrap_or(1);
            // A row without a version shows no difference between two changes: it is never left out.
            (times <= MAX_TIMES || change.version.is_empty()).then_some(PolledChange { times, ..change })
        });
        let topic = format!("polled.{}", list.as_str());
        let counted: Vec<_> = counted.collect();
        Ok(self.ingester.ingest_changes(&leased.connection, &topic, &counted).await?)
    }
}
