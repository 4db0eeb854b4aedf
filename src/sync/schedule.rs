//! How often a connection is synced.

use std::time::Duration;

use crate::{
    domain::sync::SyncKind,
    store::{connections::ConnectionRow, syncs::LastRequest},
};

/// The actor of scheduled syncs.
pub(super) const SCHEDULE: &str = "schedule";

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

impl SyncSchedule {
    /// How long after the last request a sync is due; `None` where it never is.
    pub(super) fn due_after(
        &self,
        what: SyncKind,
        row: &ConnectionRow,
        last: Option<&LastRequest>,
    ) -> Option<Duration> {
        // No product is sent before the catalogue was read once, so that read does not wait for the schedule.
        if what == SyncKind::Products && row.catalogue_read_at.is_none() {
            return Some(CATALOGUE_RETRY);
        }
        if self.every.is_zero() {
            return None;
        }
        let has_failed = last.is_some_and(|last| last.failed);
        Some(if has_failed { self.every.min(RETRY_AFTER_FAILURE) } else { self.every })
    }
}
