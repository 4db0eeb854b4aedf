//! `silta alerts`: lists alerts and tries the notification channels.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;

use super::{database::Database, print::print_line, table};
use crate::{
    app::{App, config::Config},
    store::{self, Page, alerts as rows},
};

/// Commands for alerts.
#[derive(Subcommand)]
pub(super) enum Alerts {
    /// Lists alerts, newest first
    List {
        /// Only alerts that are open
        #[arg(long)]
        open: bool,
        /// The most rows
        #[arg(long, default_value_t = 50)]
        limit: u16,
        /// One JSON object per line, with every field
        #[arg(long)]
        json: bool,
    },
    /// Sends a test message to every channel; status 1 if one fails
    Try,
}

pub(super) async fn run(command: Alerts, config: Config) -> Result<ExitCode> {
    let database = Database::open(&config).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    match command {
        Alerts::List { open, limit, json } => {
            let page = Page { before: None, limit: limit.into() };
            let alerts = rows::list(&mut *database.pool.acquire().await?, open, &page).await?;
            table::show(
                &alerts,
                &["connection", "kind", "count", "detail", "seen_at", "notified_at", "closed_at"],
                json,
            );
            Ok(ExitCode::SUCCESS)
        }
        Alerts::Try => {
            let answers = App::new(config, database.deps()).alerts.test_channels().await;
            if answers.is_empty() {
                print_line("no channel is configured: see [alerts] in `silta config default`");
            }
            for (name, answer) in &answers {
                print_line(&format!("{name}: {}", answer.as_ref().map_or_else(String::as_str, |()| "sent")));
            }
            let all_ok = answers.iter().all(|(_, answer)| answer.is_ok());
            Ok(if all_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
