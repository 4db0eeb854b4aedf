//! `silta webhooks detect`: says what it waits for, then each thing that it sees, until a webhook ends it or its time is over.

use std::{collections::HashMap, process::ExitCode, time::Duration};

use anyhow::{Result, bail};
use sqlx::PgConnection;
use tokio::time::Instant;

use super::{
    database::Database,
    print::{print_foreign, print_line},
};
use crate::{
    app::config::Config,
    domain::{event::source::Source, language::Language},
    explain::hint_text,
    runtime::clock::{Clock, SystemClock},
    security::signature::key_id,
    store::{
        key_usage, rejected_webhooks,
        signature_detections::{self, SignatureDetectionRow},
        subscriptions,
    },
    vendors::ogoship,
};

/// The pause between two reads of what the service has seen.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The webhook that is waited for, as configured.
pub(super) struct Expected {
    connection: String,
    source: Source,
    header: String,
    /// The names of the configured keys.
    keys: Vec<String>,
}

impl Expected {
    /// `None` where the connection is unknown, or its webhooks are not signed.
    pub(super) fn of(config: &Config, connection: &str, source: Source) -> Option<Self> {
        let configured = config.connections.iter().find(|it| it.name == connection)?;
        let (header, secrets) = if source == Source::Ogoship {
            (ogoship::webhook::SIGNATURE_HEADER.to_owned(), &configured.ogoship.webhook_keys)
        } else {
            let signature = configured.mycashflow.signature.as_ref()?;
            (signature.header.clone(), &signature.secrets)
        };
        let token = configured.mycashflow.webhook_token.expose();
        let keys = secrets.iter().map(|secret| key_id(token, secret.expose())).collect();
        Some(Self { connection: connection.to_owned(), source, header, keys })
    }
}

/// How often each thing had happened.
#[derive(Clone)]
struct Seen {
    wrong_tokens: i64,
    rejected: HashMap<String, i64>,
    accepted: HashMap<String, i64>,
}

impl Seen {
    async fn read(db: &mut PgConnection, expected: &Expected) -> Result<Self> {
        let (connection, source) = (&expected.connection, expected.source.as_str());
        let wrong_tokens = signature_detections::count_wrong_tokens(db, connection, source).await?;
        let rejected = rejected_webhooks::list_rejected(db, connection).await?.into_iter();
        let rejected = rejected.filter(|row| row.source == source).map(|row| (row.hint, row.count)).collect();
        let purpose = format!("{source}_webhook");
        let keys = key_usage::list_keys(db, connection).await?.into_iter();
        let accepted = keys.filter(|row| row.purpose == purpose).map(|row| (row.key_id, row.uses)).collect();
        Ok(Self { wrong_tokens, rejected, accepted })
    }

    /// What has happened since `before`, in lines.
    fn lines_since(&self, before: &Self, expected: &Expected) -> Vec<String> {
        let Expected { connection, source, .. } = expected;
        let mut lines = Vec::new();
        if self.wrong_tokens > before.wrong_tokens {
            lines.push(format!(
                "a webhook of {} for {connection} came with a wrong token in its path: the address that is registered at the \
                 vendor is another one than the configured one",
                source.as_str()
            ));
        }
        for (hint, count) in grown(&self.rejected, &before.rejected) {
            let meaning = hint_text(hint, Language::English);
            lines.push(format!("rejected for {connection} ({count}): {meaning} ({hint})"));
        }
        for (key, count) in grown(&self.accepted, &before.accepted) {
            lines.push(format!("accepted for {connection} ({count}): signed with the key {key}"));
        }
        lines
    }

    /// Whether webhooks were accepted since `before`, and nothing was rejected.
    fn shows_all_is_well(&self, before: &Self) -> bool {
        self.wrong_tokens == before.wrong_tokens
            && grown(&self.rejected, &before.rejected).next().is_none()
            && grown(&self.accepted, &before.accepted).next().is_some()
    }
}

