//! `silta sync`: a full comparison now, run in this process and watched.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Database, say};
use crate::{
    app::App,
    clock::{Clock, Entropy, SystemClock},
    config::Config,
    control::{self, Actor},
    store::{
        self,
        syncs::{self, Progress},
    },
};

/// The most differences that are printed; the admin API pages through all of them.
const MOST_PRINTED: i64 = 1000;

#[derive(Args)]
pub(super) struct SyncArgs {
    /// What to compare.
    what: What,
    /// The connection's name.
    connection: String,
    /// Only what was placed since this day; a month, unless said otherwise.
    #[arg(long)]
    since: Option<chrono::NaiveDate>,
    /// Only tell, mend nothing.
    #[arg(long)]
    dry_run: bool,
    /// The report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// All orders of the shop beside all orders of the warehouse.
    Orders,
}

/// Compares, and fails where a person is needed.
pub(super) async fn sync(args: SyncArgs, config: Config, account: &str) -> Result<ExitCode> {
    let SyncArgs { what: What::Orders, connection, since, dry_run, json } = args;
    let since = since.and_then(|day| day.and_hms_opt(0, 0, 0)).map(|midnight| midnight.and_utc());
    let database = Database::open(&config).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    let app = App::new(config, database.surroundings());
    app.prepare().await?;

    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = database.pool.begin().await?;
    let (id, _) = control::request_sync(&mut db, &actor, &connection, "orders", dry_run, since).await?;
    db.commit().await?;
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} orders compared, {per_sec}, {elapsed}") {
        bar.set_style(style);
    }
    let on_progress = |progress: Progress| bar.set_position(progress.done.unsigned_abs());
    // Another process may have taken it up already: then it is that one's to end.
    let ran = app.syncer.run_one(Some(id), &on_progress).await?;
    bar.finish_and_clear();
    anyhow::ensure!(
        ran,
        "the comparison {id} is being run by another process: watch it at /admin/v1/syncs/{id}"
    );

    let mut db = database.pool.acquire().await?;
    let row = syncs::find(&mut db, id).await?.context("the comparison is gone")?;
    let differences = syncs::differences(&mut db, id, MOST_PRINTED).await?;
    if json {
        let mut item = json!(row);
        item["differences"] = json!(differences);
        say(&serde_json::to_string_pretty(&item)?);
    } else {
        for row in &differences {
            let detail = row.detail.as_deref().or(row.reason.as_deref()).unwrap_or_default();
            say(&format!("{:<16} {:<24} {}  {detail}", row.subject, row.difference, row.remedy));
        }
        let at = row.finished_at.unwrap_or_else(|| SystemClock.now()).format("%H:%M UTC");
        say(&match (&row.error, row.difference_count) {
            (Some(error), _) => format!("failed at {at}: {error}"),
            (None, 0) => format!("zero differences at {at}, {} orders compared", row.done),
            (None, count) => format!("{count} differences at {at}, {} orders compared", row.done),
        });
    }
    Ok(if row.state == "done" && differences.iter().all(|row| row.mending) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
