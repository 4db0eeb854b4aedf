//! `silta events`: received events.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::{names, print::print_line, table};
use crate::{
    domain::id::EventId,
    store::{
        Page,
        events::{self, EventFilter},
    },
};

/// Commands for received events.
#[derive(Subcommand)]
pub(super) enum Events {
    /// Lists events, newest first
    List(EventArgs),
    /// Shows one event
    Show { id: Uuid },
}

#[derive(Args)]
pub(super) struct EventArgs {
    /// Only this connection
    #[arg(long)]
    connection: Option<String>,
    /// A subject such as order:1042
    #[arg(long, value_parser = names::subject)]
    subject: Option<String>,
    /// The most rows
    #[arg(long, default_value_t = 50)]
    limit: u16,
    /// One JSON object per line, with every field
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Events, pool: &PgPool, configured: &[String]) -> Result<()> {
    let mut db = pool.acquire().await?;
    match command {
        Events::List(EventArgs { connection, subject, limit, json }) => {
            if let Some(name) = &connection {
                names::ensure_connection(&mut db, configured, name).await?;
            }
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
