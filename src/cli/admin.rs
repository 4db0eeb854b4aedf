//! `silta tasks` and `silta events`: the admin actions from a shell, by the same `control` as over HTTP.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::{print_line, table};
use crate::{
    actions::{self, Actor},
    domain::id::{EventId, TaskId},
    runtime::clock::{Entropy, SystemClock},
    store::{
        Page, attempts,
        events::{self, EventFilter},
        views::overview::{self, TaskFilter},
    },
};

/// What is owed.
#[derive(Subcommand)]
pub(super) enum Tasks {
    /// Newest first.
    List(TaskArgs),
    /// One, with its diary.
    Show { id: Uuid },
    /// A fresh look at the subject of a closed one.
    Replay { id: Uuid },
    /// Not to be tried again.
    Cancel { id: Uuid },
}

#[derive(Args)]
pub(super) struct TaskArgs {
    /// Only this connection's.
    #[arg(long)]
    connection: Option<String>,
    /// pending, leased, `in_doubt`, done, skipped, dead or cancelled.
    #[arg(long)]
    state: Option<String>,
    /// As order:1042.
    #[arg(long)]
    subject: Option<String>,
    /// A reason code.
    #[arg(long)]
    reason: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u16,
    /// One JSON object a line, with every field.
    #[arg(long)]
    json: bool,
}

/// What was received.
#[derive(Subcommand)]
pub(super) enum Events {
    /// Newest first.
    List(EventArgs),
    /// One.
    Show { id: Uuid },
}

#[derive(Args)]
pub(super) struct EventArgs {
    /// Only this connection's.
    #[arg(long)]
    connection: Option<String>,
    /// As order:1042.
    #[arg(long)]
    subject: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u16,
    /// One JSON object a line, with every field.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run_tasks(command: Tasks, pool: &PgPool, account: &str) -> Result<()> {
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
            let word = if replayed.opened { "opened" } else { "open already, told the revision:" };
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

pub(super) async fn run_events(command: Events, pool: &PgPool) -> Result<()> {
    let mut db = pool.acquire().await?;
    match command {
        Events::List(EventArgs { connection, subject, limit, json }) => {
            let filter = EventFilter { connection, subject, ..EventFilter::default() };
            let rows = events::list(&mut db, &filter, &Page { before: None, limit: limit.into() }).await?;
            table::show(&rows, &["id", "connection", "source", "topic", "subject", "received_at"], json);
        }
        Events::Show { id } => {
            let Some(row) = events::find(&mut db, EventId(id)).await? else {
                bail!("there is no event {id}")
            };
            print_line(&serde_json::to_string_pretty(&json!(row))?);
        }
    }
    Ok(())
}
