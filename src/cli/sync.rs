//! `silta sync`: runs a full sync in this process, with a progress bar, or cancels one.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{
    database::Database,
    names,
    print::{print_error, print_foreign, print_line},
};
use crate::{
    actions::{self, ActionError, Actor, ConflictError, SyncRequest},
    app::{App, config::Config},
    domain::{event::subject::Subject, sync::SyncKind},
    runtime::clock::{Clock, Entropy, SystemClock},
    store::{
        self, Page,
        sync_differences::{self, DifferenceRow},
        sync_runs::Progress,
        syncs::{self, SyncRow},
    },
};

/// How many differences are read at once, and how many of each kind are printed; `--json` prints all.
const PAGE_SIZE: i64 = 500;
const MAX_PRINTED: usize = 20;

/// The pause between two looks at a sync that another process runs.
const POLL_INTERVAL: std::time::Duration = std::time::Duration::from_millis(500);

#[derive(Subcommand)]
pub(super) enum Sync {
    /// The shop's catalogue with the warehouse's products: "Upload products to OGOship"
    Products(SyncArgs),
    /// The warehouse's stock with the shop's: "Sync stock balances from OGOship"
    Stock(SyncArgs),
    /// All orders of the shop with all orders of the warehouse
    Orders(SyncArgs),
    /// Cancels a sync that runs or waits for its turn
    Cancel {
        /// Its id, as on its page and in /admin/v1/syncs
        id: Uuid,
    },
}

