//! What a sweep reads: window by window, page by page.

use super::{
    lists::{SweptConnection, What, read_page},
    poller::{Broken, Sweeper},
};
use crate::inbox::webhook::receive::Find;
use crate::{
    domain::{
        event::routing::subject_of,
        time_window::{Window, Windows},
    },
    store::{
        self, StoreError,
        polls::{self, LeasedSweep},
        subject_states,
        tasks::Fenced,
    },
    vendors::http::error::Failure,
};

impl Sweeper {
    /// Reads a window and every gap that earlier sweeps left; answers what was found, and the gaps that are left now,
    /// where there were or are any.
    pub(in crate::inbox) async fn read_windows(
        &self,
        held: &LeasedSweep,
        swept: &SweptConnection,
        what: What,
        window: Window,
    ) -> Result<(usize, Option<Vec<Window>>), Broken> {
        let mut db = self.pool.acquire().await.map_err(StoreError::from)?;
        let known = polls::gaps(&mut db, &swept.connection, what.as_str()).await?;
        drop(db);
        let had_gaps = !known.is_empty();
        let mut windows = Windows::over(known.into_iter().chain([window]));
        let mut found = 0;
        while let Some(window) = windows.take() {
            match self.read_pages(held, swept, what, window).await {
                Ok(some) => {
                    found += some;
                    windows.read();
                }
                Err(Broken::Call(error)) if what.is_windowed() && error.failure == Failure::Status(500) => {
                    windows.failed(window, error)?;
                }
                Err(error) => return Err(error),
            }
        }
        let gaps = windows.gaps()?;
        Ok((found, (had_gaps || !gaps.is_empty()).then_some(gaps)))
    }

    async fn read_pages(
        &self,
        held: &LeasedSweep,
        swept: &SweptConnection,
        what: What,
        window: Window,
    ) -> Result<usize, Broken> {
        let mut found = 0;
        for page in 1.. {
            self.keep_lease(held).await?;
            let (told, more) = read_page(swept, what, window, page).await?;
            let finds: Vec<_> = told
                .into_iter()
                .filter_map(|(about, version)| {
                    Some(Find { subject: subject_of(&about, &swept.reference_prefix)?, version })
                })
                .collect();
            found += self.receive_unseen(swept, what, finds).await?;
            if !more {
                break;
            }
        }
        Ok(found)
    }

    /// A sign of life before each page: a sweep whose process is gone is begun again by another one as soon as the lease
    /// runs out.
    async fn keep_lease(&self, held: &LeasedSweep) -> Result<(), Broken> {
        let mut db = self.pool.acquire().await.map_err(StoreError::from)?;
        let until = self.clock.now() + self.lease;
        match polls::keep_lease(&mut db, held, until).await? {
            Fenced::Written => Ok(()),
            Fenced::LeaseLost => Err(Broken::LeaseLost),
        }
    }

    /// Receives what we have not read at that version yet.
    async fn receive_unseen(
        &self,
        swept: &SweptConnection,
        what: What,
        finds: Vec<Find>,
    ) -> store::Result<usize> {
        let subjects: Vec<_> = finds.iter().map(|find| find.subject.to_string()).collect();
        let versions: Vec<_> = finds.iter().map(|find| find.version.clone()).collect();
        let mut db = self.pool.acquire().await?;
        let seen = subject_states::seen(&mut db, &swept.connection, &subjects, &versions).await?;
        drop(db);
        let unseen: Vec<_> =
            finds.into_iter().zip(seen).filter(|(_, seen)| !seen).map(|(find, _)| find).collect();
        if unseen.is_empty() {
            return Ok(0);
        }
        self.receiver.receive_finds(&swept.connection, &format!("swept.{}", what.as_str()), &unseen).await
    }
}
