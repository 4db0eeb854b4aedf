//! What `silta doctor` checks of the catalogue: product codes, and what the warehouse asks of products.

use anyhow::Result;

use super::{
    check::{Check, CheckResult},
    database::Database,
};
use crate::{
    actions::{self, Actor, SyncRequest},
    app::App,
    domain::sync::SyncKind,
    runtime::clock::{Entropy, SystemClock},
    store::{syncs, views::code_problems, views::remarks},
};

/// How many problems with codes, and how many remarks, are read and printed.
const PAGE_SIZE: i64 = 200;

/// Reads the whole catalogue of the shop by a dry run of the sync, and reports the codes that cannot be sent.
pub(super) async fn check_codes(
    app: &App,
    database: &Database,
    connection: &str,
    account: &str,
) -> Result<Check> {
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = database.pool.begin().await?;
    let (what, not_before) = (SyncKind::Products, app.not_before(connection));
    let request = SyncRequest { connection, what, dry_run: true, since: None, not_before };
    let id = actions::request_sync(&mut db, &actor, request).await?.id;
    db.commit().await?;
    let ran = app.syncer.run_one(id, &|_| {}).await?;
    let mut db = database.pool.acquire().await?;
    let error = match syncs::find(&mut db, id).await? {
        Some(row) if ran => row.error,
        _ => Some("another process is reading it, try again later".to_owned()),
    };
    let problems = code_problems::list_code_problems(&mut db, connection, "", PAGE_SIZE).await?;
    let found = match (&error, problems.is_empty()) {
        (Some(reason), _) => format!("the catalogue could not be read: {reason}"),
        (None, true) => "every product code is unique and usable".to_owned(),
        (None, false) => {
            let messages: Vec<_> = problems.iter().map(|problem| format!("\n     {problem}")).collect();
            format!("{} codes cannot be sent:{}", problems.len(), messages.concat())
        }
    };
    Ok(Check {
        connection: connection.to_owned(),
        name: "codes",
        result: CheckResult::of(error.is_none() && problems.is_empty()),
        found,
        remedy: "give each product and variation a code of its own in the shop",
    })
}

/// Reports what the products lack that the warehouse asks for, by the catalogue that was just read.
pub(super) async fn check_remarks(database: &Database, connection: &str) -> Result<Check> {
    let mut db = database.pool.acquire().await?;
    let remarked = remarks::list_remarked(&mut db, connection, "", PAGE_SIZE).await?;
    let lines: Vec<_> = remarked.iter().map(|item| format!("\n     {item}")).collect();
    Ok(Check {
        connection: connection.to_owned(),
        name: "products",
        // Without an EAN the warehouse may still take it: it says so itself where it does not.
        result: if remarked.is_empty() { CheckResult::Good } else { CheckResult::Warning },
        found: match remarked.len() {
            0 => "every product has an EAN and a code that the warehouse allows".to_owned(),
            some => format!("{some} products lack what the warehouse asks for:{}", lines.concat()),
        },
        remedy: "ean_missing: enter the EAN as the barcode in the shop. code_slash: ask OGOship whether it takes / and \\ \
                 in codes, or give the product another one",
    })
}
