//! Where the claim begins to read its index.
//!
//! PostgreSQL keeps a row's every earlier version, and its index entries, for as long as any transaction may still look
//! at it. Under somebody's snapshot of minutes (a dump, a forgotten session) the index of due tasks begins with the
//! entries of everything that was due since, and a claim that walks them gets slower with each task done: so die
//! queues built on `skip locked`. But due times only move on: once nothing open is due before some moment, nothing will
//! be, but for what was on its way at that moment. So a claim begins there, and every few seconds one looks from the
//! very beginning, for what came late.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::domain::Timestamp;

/// How often a claim looks from the beginning.
const FULL_SCAN_INTERVAL: Duration = Duration::from_secs(5);

/// How long news may be on their way from the moment that they carry to their commit; later ones are found all the same,
/// at the next look from the beginning.
const COMMIT_LAG: Duration = Duration::from_millis(500);

/// Where a claim begins.
#[derive(Default)]
pub(super) struct DueWatermark(Mutex<Option<ScanState>>);

#[derive(Clone, Copy)]
struct ScanState {
    watermark: Timestamp,
    /// When a claim last looked from the beginning.
    full_scan_at: Timestamp,
}

impl DueWatermark {
    /// From when on a claim looks now; from the beginning where that is due.
    pub(super) fn scan_start(&self, now: Timestamp) -> Timestamp {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(ScanState { watermark, full_scan_at: at })
                if (at..at + FULL_SCAN_INTERVAL).contains(&now) =>
            {
                watermark
            }
            _ => Timestamp::UNIX_EPOCH,
        }
    }

    /// A look from `since` on has found nothing open that is due before `first_due`.
    pub(super) fn advance(&self, since: Timestamp, first_due: Option<Timestamp>, now: Timestamp) {
        let watermark = first_due.map_or(now, |due| due.min(now)) - COMMIT_LAG;
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = match *state {
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
        let beginning = Timestamp::UNIX_EPOCH;
        let watermark = DueWatermark::default();
        assert_eq!(watermark.scan_start(at(100_000)), beginning);
        watermark.advance(beginning, Some(at(50_000)), at(100_000));
        assert_eq!(watermark.scan_start(at(101_000)), at(49_500), "what is open is not passed by");
        watermark.advance(at(49_500), Some(at(500_000)), at(102_000));
        assert_eq!(watermark.scan_start(at(103_000)), at(101_500), "nor what is told now");
        watermark.advance(at(101_500), Some(at(101_600)), at(103_000));
        assert_eq!(watermark.scan_start(at(104_999)), at(101_500), "it does not sink");
        assert_eq!(watermark.scan_start(at(105_000)), beginning, "for what came late");
        assert_eq!(watermark.scan_start(at(90_000)), beginning, "a clock that was put back");
    }
}
