//! A primary with a hot standby that must confirm every commit. The primary is killed under load and the standby promoted;
//! every event that was answered 200 must be there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::json;
use silta::dev::sandbox::{Webhook, WebhookSender};
use sqlx::{Connection, PgConnection};
use tokio::{net::UnixStream, task::JoinSet};

use super::{Bench, ingest};
use crate::{
    client::Load,
    report::{Row, Unit},
    setup::{Server, Service},
};

const SENDERS: u64 = 8;
/// A standby without its primary tries to reconnect at this interval (five seconds by default) and is promoted in between.
const SETTINGS: [&str; 3] = ["shared_buffers=1GB", "max_wal_size=4GB", "wal_retrieve_retry_interval=200ms"];

pub async fn run(bench: &mut Bench) -> Result<()> {
    let server = Server::start().await?;
    let alone = {
        let service =
            Service::start(&bench.silta, &bench.inbox_config("bench"), &server, &["--only", "http"]).await?;
        let load = Load::new(&[&service.url], "bench", ingest::webhooks());
        load.round(32, Duration::from_secs(5), None).await?.per_second()
    };
    let standby_dir = server.directory().join("standby");
    let standby = server.private.standby(&standby_dir, "bench_standby", &SETTINGS)?;
    server.run("alter system set synchronous_standby_names = 'bench_standby'").await?;
    server.run("select pg_reload_conf()").await?;

    // As a load balancer or a moved address in production, this leads new connections to the current primary.
    let front = tempfile::tempdir()?;
    let goes_to_standby = Arc::new(AtomicBool::new(false));
    let sockets = [server.private.socket(), standby.socket()];
    tokio::spawn(switch(front.path().join(".s.PGSQL.5432"), sockets, goes_to_standby.clone()));
    let database = format!("postgres://silta@localhost/silta?host={}", front.path().display());
    let config = bench.inbox_config("bench");
    let service = Service::start_at(&bench.silta, &config, &database, server.directory(), &[]).await?;
    let load = Load::new(&[&service.url], "bench", ingest::webhooks_from(3_000_000_000));
    let beside = load.round(32, Duration::from_secs(5), None).await?.per_second();
    bench.report.row(Row::compared(
        "webhooks, each commit confirmed by a standby",
        "without one",
        Unit::PerSecond,
        vec![beside],
        vec![alone],
    ));

    let stopped = Arc::new(AtomicBool::new(false));
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let (url, stopped) = (service.url.clone(), stopped.clone());
        senders.spawn(async move { send(&url, sender, &stopped).await });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let killed = Instant::now();
    server.private.kill()?;
    standby.promote().await?;
    let promoted_at = Instant::now();
    let promoted = killed.elapsed().as_secs_f64() * 1000.0;
    goes_to_standby.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(5)).await;
    stopped.store(true, Ordering::SeqCst);
    let (mut acknowledged_ids, mut first_after) = (Vec::new(), Duration::MAX);
    while let Some(sender) = senders.join_next().await {
        for (id, at) in sender?? {
            if at > promoted_at {
                first_after = first_after.min(at - killed);
            }
            acknowledged_ids.push(id);
        }
    }
    let mut db = PgConnection::connect_with(&standby.options("silta")).await?;
    let sql = "select count(*) from unnest($1::uuid[]) as acknowledged (id) where not exists (select from event where event.id = acknowledged.id)";
    let lost: i64 = sqlx::query_scalar(sql).bind(&acknowledged_ids).fetch_one(&mut db).await?;
    bench.report.row(
        Row::single("answered 200 around a failover, and lost", Unit::Pieces, vec![lost as f64]).at_most(0.0),
    );
    bench.report.row(Row::single(
        "from the primary's death to the next 200",
        Unit::Millis,
        vec![first_after.as_secs_f64() * 1000.0],
    ));
    bench.report.row(Row::single("of that, until the standby was promoted", Unit::Millis, vec![promoted]));
    bench.report.fact("failover_receipts", json!(acknowledged_ids.len()));
    anyhow::ensure!(lost == 0, "{lost} of {} were lost", acknowledged_ids.len());
    Ok(())
}

/// Sends webhooks until stopped; returns the ids of those that were answered 200, and when.
async fn send(url: &str, sender: u64, stopped: &AtomicBool) -> Result<Vec<(sqlx::types::Uuid, Instant)>> {
    let webhook_sender = WebhookSender::to(url, "bench");
    let mut kept = Vec::new();
    let mut number = 5_000_000_000 + sender * 10_000_000;
    while !stopped.load(Ordering::SeqCst) {
        number += 1;
        let body = format!(r#"{{"topic":"order.created","data":{{"id":{number}}}}}"#);
        match webhook_sender.send(&Webhook::raw_from_shop(body.as_bytes())).await {
            Some((200, answer)) => {
                let id = answer["event_id"].as_str().context("a receipt has an id")?.parse()?;
                kept.push((id, Instant::now()));
            }
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    Ok(kept)
}

/// Forwards every new connection to the first or the second server.
async fn switch(
    at: std::path::PathBuf,
    servers: [std::path::PathBuf; 2],
    goes_to_second: Arc<AtomicBool>,
) -> Result<()> {
    let listener = tokio::net::UnixListener::bind(at)?;
    loop {
        let (mut near, _) = listener.accept().await?;
        let server = servers[usize::from(goes_to_second.load(Ordering::SeqCst))].clone();
        tokio::spawn(async move {
            if let Ok(mut far) = UnixStream::connect(server).await {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}
