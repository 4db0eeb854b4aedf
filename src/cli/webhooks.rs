//! `silta webhooks`: the webhook subscriptions at both vendors, and the detection of an unknown signature.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use clap::{Subcommand, ValueEnum};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    database::Database,
    print::{print_foreign, print_line},
    table,
};
use crate::{
    app::{App, config::Config},
    background::subscriptions::CreatedSubscription,
    runtime::clock::{Clock, SystemClock},
    store::{self, signature_detections, subscriptions as rows},
};

/// The pause between two reads of the detection's result.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

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

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Source {
    Mycashflow,
    Ogoship,
}

pub(super) async fn run(command: Webhooks, config: Config, account: &str) -> Result<ExitCode> {
    let database = Database::open(&config).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    let app = App::new(config, database.deps());
    app.prepare().await?;
    let subscriptions = &app.subscriptions;
    match command {
        Webhooks::Register { connection, rotate } => {
            let made = subscriptions.register(subscriptions.find(&connection)?, rotate, account).await?;
            if made.is_empty() {
                print_line("every subscription exists already");
            }
            for CreatedSubscription { source, topic, key_id, key } in made {
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
            subscriptions.find(&connection)?;
            let source = if matches!(source, Source::Ogoship) { "ogoship" } else { "mycashflow" };
            return detect(&database, &connection, source, account, wait.into()).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn detect(
    database: &Database,
    connection: &str,
    source: &str,
    account: &str,
    wait: Duration,
) -> Result<ExitCode> {
    let until = SystemClock.now() + wait;
    signature_detections::request_detection(
        &mut *database.pool.acquire().await?,
        connection,
        source,
        account,
        until,
    )
    .await?;
    print_line(&format!(
        "waiting for a webhook of {source} that is rejected although a known key has signed it; send one now"
    ));
    let begun = Instant::now();
    while begun.elapsed() < wait {
        let found =
            signature_detections::find_detection(&mut *database.pool.acquire().await?, connection, source)
                .await?;
        let Some(detection) = found else {
            #[expect(clippy::disallowed_methods, reason = "waits for what another process writes")]
            tokio::time::sleep(POLL_INTERVAL).await;
            continue;
        };
        print_foreign(&format!("headers of the webhook: {}", detection.headers.join(", ")));
        let found = detection.found.as_array().map(Vec::as_slice).unwrap_or_default();
        for detection in found {
            let text = |key: &str| detection[key].as_str().unwrap_or_default().to_owned();
            print_line(&format!(
                "{} holds {} of the body, {}, by {}",
                text("header"),
                text("hash"),
                text("encoding"),
                text("key")
            ));
            if text("hash") == "HMAC-SHA256" && source == "mycashflow" {
                print_line(&format!(
                    "\n[connections.mycashflow.signature]\nheader = {:?}\nencoding = {:?}",
                    text("header"),
                    text("encoding"),
                ));
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut db = database.pool.acquire().await?;
    let Some(headers) = signature_detections::find_unsigned(&mut db, connection, source).await? else {
        bail!("no webhook was rejected meanwhile");
    };
    print_line(&format!("headers of the last webhook: {}", headers.join(", ")));
    print_line(
        "no rejected webhook held an HMAC of its body with a known key: configure the key of the subscription, then detect again",
    );
    Ok(ExitCode::FAILURE)
}
