//! `silta webhooks`: the subscriptions at both vendors, and how an unknown sender signs.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use clap::{Subcommand, ValueEnum};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Database, print_line, table};
use crate::{
    app::{App, config::Config},
    background::subscriptions::CreatedSubscription,
    runtime::clock::{Clock, SystemClock},
    store::{self, signature_detections, subscriptions as rows},
};

/// Between two looks whether something was learnt.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

#[derive(Subcommand)]
pub(super) enum Webhooks {
    /// Makes what is missing at both vendors: what tells them to call Silta.
    Register {
        /// The connection's name.
        connection: String,
        /// All of them anew, beside those that there are: their keys are rotated so.
        #[arg(long)]
        rotate: bool,
    },
    /// Every subscription of both vendors, ours and others'.
    List {
        /// The connection's name.
        connection: String,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Removes what was registered, at both vendors: all of it, or one by its id. Its key counts for a day longer.
    Remove {
        /// The connection's name.
        connection: String,
        /// The id that `list` shows; all of ours, where none is given.
        id: Option<Uuid>,
    },
    /// Learns from the next webhook that is refused how it is signed: which header, which hash, which encoding, which key.
    /// It is not let in, and no value of it is kept.
    Learn {
        /// The connection's name.
        connection: String,
        /// Whose webhook.
        #[arg(long, default_value = "mycashflow")]
        source: Source,
        /// How long to wait for one.
        #[arg(long, default_value = "10m")]
        wait: humantime::Duration,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Source {
    Mycashflow,
    Ogoship,
}

pub(super) async fn webhooks(command: Webhooks, config: Config, account: &str) -> Result<ExitCode> {
    let database = Database::open(&config).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    let app = App::new(config, database.deps());
    app.prepare().await?;
    let subscriptions = &app.subscriptions;
    match command {
        Webhooks::Register { connection, rotate } => {
            let made = subscriptions.register(subscriptions.find(&connection)?, rotate, account).await?;
            if made.is_empty() {
                print_line("every subscription stands already");
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
                        "  there is no [secrets] key to keep its key under: put it into {place}, it is shown this once: {key}"
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
                print_line("the shop has no list of subscriptions, so what stands there cannot be told");
            }
        }
        Webhooks::Remove { connection, id } => {
            let removed = subscriptions.remove(subscriptions.find(&connection)?, id).await?;
            if removed.is_empty() {
                bail!("nothing of ours was there to remove");
            }
            for row in removed {
                print_line(&format!("removed at {}: {}", row.source, row.topic));
            }
        }
        Webhooks::Learn { connection, source, wait } => {
            subscriptions.find(&connection)?;
            let source = if matches!(source, Source::Ogoship) { "ogoship" } else { "mycashflow" };
            return learn(&database, &connection, source, account, wait.into()).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn learn(
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
    print_line(&format!("waiting for a webhook of {source} that is refused; send one now"));
    let begun = Instant::now();
    while begun.elapsed() < wait {
        let learnt =
            signature_detections::find_detection(&mut *database.pool.acquire().await?, connection, source)
                .await?;
        let Some(detection) = learnt else {
            #[expect(clippy::disallowed_methods, reason = "a person waits for what another process writes")]
            tokio::time::sleep(POLL_INTERVAL).await;
            continue;
        };
        print_line(&format!("its headers: {}", detection.headers.join(", ")));
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
        if found.is_empty() {
            print_line(
                "none of them holds an HMAC of the body by a key that Silta knows: give it the subscription's key, and learn again",
            );
            return Ok(ExitCode::FAILURE);
        }
        return Ok(ExitCode::SUCCESS);
    }
    bail!("no webhook was refused meanwhile");
}
