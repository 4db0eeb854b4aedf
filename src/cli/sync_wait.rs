//! Waits for a sync that another process runs: `silta serve` may be the first to take what a command has requested.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::Instant;
use uuid::Uuid;

use super::database::Database;
use crate::store::syncs::{self, SyncRow};

/// How often the sync is looked at, and how long it may make no progress: longer than its lease.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
const STALLED_AFTER: Duration = Duration::from_secs(150);

/// Waits until a sync has ended; `None` where it makes no progress.
pub(super) async fn wait_for_end(database: &Database, id: Uuid) -> Result<Option<SyncRow>> {
    let (mut progress, mut progressed) = (None, Instant::now());
    loop {
        let row = syncs::find(&mut *database.pool.acquire().await?, id).await?.context("the sync is gone")?;
        if row.state != "running" {
            return Ok(Some(row));
        }
        let current = Some((row.step, row.done));
        if current != progress {
            (progress, progressed) = (current, Instant::now());
        } else if progressed.elapsed() > STALLED_AFTER {
            return Ok(None);
        }
        #[expect(clippy::disallowed_methods, reason = "waits for what another process does")]
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
