//! `silta tasks`: the operators' actions on tasks, as in the admin API.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::{print::print_line, table};
use crate::{
    actions::{self, Actor},
    domain::id::TaskId,
    runtime::clock::{Entropy, SystemClock},
    store::{
        Page, attempts,
        views::overview::{self, TaskFilter},
    },
};

/// Commands for tasks.
#[derive(Subcommand)]
pub(super) enum Tasks {
    /// Lists tasks, newest first
    List(TaskArgs),
    /// Shows one task with its attempts
    Show { id: Uuid },
    /// Replays a closed task: its subject is read and decided again
    Replay { id: Uuid },
    /// Cancels a task: it is not attempted again
    Cancel { id: Uuid },
}

#[derive(Args)]
pub(super) struct TaskArgs {
    /// Only this connection
    #[arg(long)]
    connection: Option<String>,
    /// `pending`, `leased`, `in_doubt`, `done`, `skipped`, `dead` or `cancelled`
    #[arg(long)]
    state: Option<String>,
    /// A subject such as order:1042
    #[arg(long)]
    subject: Option<String>,
    /// A reason code
    #[arg(long)]
    reason: Option<String>,
    /// The most rows
    #[arg(long, default_value_t = 50)]
    limit: u16,
    /// One JSON object per line, with every field
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Tasks, pool: &PgPool, account: &str) -> Result<()> {
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = pool.begin().await?;
    match command {
        Tasks::List(TaskArgs { connection, state, subject, reason, limit, json }) => {
            let filter = TaskFilter { connection, state, subject, reason, ..TaskFilter::default() };
            let page = Page { before: None, limit: limit.into() };
            let rows = overview::list_tasks(&mut db, &filter, &page).await?;
            table::show(
                &rows,
                &["id", "connection", "subject", "state", "reason", "attempts", "created_at"],
                json,
            );
        }
        Tasks::Show { id } => {
            let Some(row) = overview::find_task(&mut db, TaskId(id)).await? else {
                bail!("there is no task {id}")
            };
            let mut item = json!(row);
            item["attempt_list"] = json!(attempts::list(&mut db, TaskId(id)).await?);
            print_line(&serde_json::to_string_pretty(&item)?);
        }
        Tasks::Replay { id } => {
            let replayed = actions::replay_task(&mut db, &actor, TaskId(id)).await?;
            let word = if replayed.opened { "opened" } else { "already open, revision raised:" };
            print_line(&format!("{word} {}", replayed.task));
        }
        Tasks::Cancel { id } => {
            actions::cancel(&mut db, &actor, TaskId(id)).await?;
            print_line(&format!("cancelled {id}"));
        }
    }
    db.commit().await?;
    Ok(())
}
