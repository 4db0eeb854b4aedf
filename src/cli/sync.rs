//! `silta sync`: a full comparison now, run in this process and watched.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{Database, say};
use crate::{
    actions::{self, Actor},
    app::{App, config::Config},
    domain::sync,
    runtime::clock::{Clock, Entropy, SystemClock},
    store::{
        self, Page,
        sync_differences::{self, DifferenceRow},
        sync_runs::Progress,
        syncs::{self, SyncRow},
    },
};

/// Differences read at once, and the most of each word that are printed; `--json` has them all.
const AT_ONCE: i64 = 500;
const MOST_PRINTED: usize = 20;

#[derive(Args)]
pub(super) struct SyncArgs {
    /// What to compare.
    what: What,
    /// The connection's name.
    connection: String,
    /// For orders: only what was placed since this day; a month, unless said otherwise.
    #[arg(long)]
    since: Option<chrono::NaiveDate>,
    /// Only tell, mend nothing.
    #[arg(long)]
    dry_run: bool,
    /// Approve what the last comparison of this kind has left waiting, instead of comparing anew.
    #[arg(long, conflicts_with_all = ["dry_run", "since"])]
    approve: bool,
    /// The report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// The shop's catalogue beside the warehouse's products: "Upload products to OGOship".
    Products,
    /// The warehouse's figures beside the shop's: "Sync stock balances from OGOship".
    Stock,
    /// All orders of the shop beside all orders of the warehouse.
    Orders,
}

/// Compares, and fails where a person is needed.
pub(super) async fn sync(args: SyncArgs, config: Config, account: &str) -> Result<ExitCode> {
    let database = Database::open(&config).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    let app = App::new(config, database.surroundings());
    app.prepare().await?;
    let id = ask(&args, &database.pool, account).await?;
    let bar = ProgressBar::new_spinner();
    let ran = app.syncer.run_one(id, &|progress| show(&bar, progress)).await?;
    bar.finish_and_clear();
    anyhow::ensure!(
        ran,
        "the comparison {id} is being run by another process: watch it at /admin/v1/syncs/{id}"
    );

    let mut db = database.pool.acquire().await?;
    let row = syncs::find(&mut db, id).await?.context("the comparison is gone")?;
    if args.json {
        print_json(&mut db, &row).await?;
    } else {
        print_table(&mut db, &row).await?;
    }
    let mends = row.mending_count == row.difference_count;
    Ok(if row.state == "done" && mends { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The comparison as one JSON object, its differences one a line: a page of them is in memory, never all.
async fn print_json(db: &mut PgConnection, row: &SyncRow) -> Result<()> {
    let whole = serde_json::to_string(row)?;
    say(&format!("{},\"differences\": [", whole.strip_suffix('}').unwrap_or(&whole)));
    let (mut after, mut comma) = (0, "");
    loop {
        let page = sync_differences::list(db, row.id, after, AT_ONCE).await?;
        let Some(last) = page.last() else { break };
        after = last.place;
        for difference in &page {
            say(&format!("{comma}{}", serde_json::to_string(difference)?));
            comma = ",";
        }
    }
    say("]}");
    Ok(())
}

/// Asks for a comparison, or approves the last one.
async fn ask(args: &SyncArgs, pool: &PgPool, account: &str) -> Result<Uuid> {
    let what = match args.what {
        What::Products => sync::What::Products,
        What::Stock => sync::What::Stock,
        What::Orders => sync::What::Orders,
    };
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = pool.begin().await?;
    let id = if args.approve {
        let newest = Page { before: None, limit: 1 };
        let last = syncs::list(&mut db, Some(&args.connection), Some(what.as_str()), &newest).await?;
        let last = last.first().context("nothing of this kind was ever compared")?.id;
        actions::approve_sync(&mut db, &actor, last).await?;
        last
    } else {
        let since = args.since.and_then(|day| day.and_hms_opt(0, 0, 0)).map(|midnight| midnight.and_utc());
        actions::request_sync(&mut db, &actor, &args.connection, what, args.dry_run, since).await?.0
    };
    db.commit().await?;
    Ok(id)
}

/// A bar with rate and time left once the shop has said how much there is; a spinner until then.
fn show(bar: &ProgressBar, progress: &Progress) {
    let template = match progress.total {
        Some(_) => "{msg} {wide_bar} {pos}/{len} {per_sec}, {eta} left",
        None => "{spinner} {msg} {pos} compared, {per_sec}, {elapsed}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(progress.step.as_str());
    if let Some(total) = progress.total {
        bar.set_length(total.unsigned_abs());
    }
    bar.set_position(progress.done.unsigned_abs());
    bar.tick();
}

/// Of each word the first few, then the counts.
async fn print_table(db: &mut PgConnection, row: &SyncRow) -> Result<()> {
    let mut words: BTreeMap<String, (usize, Vec<DifferenceRow>)> = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = sync_differences::list(db, row.id, after, AT_ONCE).await?;
        let Some(last) = page.last() else { break };
        after = last.place;
        for difference in page {
            let (count, first) = words.entry(difference.difference.clone()).or_default();
            *count += 1;
            if first.len() < MOST_PRINTED {
                first.push(difference);
            }
        }
    }
    for (word, (count, rows)) in words {
        let stand = |row: &DifferenceRow| match (row.mending, row.waits) {
            (true, _) => "mending",
            (_, true) => "waits for approval",
            _ => "",
        };
        say(&format!("{word} ({count}): {}", rows[0].remedy));
        for row in &rows {
            let detail = row.detail.as_deref().or(row.reason.as_deref()).unwrap_or_default();
            let subject = if row.part.is_empty() { &row.subject } else { &row.part };
            say(format!("  {subject:<20} {detail}  {}", stand(row)).trim_end());
        }
        if count > rows.len() {
            let more = count - rows.len();
            say(&format!("  … and {more} more: --json, or /admin/v1/syncs/{}/differences", row.id));
        }
    }
    let at = row.finished_at.unwrap_or_else(|| SystemClock.now()).format("%H:%M UTC");
    let SyncRow { what, done, mending_count, waiting_count, .. } = row;
    let same = row.counts.get("same").and_then(serde_json::Value::as_i64).unwrap_or_default();
    say(&match (&row.error, row.difference_count) {
        (Some(error), _) => format!("failed at {at}: {error}"),
        (None, 0) => format!("zero differences at {at}, {done} {what} compared"),
        (None, count) => format!(
            "{count} differences at {at}, {done} {what} compared: {same} the same, {mending_count} mending, \
             {waiting_count} waiting for approval"
        ),
    });
    if let Some(reason) = &row.braked {
        say(&format!(
            "nothing was mended: {reason}. Look at the list, then: silta sync {what} {} --approve",
            row.connection
        ));
    } else if *waiting_count > 0 {
        say(&format!("to mend what waits: silta sync {what} {} --approve", row.connection));
    }
    Ok(())
}
