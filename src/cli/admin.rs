//! `silta deliveries` and `silta events`: the admin actions from a shell, by the same `control` as over HTTP.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::{say, table};
use crate::{
    actions::{self, Actor},
    domain::id::{DeliveryId, EventId},
    runtime::clock::{Entropy, SystemClock},
    store::{
        Page, attempts,
        events::{self, EventFilter},
        views::overview::{self, DeliveryFilter},
    },
};

/// What is owed.
#[derive(Subcommand)]
pub(super) enum Deliveries {
    /// Newest first.
    List(DeliveryArgs),
    /// One, with its diary.
    Show { id: Uuid },
    /// A fresh look at the subject of a closed one.
    Replay { id: Uuid },
    /// Not to be tried again.
    Cancel { id: Uuid },
}

#[derive(Args)]
pub(super) struct DeliveryArgs {
    /// Only this connection's.
    #[arg(long)]
    connection: Option<String>,
    /// pending, leased, `in_doubt`, delivered, skipped, dead or cancelled.
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

pub(super) async fn deliveries(command: Deliveries, pool: &PgPool, account: &str) -> Result<()> {
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = pool.begin().await?;
    match command {
        Deliveries::List(DeliveryArgs { connection, state, subject, reason, limit, json }) => {
            let filter = DeliveryFilter { connection, state, subject, reason, ..DeliveryFilter::default() };
            let page = Page { before: None, limit: limit.into() };
            let rows = overview::list_deliveries(&mut db, &filter, &page).await?;
            table::show(
                &rows,
                &["id", "connection", "subject", "state", "reason", "attempts", "created_at"],
                json,
            );
        }
        Deliveries::Show { id } => {
            let Some(row) = overview::find_delivery(&mut db, DeliveryId(id)).await? else {
                bail!("there is no delivery {id}")
            };
            let mut item = json!(row);
            item["attempt_list"] = json!(attempts::list(&mut db, DeliveryId(id)).await?);
            say(&serde_json::to_string_pretty(&item)?);
        }
        Deliveries::Replay { id } => {
            let replayed = actions::replay_delivery(&mut db, &actor, DeliveryId(id)).await?;
            let word = if replayed.opened { "opened" } else { "open already, told the news:" };
            say(&format!("{word} {}", replayed.delivery));
        }
        Deliveries::Cancel { id } => {
            actions::cancel(&mut db, &actor, DeliveryId(id)).await?;
            say(&format!("cancelled {id}"));
        }
    }
    db.commit().await?;
    Ok(())
}

pub(super) async fn events(command: Events, pool: &PgPool) -> Result<()> {
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
            say(&serde_json::to_string_pretty(&json!(row))?);
        }
    }
    Ok(())
}
