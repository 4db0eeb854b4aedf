//! `silta webhooks`: the webhook subscriptions at both vendors, and the detection of an unknown signature.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Subcommand, ValueEnum};
use uuid::Uuid;

use super::{
    database::Database,
    names,
    print::{print_foreign, print_line},
    table,
    webhook_detection::{Expected, detect},
};
use crate::{
    app::{App, config::Config},
    background::subscriptions::CreatedSubscription,
    domain::event::source::Source as Sender,
    store::{self, subscriptions as rows},
};

/// Commands for webhook subscriptions.
#[derive(Subcommand)]
pub(super) enum Webhooks {
    /// Registers the subscriptions that are missing at both vendors
    Register {
        /// The connection's name
        connection: String,
        /// Register all of them again, beside the present ones, to rotate their keys
        #[arg(long)]
        rotate: bool,
    },
    /// Lists all subscriptions of both vendors, Silta's and others
    List {
        /// The connection's name
        connection: String,
        /// One JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Removes registered subscriptions at both vendors: all, or one by its id; their keys stay valid for a day
    Remove {
        /// The connection's name
        connection: String,
        /// The id that `list` shows; without one, all of Silta's
        id: Option<Uuid>,
    },
    /// Detects how a rejected webhook is signed: its header, hash, encoding and key; the webhook stays rejected and none of
    /// its values are kept. Webhooks that no known key has signed end nothing: anybody can send them
    Detect {
        /// The connection's name
        connection: String,
        /// The sender of the webhook
        #[arg(long, default_value = "mycashflow")]
        source: Source,
        /// How long to wait for a webhook
        #[arg(long, default_value = "10m")]
        wait: humantime::Duration,
    },
}

impl Webhooks {
    fn connection(&self) -> &str {
        match self {
            Self::Register { connection, .. }
            | Self::List { connection, .. }
            | Self::Remove { connection, .. }
            | Self::Detect { connection, .. } => connection,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Source {
    Mycashflow,
    Ogoship,
}

impl Source {
    const fn sender(self) -> Sender {
        match self {
            Self::Mycashflow => Sender::MyCashflow,
            Self::Ogoship => Sender::Ogoship,
        }
    }
}

pub(super) async fn run(command: Webhooks, config: Config, account: &str) -> Result<ExitCode> {
    names::ensure_configured(&names::configured(&config), command.connection())?;
    let database = Database::open(&config).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    let expected = match &command {
        Webhooks::Detect { connection, source, .. } => Expected::of(&config, connection, source.sender()),
        _ => None,
    };
    let app = App::new(config, database.deps());
    app.prepare().await?;
    let subscriptions = &app.subscriptions;
    match command {
        Webhooks::Register { connection, rotate } => {
            let subscriber = subscriptions.find(&connection)?;
            let done = subscriptions.register_in_turn(subscriber, rotate, account).await?;
            if done.created.is_empty() {
                print_line("every subscription exists already");
            }
            match done.removed {
                0 => {}
                count => print_line(&format!(
                    "removed: {count} subscriptions that call the path of a former webhook token"
                )),
            }
            for CreatedSubscription { source, topic, key_id, key } in done.created {
                print_line(&format!("registered at {source}: {topic}, key {key_id}"));
                if let Some(key) = key {
                    let place = if source == "ogoship" {
                        "ogoship.webhook_keys"
                    } else {
                        "mycashflow.signature.secrets"
                    };
                    print_line(&format!(
                        "  without a [secrets] key Silta cannot keep its key: put it into {place}; it is shown this once: {key}"
                    ));
                }
            }
        }
        Webhooks::List { connection, json } => {
            let of = subscriptions.find(&connection)?;
            let (listed, shop_has_list) = subscriptions.list(of).await?;
            table::show(&listed, &["source", "topic", "is_ours", "is_kept", "url"], json);
            let kept = rows::list(&mut *database.pool.acquire().await?, &connection).await?;
            if !json && !kept.is_empty() {
                print_line("\nregistered by Silta:");
                table::show(
                    &kept,
                    &["id", "source", "topic", "key_id", "created_by", "created_at", "seen_at"],
                    json,
                );
            }
            if !shop_has_list {
                print_line("the shop does not list its subscriptions, so they cannot be shown");
            }
        }
        Webhooks::Remove { connection, id } => {
            let removed = subscriptions.remove(subscriptions.find(&connection)?, id).await?;
            if removed.is_empty() {
                bail!("there was no subscription of Silta's to remove");
            }
            for row in removed {
                print_foreign(&format!("removed at {}: {}", row.source, row.topic));
            }
        }
        Webhooks::Detect { connection, source, wait } => {
            let address = subscriptions.find(&connection)?.shown_url(source.sender());
            let expected =
                expected.context("the connection's webhooks are not signed: there is nothing to detect")?;
            return detect(&database, (expected, address), account, wait).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}
