//! Requests the syncs that are due by their schedule.

use std::time::Duration;

use super::syncer::Deps;
use crate::{
    domain::sync::SyncKind,
    store::{
        self,
        connections::{self, ConnectionRow},
        syncs::{self, LastRequest, NewSync},
    },
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
    /// Classes of [`FIXABLE_DIFFERENCES`](super::FIXABLE_DIFFERENCES) that a scheduled sync fixes only after approval.
    pub approve: Vec<String>,
}

impl SyncSchedule {
    /// How long after the last request a sync is due; `None` where it never is.
    fn due_after(&self, what: SyncKind, row: &ConnectionRow, last: Option<&LastRequest>) -> Option<Duration> {
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

/// Requests every sync that is due.
pub(super) async fn request_due(deps: &Deps) -> store::Result<()> {
    let Deps { pool, clock, entropy, dry_runner, schedules } = deps;
    let now = clock.now();
    let mut db = pool.acquire().await?;
    let (rows, requests) = (connections::list(&mut db).await?, syncs::list_last_requests(&mut db).await?);
    for (connection, schedule) in schedules {
        let Some(row) = rows.iter().find(|row| row.name == *connection) else { continue };
        for what in SyncKind::ALL.iter().copied() {
            let last = requests.iter().find(|it| it.connection == *connection && it.what == what.as_str());
            let Some(after) = schedule.due_after(what, row, last) else { continue };
            if last.is_some_and(|last| now < last.created_at + after) {
                continue;
            }
            let not_before =
                dry_runner.clients(connection).and_then(|clients| clients.order_policy.not_before);
            let new = NewSync {
                id: entropy.id(now),
                connection,
                what,
                dry_run: false,
                actor: SCHEDULE,
                since: syncs::default_since(not_before.unwrap_or(row.created_at), now),
                at: now,
            };
            syncs::request(&mut db, &new).await?;
        }
    }
    Ok(())
}
