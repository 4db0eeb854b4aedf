//! What a poll reads: window by window, page by page.

use super::{
    lists::{PolledConnection, PolledList, read_page},
    poller::{PollError, Poller},
};
use crate::inbox::webhook::receive::PolledChange;
use crate::{
    domain::{
        event::routing::route,
        time_window::{TimeWindow, WindowSplitter},
    },
    store::{
        self, StoreError,
        polls::{self, LeasedPoll},
        subject_states,
        tasks::Fenced,
    },
    vendors::http::error::Failure,
};

impl Poller {
    /// Reads a window and every gap that earlier polls left; answers what was found, and the gaps that are left now,
    /// where there were or are any.
    pub(in crate::inbox) async fn read_windows(
        &self,
        leased: &LeasedPoll,
        polled: &PolledConnection,
        what: PolledList,
        window: TimeWindow,
    ) -> Result<(usize, Option<Vec<TimeWindow>>), PollError> {
        let mut db = self.pool.acquire().await.map_err(StoreError::from)?;
        let known = polls::list_gaps(&mut db, &polled.connection, what.as_str()).await?;
        drop(db);
        let had_gaps = !known.is_empty();
        let mut windows = WindowSplitter::new(known.into_iter().chain([window]));
        let mut found = 0;
        while let Some(window) = windows.next_window() {
            match self.read_pages(leased, polled, what, window).await {
                Ok(some) => {
                    found += some;
                    windows.record_read();
                }
                Err(PollError::Call(error))
                    if what.is_windowed() && error.failure == Failure::Status(500) =>
                {
                    windows.record_failure(window, error)?;
                }
                Err(error) => return Err(error),
            }
        }
        let gaps = windows.into_gaps()?;
        Ok((found, (had_gaps || !gaps.is_empty()).then_some(gaps)))
    }

    async fn read_pages(
        &self,
        leased: &LeasedPoll,
        polled: &PolledConnection,
        what: PolledList,
        window: TimeWindow,
    ) -> Result<usize, PollError> {
        let mut found = 0;
        for page in 1.. {
            self.extend_lease(leased).await?;
            let (told, more) = read_page(polled, what, window, page).await?;
            let changes: Vec<_> = told
                .into_iter()
                .filter_map(|(about, version)| {
                    Some(PolledChange { subject: route(&about, &polled.reference_prefix)?, version })
                })
                .collect();
            found += self.ingest_unseen(polled, what, changes).await?;
            if !more {
                break;
            }
        }
        Ok(found)
    }

    /// A sign of life before each page: a poll whose process is gone is begun again by another one as soon as the lease
    /// runs out.
    async fn extend_lease(&self, leased: &LeasedPoll) -> Result<(), PollError> {
        let mut db = self.pool.acquire().await.map_err(StoreError::from)?;
        let until = self.clock.now() + self.lease;
        match polls::extend_lease(&mut db, leased, until).await? {
            Fenced::Written => Ok(()),
            Fenced::LeaseLost => Err(PollError::LeaseLost),
        }
    }

    /// Receives what we have not read at that version yet.
    async fn ingest_unseen(
        &self,
        polled: &PolledConnection,
        what: PolledList,
        changes: Vec<PolledChange>,
    ) -> store::Result<usize> {
        let subjects: Vec<_> = changes.iter().map(|change| change.subject.to_string()).collect();
        let versions: Vec<_> = changes.iter().map(|change| change.version.clone()).collect();
        let mut db = self.pool.acquire().await?;
        let seen =
            subject_states::has_seen_versions(&mut db, &polled.connection, &subjects, &versions).await?;
        drop(db);
        let unseen: Vec<_> =
            changes.into_iter().zip(seen).filter(|(_, seen)| !seen).map(|(change, _)| change).collect();
        if unseen.is_empty() {
            return Ok(0);
        }
        self.ingester.ingest_changes(&polled.connection, &format!("polled.{}", what.as_str()), &unseen).await
    }
}
