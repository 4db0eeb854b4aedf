//! `silta release`: what waits for a switch or a shipping rule, and its release.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use sqlx::PgPool;

use super::{
    print::{print_foreign, print_line},
    table,
};
use crate::{
    actions::{self, ActionError, Actor, ConflictError, Replay},
    app::config::Config,
    domain::{language::Language, task::reason::Reason},
    explain,
    runtime::clock::{Entropy, SystemClock},
    store::views::releasable::{self, WaitingFilter},
};

/// Subjects printed of each kind.
const MAX_PRINTED: i64 = 20;

/// Commands for what waits.
#[derive(Subcommand)]
pub(super) enum Release {
    /// Lists what waits for a switch (orders.transfer, products.upload, stock.update) or a shipping rule, and whether it may go
    List {
        /// One JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Releases what may go: all of it is read and decided again by `silta serve`
    Run(RunArgs),
}

#[derive(Args)]
pub(super) struct RunArgs {
    /// The connection's name
    connection: String,
    /// Only what waits for this reason, as `list` shows it
    #[arg(long)]
    reason: Option<String>,
    /// Only print what would be released
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(command: Release, config: &Config, pool: &PgPool, account: &str) -> Result<()> {
    match command {
        Release::List { json } => {
            let mut db = pool.acquire().await?;
            let rows = actions::list_releasable(&mut db, &config.shipping_rules()).await?;
            if rows.is_empty() && !json {
                print_line("nothing waits for a switch or a shipping rule");
                return Ok(());
            }
            let columns =
                ["connection", "kind", "reason", "count", "ready", "can_release", "oldest_at", "detail"];
            table::show(&rows, &columns, json);
            Ok(())
        }
        Release::Run(args) => release(&args, config, pool, account).await,
    }
}

/// Releases each group that may go, a thousand at a time.
async fn release(args: &RunArgs, config: &Config, pool: &PgPool, account: &str) -> Result<()> {
    let RunArgs { connection, reason, dry_run } = args;
    let mut db = pool.acquire().await?;
    let groups = actions::list_releasable(&mut db, &config.shipping_rules()).await?.into_iter();
    let groups: Vec<_> = groups
        .filter(|it| {
            it.connection == *connection && reason.as_ref().is_none_or(|reason| *reason == it.reason)
        })
        .collect();
    drop(db);
    // Without a reason only what is ready: what is manual is released where a person names it.
    let (chosen, left): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|it| it.ready || it.can_release && reason.is_some());
    for it in &left {
        let text =
            Reason::parse(&it.reason).map_or("", |reason| explain::reason_text(reason, Language::English));
        print_foreign(&format!("left: {} of {} ({}): {text}", it.count, it.kind, it.reason));
    }
    if chosen.is_empty() {
        print_line("nothing was released");
    }
    for it in &chosen {
        let filter =
            WaitingFilter { connection, reason: &it.reason, detail: it.detail.as_deref(), ids: None };
        if *dry_run {
            print_subjects(pool, &filter, it.count).await?;
            continue;
        }
        let count = release_all(pool, account, &filter).await?;
        print_foreign(&format!("released: {count} of {} ({})", it.kind, it.reason));
    }
    Ok(())
}

async fn print_subjects(pool: &PgPool, filter: &WaitingFilter<'_>, count: i64) -> Result<()> {
    let rows = releasable::list(&mut *pool.acquire().await?, filter, MAX_PRINTED).await?;
    let subjects: Vec<_> = rows.iter().map(|row| row.subject.as_str()).collect();
    let more = if count > MAX_PRINTED { ", …" } else { "" };
    print_foreign(&format!("would release {count} ({}): {}{more}", filter.reason, subjects.join(", ")));
    Ok(())
}

async fn release_all(pool: &PgPool, account: &str, filter: &WaitingFilter<'_>) -> Result<usize> {
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut count = 0;
    loop {
        let mut db = pool.begin().await?;
        match actions::release(&mut db, &actor, filter).await {
            Ok(Replay { tasks, .. }) => count += tasks.len(),
            Err(ActionError::Conflict(ConflictError::NothingWaits)) => return Ok(count),
            Err(error) => return Err(error).context("nothing more was released"),
        }
        db.commit().await?;
    }
}