/// Each count that has grown, and by how much.
fn grown<'a>(
    now: &'a HashMap<String, i64>,
    before: &'a HashMap<String, i64>,
) -> impl Iterator<Item = (&'a String, i64)> {
    let growth = |(name, count): (&'a String, &i64)| (name, count - before.get(name).copied().unwrap_or(0));
    now.iter().map(growth).filter(|(_, count)| *count > 0)
}

/// Waits for a webhook that is rejected although a known key has signed it.
pub(super) async fn detect(
    database: &Database,
    (expected, address): (Expected, String),
    account: &str,
    wait: humantime::Duration,
) -> Result<ExitCode> {
    let Expected { connection, source, .. } = &expected;
    let source = source.as_str();
    let mut db = database.pool.acquire().await?;
    let now = SystemClock.now();
    // Read first: what comes as soon as it is asked for is counted from nothing.
    let at_start = Seen { wrong_tokens: 0, ..Seen::read(&mut db, &expected).await? };
    signature_detections::request_detection(&mut db, connection, source, account, (now, now + *wait)).await?;
    print_expectation(&mut db, &expected, &address, wait).await?;
    drop(db);
    let (begun, mut before) = (Instant::now(), at_start.clone());
    while begun.elapsed() < *wait {
        let mut db = database.pool.acquire().await?;
        let now = Seen::read(&mut db, &expected).await?;
        for line in now.lines_since(&before, &expected) {
            print_foreign(&line);
        }
        before = now;
        if let Some(detection) = signature_detections::find_detection(&mut db, connection, source).await? {
            print_detection(&detection, source);
            return Ok(ExitCode::SUCCESS);
        }
        if before.shows_all_is_well(&at_start) {
            print_line("webhooks are accepted as they are configured: there is nothing to detect");
            return Ok(ExitCode::SUCCESS);
        }
        drop(db);
        #[expect(clippy::disallowed_methods, reason = "waits for what another process writes")]
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let mut db = database.pool.acquire().await?;
    if let Some(headers) = signature_detections::find_unsigned(&mut db, connection, source).await? {
        print_foreign(&format!("headers of the last webhook: {}", headers.join(", ")));
        print_line(
            "no rejected webhook held an HMAC of its body with a known key: configure the key of the subscription, then detect again",
        );
    } else if before.lines_since(&at_start, &expected).is_empty() {
        bail!(
            "no webhook came: is silta serve reached at {address}, and is that address registered \
             (silta webhooks list {connection})?"
        );
    }
    Ok(ExitCode::FAILURE)
}

/// Says what is waited for.
async fn print_expectation(
    db: &mut PgConnection,
    expected: &Expected,
    address: &str,
    wait: humantime::Duration,
) -> Result<()> {
    let Expected { connection, source, header, keys } = expected;
    let source = source.as_str();
    print_line(&format!(
        "waiting {wait} for a webhook of {source} to {connection} that is rejected although a known key has signed it; send \
         one now"
    ));
    let address = if address.starts_with('/') {
        format!("{address} (http.public_url is empty)")
    } else {
        address.to_owned()
    };
    let registered = subscriptions::list(db, connection).await?.into_iter();
    let registered = registered.filter(|row| row.source == source).filter_map(|row| row.key_id);
    let keys: Vec<_> = keys.iter().cloned().chain(registered).collect();
    print_line(&format!("  address  {address}\n  header   {header}\n  keys     {}", keys.join(", ")));
    Ok(())
}

fn print_detection(detection: &SignatureDetectionRow, source: &str) {
    print_foreign(&format!("headers of the webhook: {}", detection.headers.join(", ")));
    for found in detection.found.as_array().map(Vec::as_slice).unwrap_or_default() {
        let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
        let [header, hash, encoding, key] = ["header", "hash", "encoding", "key"].map(text);
        print_foreign(&format!("{header} holds {hash} of the body, {encoding}, by {key}"));
        if hash == "HMAC-SHA256" && source == "mycashflow" {
            print_foreign("");
            print_foreign("[connections.mycashflow.signature]");
            print_foreign(&format!("header = {header:?}"));
            print_foreign(&format!("encoding = {encoding:?}"));
        }
    }
}
