//! What `silta doctor` checks of the catalogue: product codes, and what the warehouse asks of products.

use anyhow::{Context, Result};
use uuid::Uuid;

use super::{check::Check, database::Database, sync_wait::wait_for_end};
use crate::{
    actions::{self, ActionError, Actor, ConflictError, SyncRequest},
    app::App,
    domain::sync::SyncKind,
    runtime::clock::{Entropy, SystemClock},
    store::{
        Page, syncs,
        views::{code_problems, remarks},
    },
};

/// How many problems with codes, and how many remarks, are read and printed.
const PAGE_SIZE: i64 = 200;

/// The check of the codes, and whether the whole catalogue was read for it.
pub(super) struct CodesCheck {
    pub(super) check: Check,
    pub(super) is_read: bool,
}

/// Reads the whole catalogue of the shop by a dry run of the sync, and reports the codes that cannot be sent. Where another
/// process is reading it already, that one's result is waited for.
pub(super) async fn check_codes(
    app: &App,
    database: &Database,
    connection: &str,
    account: &str,
) -> Result<CodesCheck> {
    let good = |found: String| Check::good(connection, "codes", found);
    let id = find_or_request(app, database, connection, account).await?;
    app.syncer.run_one(id, &|_| {}).await?;
    let Some(row) = wait_for_end(database, id).await? else {
        let check = good("another process is reading the catalogue, and comes no further".to_owned());
        let remedy = format!("silta sync cancel {id}, then run the doctor again");
        return Ok(CodesCheck { check: check.warning(remedy), is_read: false });
    };
    if row.state != "done" {
        let why = row.error.unwrap_or(row.state);
        let check = good(format!("the catalogue could not be read: {why}"));
        return Ok(CodesCheck {
            check: check.failed("docs/problems.md explains this reason"),
            is_read: false,
        });
    }
    let mut db = database.pool.acquire().await?;
    let problems = code_problems::list_code_problems(&mut db, connection, "", PAGE_SIZE).await?;
    let check = if problems.is_empty() {
        good("every product code is unique and usable".to_owned())
    } else {
        good(format!("{} codes cannot be sent:", problems.len()))
            .with_details(&problems)
            .failed("give each product and variation a code of its own in the shop")
    };
    Ok(CodesCheck { check, is_read: true })
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

/// Reports what the products lack that the warehouse asks for, by the catalogue that was just read.
pub(super) async fn check_remarks(database: &Database, connection: &str) -> Result<Check> {
    let mut db = database.pool.acquire().await?;
    let remarked = remarks::list_remarked(&mut db, connection, "", PAGE_SIZE).await?;
    let good = |found: String| Check::good(connection, "products", found);
    if remarked.is_empty() {
        return Ok(good("every product has an EAN and a code that the warehouse allows".to_owned()));
    }
    let found = format!("{} products lack what the warehouse asks for:", remarked.len());
    // Without an EAN the warehouse may still take it: it says so itself where it does not.
    Ok(good(found).with_details(&remarked).warning(
        "ean_missing: enter the EAN as the barcode in the shop. code_slash: ask OGOship whether it takes / and \\ in codes, or \
         give the product another one",
    ))
}
