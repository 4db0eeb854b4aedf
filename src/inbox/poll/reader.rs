//! Reads one list for a poll, window by window and page by page, and stores what is new.

use std::time::Duration;

use sqlx::PgPool;

use super::{
    error::PollError,
    lists::{ListPage, PolledConnection, PolledList},
};
use crate::{
    domain::{
        event::routing::route,
        time_window::{TimeWindow, WindowSplitter},
    },
    inbox::ingester::{Ingester, PolledChange},
    runtime::clock::Clock,
    store::{
        self, StoreError,
        polls::{self, LeasedPoll},
        subject_states,
        tasks::Fenced,
    },
    vendors::http::error::Failure,
};

/// Reads one leased list of a connection.
pub(super) struct ListReader<'a> {
    pub(super) pool: &'a PgPool,
    pub(super) clock: &'a dyn Clock,
    pub(super) ingester: &'a Ingester,
    /// How long each page extends the lease.
    pub(super) lease: Duration,
    pub(super) leased: &'a LeasedPoll,
    pub(super) polled: &'a PolledConnection,
    pub(super) list: PolledList,
}

impl ListReader<'_> {
    /// Reads a window and every gap that earlier polls left. Returns how many events were new, and the gaps
    /// that remain (`None` where there were and are none).
    pub(super) async fn read_windows(
        &self,
        window: TimeWindow,
    ) -> Result<(usize, Option<Vec<TimeWindow>>), PollError> {
        let mut db = self.pool.acquire().await.map_err(StoreError::from)?;
        let known = polls::list_gaps(&mut db, &self.polled.connection, self.list.as_str()).await?;
        drop(db);
        let had_gaps = !known.is_empty();
        let mut windows = WindowSplitter::new(known.into_iter().chain([window]));
        let mut found = 0;
        while let Some(window) = windows.next_window() {
            match self.read_pages(window).await {
                Ok(count) => {
                    found += count;
                    windows.record_read();
                }
                Err(PollError::Call(error))
                    if self.list.is_windowed() && error.failure == Failure::Status(500) =>
                {
                    windows.record_failure(window, error)?;
                }
                Err(error) => return Err(error),
            }
        }
        let gaps = windows.into_gaps()?;
        Ok((found, (had_gaps || !gaps.is_empty()).then_some(gaps)))
    }

    async fn read_pages(&self, window: TimeWindow) -> Result<usize, PollError> {
        let mut found = 0;
        for page in 1.. {
            self.extend_lease().await?;
            let ListPage { changes, has_more } = self.polled.read_page(self.list, window, page).await?;
            let changes = changes.into_iter().filter_map(|(entity, version)| {
                Some(PolledChange { subject: route(&entity, &self.polled.reference_prefix)?, version })
            });
            found += self.ingest_unseen(changes.collect()).await?;
            if !has_more {
                break;
            }
        }
        Ok(found)
    }

    /// Extends the lease before each page. Where the process dies, another replica starts the poll again when
    /// it ends.
    async fn extend_lease(&self) -> Result<(), PollError> {
        let mut db = self.pool.acquire().await.map_err(StoreError::from)?;
        let until = self.clock.now() + self.lease;
        match polls::extend_lease(&mut db, self.leased, until).await? {
            Fenced::Written => Ok(()),
            Fenced::LeaseLost => Err(PollError::LeaseLost),
        }
    }

    /// Stores the changes whose version has not been read yet.
    async fn ingest_unseen(&self, changes: Vec<PolledChange>) -> store::Result<usize> {
        let connection = &self.polled.connection;
        let subjects: Vec<_> = changes.iter().map(|change| change.subject.to_string()).collect();
        let versions: Vec<_> = changes.iter().map(|change| change.version.clone()).collect();
        let mut db = self.pool.acquire().await?;
        let seen = subject_states::has_seen_versions(&mut db, connection, &subjects, &versions).await?;
        drop(db);
        let unseen: Vec<_> =
            changes.into_iter().zip(seen).filter(|(_, seen)| !seen).map(|(change, _)| change).collect();
        if unseen.is_empty() {
            return Ok(0);
        }
        let topic = format!("polled.{}", self.list.as_str());
        self.ingester.ingest_changes(connection, &topic, &unseen).await
    }
}
