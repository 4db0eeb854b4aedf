//! Reads a list from its cursor on, and its gaps on their own schedule. A gap never stops the cursor.

use std::time::Duration;

use super::{error::PollError, poller::OVERLAP, reader::ListReader, walk::WalkError};
use crate::{
    domain::{
        Timestamp,
        task::retry::doubled,
        time_window::{TimeWindow, without_gaps},
    },
    store::poll_gaps::{GapChanges, PollGap},
};

/// Failed reads of a stretch after which the rest of it is a gap.
const MAX_FAILURES: usize = 40;

/// The same where a gap is read again.
const MAX_RETRY_FAILURES: usize = 12;

/// Gaps that one poll reads again.
const MAX_RETRIES: usize = 8;

/// When a gap is read again, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(6 * 3600));

/// How far back a poll begins whose cursor is ahead of the vendor's clock: one of the two clocks was wrong, and nobody
/// knows since when.
const REWIND: chrono::Duration = chrono::Duration::hours(1);

impl ListReader<'_> {
    /// Reads everything that changed since the cursor, except what lies in gaps. Returns the new ones.
    pub(super) async fn read_changes(&self) -> Result<GapChanges, PollError> {
        let mut changes = GapChanges::default();
        let known: Vec<_> = self.gaps.iter().map(|gap| gap.window).collect();
        self.read_from(self.leased.cursor - OVERLAP, &known, &mut changes).await?;
        let date = self.progress.lock().date;
        if let Some(date) = date.filter(|date| *date < self.leased.cursor) {
            self.read_from(date - REWIND, &known, &mut changes).await?;
        }
        Ok(changes)
    }

    async fn read_from(
        &self,
        from: Timestamp,
        known: &[TimeWindow],
        changes: &mut GapChanges,
    ) -> Result<(), PollError> {
        // Where a list has no upper end, its gaps cannot be left out.
        let known = if self.list.is_windowed() { known } else { &[] };
        for (from, to) in without_gaps(from, known) {
            match self.walk((from, to)).await {
                Ok(()) => {}
                Err(WalkError::Failed(error)) => return Err(error),
                Err(WalkError::Unlistable { from, .. }) => {
                    // Our clock only bounds what is read now: what is later is left to the next poll.
                    let end = self.clock.now().max(self.leased.cursor).max(from) + OVERLAP;
                    let window = TimeWindow { from, to: to.unwrap_or(end) };
                    let gaps = self.narrow(window, MAX_FAILURES).await?;
                    self.open(gaps, 0, changes);
                    if to.is_none() {
                        self.progress.lock().narrowed_to = Some(end);
                    }
                }
            }
        }
        let spoilt = std::mem::take(&mut self.progress.lock().spoilt);
        self.open(spoilt, 0, changes);
        Ok(())
    }

    /// Reads gaps that are due again, after the list itself.
    pub(super) async fn retry_gaps(&self, changes: &mut GapChanges) -> Result<(), PollError> {
        let now = self.clock.now();
        let latest = now + BACKOFF.1; // one that is due later was put off under a wrong clock
        let due = self.gaps.iter().filter(|gap| gap.due_at <= now || gap.due_at > latest);
        for gap in due.take(MAX_RETRIES) {
            let mut left = self.narrow(gap.window, MAX_RETRY_FAILURES).await?;
            left.append(&mut self.progress.lock().spoilt);
            changes.closed.push(gap.window);
            self.open(left, gap.attempts + 1, changes);
        }
        Ok(())
    }

    fn open(&self, windows: Vec<TimeWindow>, attempts: i32, changes: &mut GapChanges) {
        let due_at = self.clock.now() + doubled(BACKOFF, u32::try_from(attempts).unwrap_or(0));
        // One that was just closed at the same place is opened again with its new schedule.
        changes.opened.extend(windows.into_iter().map(|window| PollGap { window, attempts, due_at }));
    }
}
