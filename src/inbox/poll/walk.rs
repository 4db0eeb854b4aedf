//! Walks a list so that rows that move while it is read are met twice instead of never.
//!
//! Page numbers alone do not do that: a row that is edited moves to the end of a list that is sorted by time of change,
//! and each row behind it moves forward, one of them onto a page that was read already.
//!
//! - The shop's lists are sorted by time of change and filtered by it. The walk goes on from the time of the last row, on
//!   page 1 again. Only where a whole page shares one second does it count pages, within that second.
//! - The warehouse's lists have no known order and no such filter, so pages must be counted. They are read forward and then
//!   backward: what moves forward meanwhile is met on the way back ([`PageWalk`]).

use chrono::SubsecRound;

use super::{error::PollError, reader::ListReader};
use crate::{
    domain::{Timestamp, page_walk::PageWalk},
    vendors::{
        changes::{ChangePage, ChangeRequest, ChangedRow},
        http::error::{CallError, Failure},
    },
};

/// A stretch of a list, open at its end where it has none.
pub(super) type Stretch = (Timestamp, Option<Timestamp>);

/// Why a walk ended before its end.
pub(super) enum WalkError {
    /// This part of the list cannot be read, from this time on. Another part may be.
    Unlistable { from: Timestamp, error: CallError },
    /// The poll cannot go on.
    Failed(PollError),
}

impl ListReader<'_> {
    /// Reads a stretch of the list to its end.
    pub(super) async fn walk(&self, (from, to): Stretch) -> Result<(), WalkError> {
        let mut from = from;
        loop {
            match self.walk_pages((from, to)).await {
                Ok(Some(next)) => from = next,
                Ok(None) => return Ok(()),
                Err(PollError::Call(error)) if self.is_unlistable(&error) => {
                    return Err(WalkError::Unlistable { from, error });
                }
                Err(error) => return Err(WalkError::Failed(error)),
            }
            if to.is_none() {
                self.progress.lock().reached = Some(from);
            }
        }
    }

    /// Reads pages from one time on. Returns the time from which to go on; `None` at the end of the list.
    async fn walk_pages(&self, (from, to): Stretch) -> Result<Option<Timestamp>, PollError> {
        let (mut walk, mut go_on_from) = (PageWalk::forward(), None);
        loop {
            let request = ChangeRequest { from, to, page: walk.page(), size: self.list.page_size() };
            let page = self.read_page(request).await?;
            if matches!(walk, PageWalk::Forward(_)) {
                go_on_from = self.next_start(from, &page);
            }
            // Once the walk can go on by time, no page behind this one is needed.
            match walk.next(page.has_more && go_on_from.is_none()) {
                Some(next) => walk = next,
                None => return Ok(go_on_from),
            }
        }
    }

    /// The time of the last row of a page, where the list can be read on from it.
    fn next_start(&self, from: Timestamp, page: &ChangePage) -> Option<Timestamp> {
        if !page.has_more || !self.list.is_windowed() {
            return None;
        }
        let last = sorted_end(&page.rows)?.trunc_subsecs(0);
        (last > from).then_some(last)
    }

    /// Whether this failure may be that of a part of the list. The shop's lists are known for it. A list of the
    /// warehouse may simply be down, so it is narrowed down only when it fails twice, or has gaps already.
    pub(super) fn is_unlistable(&self, error: &CallError) -> bool {
        let is_partial = matches!(error.failure, Failure::Status(500) | Failure::Unreadable);
        is_partial && (self.list.is_windowed() || self.leased.has_failed || !self.gaps.is_empty())
    }
}

/// The time of the last row, if every row has one and they are sorted by it.
fn sorted_end(rows: &[ChangedRow]) -> Option<Timestamp> {
    let times: Vec<_> = rows.iter().map(|row| row.changed_at).collect::<Option<_>>()?;
    if times.is_sorted() { times.last().copied() } else { None }
}
