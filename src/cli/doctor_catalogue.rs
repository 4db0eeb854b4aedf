//! What `silta doctor` checks of the catalogue: product codes, and what the warehouse asks of products.

use anyhow::{Context, Result};
use uuid::Uuid;

use super::{database::Database, sync_wait::wait_for_end};
use crate::{
    actions::{self, ActionError, Actor, ConflictError, SyncRequest},
    app::{
        App,
        checks::{check_codes, check_remarks},
    },
    domain::{
        check::{Check, CheckName, Found, Obstacle},
        sync::SyncKind,
    },
    runtime::clock::{Entropy, SystemClock},
    store::{Page, syncs},
};

/// Reads the whole catalogue of the shop by a dry run of the sync, and reports the codes that cannot be sent and what products
/// lack. Where another process is reading it already, that one's result is waited for.
pub(super) async fn check_catalogue(
    app: &App,
    database: &Database,
    connection: &str,
    account: &str,
) -> Result<[Check; 2]> {
    let unread = |codes| [codes, Check::skipped(CheckName::Products, Obstacle::Catalogue)];
    let id = find_or_request(app, database, connection, account).await?;
    app.syncer.run_one(id, &|_| {}).await?;
    let Some(row) = wait_for_end(database, id).await? else {
        let stalled = Found::CatalogueStalled(id.to_string());
        return Ok(unread(Check::good(CheckName::Codes, stalled).warning()));
    };
    if row.state != "done" {
        let why = row.error.unwrap_or(row.state);
        return Ok(unread(Check::good(CheckName::Codes, Found::CatalogueUnread(why)).failed()));
    }
    let codes = check_codes(&database.pool, connection).await?;
    Ok([codes, check_remarks(&database.pool, connection).await?])
}

/// Requests a sync that only reads, or finds the one that is running: each of them reads the whole catalogue.
async fn find_or_request(app: &App, database: &Database, connection: &str, account: &str) -> Result<Uuid> {
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let what = SyncKind::Products;
    let not_before = app.not_before(connection);
    let request = SyncRequest { connection, what, dry_run: true, since: None, not_before };
    let mut db = database.pool.begin().await?;
    match actions::request_sync(&mut db, &actor, request).await {
        Ok(requested) => {
            db.commit().await?;
            Ok(requested.id)
        }
        Err(ActionError::Conflict(ConflictError::OtherSyncRunning)) => {
            let newest = Page { before: None, limit: 1 };
            let running = syncs::list(&mut db, Some(connection), Some(what.as_str()), &newest).await?;
            Ok(running.first().context("the sync that was running has ended: run the doctor again")?.id)
        }
        Err(error) => Err(error.into()),
    }
}
