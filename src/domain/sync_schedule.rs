//! How often a connection is synced, and when next.

use std::time::Duration;

use super::{Timestamp, event::subject::SubjectKind, sync::SyncKind};

/// The actor of scheduled syncs.
pub const SCHEDULE: &str = "schedule";

/// When a failed sync is due again, at the latest.
const RETRY_AFTER_FAILURE: Duration = Duration::from_secs(3600);

/// The same for the first read of the catalogue.
const CATALOGUE_RETRY: Duration = Duration::from_secs(60);

/// How often a connection is synced, and what of that waits for approval.
#[derive(Clone, Debug, Default)]
pub struct SyncSchedule {
    /// Zero is never.
    pub every: Duration,
    /// Classes of `FIXABLE_DIFFERENCES` that a scheduled sync fixes only after approval.
    pub approve: Vec<String>,
}

/// The last request of a sync.
#[derive(Clone, Copy, Debug)]
pub struct LastRequested {
    /// When.
    pub at: Timestamp,
    /// True if it failed.
    pub has_failed: bool,
}

impl SyncSchedule {
    /// When a sync is due next: `now` where there was none yet, a time that has passed where it is due, `None` where it never is.
    pub fn next_at(
        &self,
        what: SyncKind,
        catalogue_was_read: bool,
        last: Option<LastRequested>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let has_failed = last.is_some_and(|last| last.has_failed);
        let after = self.due_after(what, catalogue_was_read, has_failed)?;
        Some(last.map_or(now, |last| last.at + after))
    }

    /// Whether a scheduled sync leaves what was never sent or written of a kind for approval.
    pub fn asks_before(&self, kind: SubjectKind) -> bool {
        let class = match kind {
            SubjectKind::Order => "orders.missing_at_warehouse",
            SubjectKind::Product => "products.missing_at_warehouse",
            SubjectKind::Stock => "stock.figure_differs",
        };
        self.approve.iter().any(|it| it == class)
    }

    /// How long after the last request a sync is due; `None` where it never is.
    fn due_after(&self, what: SyncKind, catalogue_was_read: bool, has_failed: bool) -> Option<Duration> {
        // No product is sent before the catalogue was read once, so that read does not wait for the schedule.
        if what == SyncKind::Products && !catalogue_was_read {
            return Some(CATALOGUE_RETRY);
        }
        if self.every.is_zero() {
            return None;
        }
        Some(if has_failed { self.every.min(RETRY_AFTER_FAILURE) } else { self.every })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_sync_and_the_first_catalogue_do_not_wait_for_the_schedule() {
        let now = Timestamp::from_timestamp(1_790_000_000, 0).unwrap();
        let daily = SyncSchedule { every: Duration::from_secs(86_400), approve: Vec::new() };
        let last = |has_failed| Some(LastRequested { at: now, has_failed });
        let wait = |schedule: &SyncSchedule, what, was_read, last| {
            schedule.next_at(what, was_read, last, now).map(|next| (next - now).num_seconds())
        };
        assert_eq!(wait(&daily, SyncKind::Stock, true, None), Some(0), "there was none yet");
        assert_eq!(wait(&daily, SyncKind::Stock, true, last(false)), Some(86_400));
        assert_eq!(wait(&daily, SyncKind::Stock, true, last(true)), Some(3600));
        assert_eq!(wait(&daily, SyncKind::Products, false, last(false)), Some(60));
        let never = SyncSchedule::default();
        assert!(!never.asks_before(SubjectKind::Product));
        let asks =
            SyncSchedule { approve: vec!["products.missing_at_warehouse".to_owned()], ..never.clone() };
        assert!(asks.asks_before(SubjectKind::Product) && !asks.asks_before(SubjectKind::Order));
        assert_eq!(wait(&never, SyncKind::Orders, true, last(true)), None);
        assert_eq!(wait(&never, SyncKind::Products, false, last(true)), Some(60), "codes must be known");
    }
}
