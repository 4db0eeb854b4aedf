//! Requests the syncs that are due by their schedule.

use super::deps::Deps;
use crate::{
    domain::{
        sync::SyncKind,
        sync_schedule::{LastRequested, SCHEDULE},
    },
    store::{
        self, configurations, connections,
        syncs::{self, NewSync},
    },
};

/// Requests every sync that is due, unless a newer configuration says when.
pub(super) async fn request_due(deps: &Deps) -> store::Result<()> {
    let Deps { pool, clock, entropy, dry_runner, configuration, schedules } = deps;
    let now = clock.now();
    let mut db = pool.acquire().await?;
    if !configurations::is_newest(&mut db, configuration, clock.monotonic()).await? {
        return Ok(());
    }
    let (rows, requests) = (connections::list(&mut db).await?, syncs::list_last_requests(&mut db).await?);
    for (connection, schedule) in schedules {
        let Some(row) = rows.iter().find(|row| row.name == *connection) else { continue };
        for what in SyncKind::ALL.iter().copied() {
            let last = requests.iter().find(|it| it.connection == *connection && it.what == what.as_str());
            let last = last.map(|last| LastRequested { at: last.created_at, has_failed: last.failed });
            let next = schedule.next_at(what, row.catalogue_read_at.is_some(), last, now);
            if next.is_none_or(|next| now < next) {
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
                since: syncs::default_since(not_before.unwrap_or(row.connected_at), now),
                is_default_since: true,
                at: now,
            };
            syncs::request(&mut db, &new).await?;
        }
    }
    Ok(())
}