#[derive(Args)]
pub(super) struct SyncArgs {
    /// The connection's name
    connection: String,
    /// For orders: only those placed since this day; by default those of the last month
    #[arg(long)]
    since: Option<chrono::NaiveDate>,
    /// Only report, fix nothing
    #[arg(long)]
    dry_run: bool,
    /// Only this one: the id of a product, or the code of a stock figure. `silta serve` syncs it, also where its switch is
    /// "manual"
    #[arg(long, conflicts_with_all = ["dry_run", "since", "approve", "json"])]
    only: Option<String>,
    /// Approve what the last sync of this kind left waiting, instead of running another
    #[arg(long, conflicts_with_all = ["dry_run", "since"])]
    approve: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Runs a sync, or cancels one.
pub(super) async fn run(command: Sync, config: Config, account: &str) -> Result<ExitCode> {
    if let Sync::Products(args) | Sync::Stock(args) | Sync::Orders(args) = &command {
        names::ensure_configured(&names::configured(&config), &args.connection)?;
    }
    let database = Database::open(&config).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    match command {
        Sync::Products(args) => run_sync((SyncKind::Products, args), config, database, account).await,
        Sync::Stock(args) => run_sync((SyncKind::Stock, args), config, database, account).await,
        Sync::Orders(args) => run_sync((SyncKind::Orders, args), config, database, account).await,
        Sync::Cancel { id } => cancel_sync(&database.pool, id, account).await,
    }
}

async fn cancel_sync(pool: &PgPool, id: Uuid, account: &str) -> Result<ExitCode> {
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = pool.begin().await?;
    match actions::cancel_sync(&mut db, &actor, id).await {
        Err(ActionError::NotFound) => anyhow::bail!("there is no sync {id}"),
        cancelled => cancelled?,
    }
    db.commit().await?;
    print_line(&format!("cancelled {id}"));
    Ok(ExitCode::SUCCESS)
}

/// Runs a sync; fails where an operator is needed.
async fn run_sync(
    (what, args): (SyncKind, SyncArgs),
    config: Config,
    database: Database,
    account: &str,
) -> Result<ExitCode> {
    let app = App::new(config, database.deps());
    app.prepare().await?;
    if let Some(key) = &args.only {
        return sync_one((what, &args), key, &database.pool, account).await;
    }
    let id = request_sync((what, &args), &app, &database.pool, account).await?;
    let bar = ProgressBar::new_spinner();
    let ran = app.syncer.run_one(id, &|progress| show_progress(&bar, progress)).await?;
    bar.finish_and_clear();
    if !ran {
        print_error("`silta serve` runs it; Ctrl-C ends the wait and not the sync");
    }
    let row = wait_until_ended(&database.pool, id).await?;
    let mut db = database.pool.acquire().await?;
    if args.json {
        print_json(&mut db, &row).await?;
    } else {
        print_table(&mut db, &row).await?;
    }
    let all_fixed = row.fixing_count == row.difference_count;
    Ok(if row.state == "done" && all_fixed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Waits for a sync that another process runs; one that this process has run is over.
async fn wait_until_ended(pool: &PgPool, id: Uuid) -> Result<SyncRow> {
    loop {
        let row = syncs::find(&mut *pool.acquire().await?, id).await?.context("the sync is gone")?;
        if row.state != "running" {
            return Ok(row);
        }
        #[expect(clippy::disallowed_methods, reason = "waits for what another process writes")]
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Prints the sync as one JSON object, a difference per line. One page of them is in memory at a time.
async fn print_json(db: &mut PgConnection, row: &SyncRow) -> Result<()> {
    let whole = serde_json::to_string(row)?;
    print_line(&format!("{},\"differences\": [", whole.strip_suffix('}').unwrap_or(&whole)));
    let (mut after, mut comma) = (0, "");
    loop {
        let page = sync_differences::list(db, row.id, after, PAGE_SIZE).await?;
        let Some(last) = page.last() else { break };
        after = last.position;
        for difference in &page {
            print_line(&format!("{comma}{}", serde_json::to_string(difference)?));
            comma = ",";
        }
    }
    print_line("]}");
    Ok(())
}

/// Enqueues the task of one product or stock figure.
async fn sync_one(
    (what, args): (SyncKind, &SyncArgs),
    key: &str,
    pool: &PgPool,
    account: &str,
) -> Result<ExitCode> {
    let subject = match what {
        SyncKind::Products => Subject::product(key),
        SyncKind::Stock => Subject::stock(key),
        SyncKind::Orders => {
            bail!("an order has commands of its own: silta orders refresh, silta orders transfer")
        }
    };
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = pool.begin().await?;
    let enqueued = actions::sync_subject(&mut db, &actor, &args.connection, subject.clone()).await;
    let enqueued = enqueued.with_context(|| format!("{subject} of {} cannot be synced", args.connection))?;
    db.commit().await?;
    print_line(&format!("requested: sync of {subject} by task {}", enqueued.task));
    Ok(ExitCode::SUCCESS)
}

/// Requests a sync, or approves the last one.
async fn request_sync(
    (what, args): (SyncKind, &SyncArgs),
    app: &App,
    pool: &PgPool,
    account: &str,
) -> Result<Uuid> {
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = pool.begin().await?;
    let newest = async |db: &mut PgConnection| {
        let newest = Page { before: None, limit: 1 };
        let last = syncs::list(db, Some(&args.connection), Some(what.as_str()), &newest).await?;
        last.first().map(|row| row.id).context("there was no sync of this kind yet")
    };
    let id = if args.approve {
        let last = newest(&mut db).await?;
        actions::approve_sync(&mut db, &actor, last).await?;
        last
    } else {
        let since = args.since.and_then(|day| day.and_hms_opt(0, 0, 0)).map(|midnight| midnight.and_utc());
        let SyncArgs { connection, dry_run, .. } = args;
        let not_before = app.not_before(connection);
        let request = SyncRequest { connection, what, dry_run: *dry_run, since, not_before };
        match actions::request_sync(&mut db, &actor, request).await {
            Err(ActionError::Conflict(other @ ConflictError::OtherSyncRunning)) => {
                anyhow::bail!("{other}: silta sync cancel {}", newest(&mut db).await?)
            }
            requested => requested?.id,
        }
    };
    db.commit().await?;
    Ok(id)
}

/// A bar with rate and time left once the total is known; a spinner until then.
fn show_progress(bar: &ProgressBar, progress: &Progress) {
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

/// Prints the first few differences of each kind, then the counts.
async fn print_table(db: &mut PgConnection, row: &SyncRow) -> Result<()> {
    let mut by_kind: BTreeMap<String, (usize, Vec<DifferenceRow>)> = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = sync_differences::list(db, row.id, after, PAGE_SIZE).await?;
        let Some(last) = page.last() else { break };
        after = last.position;
        for difference in page {
            let (count, first) = by_kind.entry(difference.difference.clone()).or_default();
            *count += 1;
            if first.len() < MAX_PRINTED {
                first.push(difference);
            }
        }
    }
    for (kind, (count, rows)) in by_kind {
        let state_label = |row: &DifferenceRow| match (row.fixing, row.awaits_approval) {
            (true, _) => "fixing",
            (_, true) => "waits for approval",
            _ => "",
        };
        print_foreign(&format!("{kind} ({count}): {}", rows[0].remedy));
        for row in &rows {
            let detail = row.detail.as_deref().or(row.reason.as_deref()).unwrap_or_default();
            let subject = if row.item.is_empty() { &row.subject } else { &row.item };
            print_foreign(format!("  {subject:<20} {detail}  {}", state_label(row)).trim_end());
        }
        if count > rows.len() {
            let more = count - rows.len();
            print_line(&format!("  … and {more} more: --json, or /admin/v1/syncs/{}/differences", row.id));
        }
    }
    let at = row.finished_at.unwrap_or_else(|| SystemClock.now()).format("%H:%M UTC");
    let SyncRow { what, done, fixing_count, waiting_count, .. } = row;
    let same = row.counts.get("same").and_then(serde_json::Value::as_i64).unwrap_or_default();
    print_line(&match (&row.error, row.difference_count) {
        _ if row.state == "cancelled" => format!("cancelled at {at}, {done} {what} compared"),
        (Some(error), _) => format!("failed at {at}: {error}"),
        (None, 0) => format!("zero differences at {at}, {done} {what} compared"),
        (None, count) => format!(
            "{count} differences at {at}, {done} {what} compared: {same} the same, {fixing_count} fixing, \
             {waiting_count} waiting for approval"
        ),
    });
    if let Some(reason) = &row.braked {
        print_line(&format!(
            "nothing was fixed: {reason}. Look at the list, then: silta sync {what} {} --approve",
            row.connection
        ));
    } else if *waiting_count > 0 {
        print_line(&format!("to fix what waits: silta sync {what} {} --approve", row.connection));
    }
    Ok(())
}
