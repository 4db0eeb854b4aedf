//! `silta tasks`: the operators' actions on tasks, as in the admin API.

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::{names, print::print_line, table};
use crate::{
    actions::{self, ActionError, Actor},
    domain::id::TaskId,
    runtime::clock::{Entropy, SystemClock},
    store::{
        Page, attempts,
        tasks::Resolution,
        views::{
            overview::{self, TaskFilter},
            task_list,
        },
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
    /// Marks what a stopped order asked for, as a refund, as done outside; it needs no attention until the order changes
    Handle { id: Uuid },
    /// Says what you found at the vendor about an action whose outcome is unknown
    Resolve {
        id: Uuid,
        /// `done`: it was applied; `pending`: it was not, try again
        #[arg(long = "as", value_name = "OUTCOME")]
        resolution: ResolutionArg,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ResolutionArg {
    Done,
    Pending,
}

#[derive(Args)]
pub(super) struct TaskArgs {
    /// Only this connection
    #[arg(long)]
    connection: Option<String>,
    /// `pending`, `leased`, `in_doubt`, `done`, `skipped`, `dead` or `cancelled`
    #[arg(long, value_parser = names::task_states(), hide_possible_values = true)]
    state: Option<String>,
    /// A subject such as order:1042
    #[arg(long, value_parser = names::subject)]
    subject: Option<String>,
    /// A reason code
    #[arg(long, value_parser = names::reasons(), hide_possible_values = true)]
    reason: Option<String>,
    /// The most rows
    #[arg(long, default_value_t = 50)]
    limit: u16,
    /// One JSON object per line, with every field
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Tasks, pool: &PgPool, configured: &[String], account: &str) -> Result<()> {
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = pool.begin().await?;
    match command {
        Tasks::List(TaskArgs { connection, state, subject, reason, limit, json }) => {
            if let Some(name) = &connection {
                names::ensure_connection(&mut db, configured, name).await?;
            }
            let filter = TaskFilter { connection, state, subject, reason, ..TaskFilter::default() };
            let page = Page { before: None, limit: limit.into() };
            let rows = task_list::list(&mut db, &filter, &page).await?;
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
            let replayed = found(actions::replay_task(&mut db, &actor, TaskId(id)).await, id)?;
            db.commit().await?; // what is printed has been done
            let word = if replayed.opened { "opened" } else { "already open, revision raised:" };
            print_line(&format!("{word} {}", replayed.task));
        }
        Tasks::Cancel { id } => {
            found(actions::cancel(&mut db, &actor, TaskId(id)).await, id)?;
            db.commit().await?;
            print_line(&format!("cancelled {id}"));
        }
        Tasks::Handle { id } => {
            found(actions::mark_handled(&mut db, &actor, TaskId(id)).await, id)?;
            db.commit().await?;
            print_line(&format!("handled {id}"));
        }
        Tasks::Resolve { id, resolution } => {
            let resolution = match resolution {
                ResolutionArg::Done => Resolution::Done,
                ResolutionArg::Pending => Resolution::Pending,
            };
            found(actions::resolve(&mut db, &actor, TaskId(id), resolution).await, id)?;
            db.commit().await?;
            print_line(&format!("resolved {id}"));
        }
    }
    Ok(())
}

/// The error of an id that no task has names it.
fn found<T>(result: Result<T, ActionError>, id: Uuid) -> Result<T> {
    match result {
        Err(ActionError::NotFound) => bail!("there is no task {id}"),
        result => Ok(result?),
    }
}
