//! Where a claim starts to read the index of due tasks.
//!
//! PostgreSQL keeps old row versions and their index entries for as long as any open transaction may read them. During a
//! transaction of minutes (a dump, a forgotten session) the index of due tasks begins with an entry for everything that
//! was due since. A claim that walks all of them gets slower with each task done: queues built on `skip locked` die of
//! this. But due times only move forward: once no open task is due before some moment, none will be, except what was
//! being committed at that moment, and what goes on waiting where it was (`lower`). So a claim starts at that moment, and every few seconds one scans from the start, to
//! find late commits.

use std::time::Duration;

use parking_lot::Mutex;

use crate::domain::Timestamp;

/// How often a claim scans from the start.
const FULL_SCAN_INTERVAL: Duration = Duration::from_secs(5);

/// How long a commit may take from the time that its due dates carry. Later ones are found by the next full scan.
pub(super) const COMMIT_LAG: Duration = Duration::from_millis(500);

/// The time before which no open task is due.
#[derive(Default)]
pub(super) struct DueWatermark(Mutex<Option<ScanState>>);

#[derive(Clone, Copy)]
struct ScanState {
    watermark: Timestamp,
    /// When a claim last scanned from the start.
    full_scan_at: Timestamp,
}

impl DueWatermark {
    /// Whether the next claim scans from the start.
    pub(super) fn wants_full_scan(&self, now: Timestamp) -> bool {
        self.scan_start(now) == Timestamp::UNIX_EPOCH
    }

    /// Where a claim starts now; the epoch where a full scan is due.
    pub(super) fn scan_start(&self, now: Timestamp) -> Timestamp {
        match *self.0.lock() {
            Some(ScanState { watermark, full_scan_at: at })
                if (at..at + FULL_SCAN_INTERVAL).contains(&now) =>
            {
                watermark
            }
            _ => Timestamp::UNIX_EPOCH,
        }
    }

    /// Records that a task is open again that was due at this time.
    pub(super) fn lower(&self, due_at: Timestamp) {
        if let Some(state) = &mut *self.0.lock() {
            state.watermark = state.watermark.min(due_at);
        }
    }

    /// Records that a scan from `since` found no open task due before `first_due`.
    pub(super) fn advance(&self, since: Timestamp, first_due: Option<Timestamp>, now: Timestamp) {
        let watermark = first_due.map_or(now, |due| due.min(now)) - COMMIT_LAG;
        let mut state = self.0.lock();
        *state = match *state {
            // It was lowered during the scan, which may not have seen that task.
            Some(old) if old.watermark < since => Some(old),
            Some(old) if since > Timestamp::UNIX_EPOCH => {
                Some(ScanState { watermark: watermark.max(since), ..old })
            }
            _ => Some(ScanState { watermark, full_scan_at: now }),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scan_starts_at_the_watermark_with_regular_full_scans() {
        let at = |millis| Timestamp::from_timestamp_millis(millis).expect("a small number");
        let start = Timestamp::UNIX_EPOCH;
        let watermark = DueWatermark::default();
        assert_eq!(watermark.scan_start(at(100_000)), start);
        watermark.advance(start, Some(at(50_000)), at(100_000));
        assert_eq!(watermark.scan_start(at(101_000)), at(49_500), "an open task is not skipped");
        watermark.advance(at(49_500), Some(at(500_000)), at(102_000));
        assert_eq!(watermark.scan_start(at(103_000)), at(101_500), "nor one that is being committed");
        watermark.advance(at(101_500), Some(at(101_600)), at(103_000));
        assert_eq!(watermark.scan_start(at(104_999)), at(101_500), "it never moves back");
        watermark.lower(at(60_000));
        assert_eq!(watermark.scan_start(at(104_999)), at(60_000), "but to a task that goes on waiting");
        watermark.advance(at(101_500), Some(at(104_000)), at(104_000));
        assert_eq!(watermark.scan_start(at(104_999)), at(60_000), "which a scan under way has not seen");
        assert_eq!(watermark.scan_start(at(105_000)), start, "a full scan finds late commits");
        assert_eq!(watermark.scan_start(at(90_000)), start, "the clock was set back");
    }
}
