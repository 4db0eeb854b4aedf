//! Overload of the real program.
//!
//! A replay of ten thousand tasks: how long a live order takes from its webhook to the warehouse meanwhile, beside the same
//! before it, while both vendors allow fifty calls a second. Then a flood: 600 senders of webhooks of 64 KiB against a
//! database that takes a tenth of a second for every commit. What is answered 200 must be stored, the rest must be answered
//! 503, and the memory of the process must stay flat.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use silta::{
    dev::sandbox::{OrderSpec, Sandbox, Webhook, WebhookSender},
    domain::digest::sha256_hex,
    runtime::clock::{Entropy, SystemClock},
};
use sqlx::{PgConnection, types::Uuid};
use tokio::task::JoinSet;

use super::Bench;
use crate::{
    client::reqwest_client,
    report::{Row, Unit},
    setup::{Server, Service},
};

const SENDERS: usize = 600;
const FLOOD: Duration = Duration::from_secs(10);
const REPLAYED: usize = 10_000;
const ORDERS: usize = 30;

pub async fn run(bench: &mut Bench) -> Result<()> {
    let server = Server::start().await?;
    let any_port = "127.0.0.1:0".parse()?;
    let entropy = Arc::new(Entropy::seeded(1));
    let sandbox = Sandbox::start(any_port, any_port, Arc::new(SystemClock), entropy).await?;
    let service = Service::start(&bench.silta, &configuration(&sandbox), &server, &[]).await?;
    let mut db = server.connection().await?;
    replay(bench, &sandbox, &service, &mut db).await?;
    flood(bench, &service, &mut db).await
}

fn configuration(sandbox: &Sandbox) -> String {
    let token = sha256_hex(b"bench");
    format!(
        "[http]\nlisten = \"127.0.0.1:0\"\naccept_within = \"1s\"\n[log]\nfilter = \"warn,silta::cli=info\"\n\
         [outbound]\ndangerously_allow_private = true\n\
         [[admin.tokens]]\nname = \"bench\"\ntoken_sha256 = \"{token}\"\nrole = \"operator\"\n{}",
        sandbox
            .connection_toml("bench")
            .replace("requests_per_second = 1000\n", "requests_per_second = 50\n")
    )
}

/// Times of live orders before and during a replay of ten thousand tasks.
async fn replay(
    bench: &mut Bench,
    sandbox: &Sandbox,
    service: &Service,
    db: &mut PgConnection,
) -> Result<()> {
    sandbox.warehouse.receive_goods("A", 10_000);
    let webhook_sender = WebhookSender::to(&service.url, "bench");
    let before = time_orders(sandbox, &webhook_sender).await?;
    request_replays(service, db).await?;
    let waiting = count_open(db).await?;
    let during = time_orders(sandbox, &webhook_sender).await?;
    let left = count_open(db).await?;
    ensure!(left > 0, "the replay was over before the orders were");
    let longest = during.iter().copied().fold(0.0, f64::max);
    bench.report.row(Row::compared(
        "a live order during a replay, webhook to warehouse",
        "before it",
        Unit::Millis,
        during,
        before,
    ));
    bench.report.row(Row::single("the longest of them", Unit::Millis, vec![longest]));
    bench.report.fact("replay", json!({ "waiting": waiting, "left": left }));
    Ok(())
}

/// Fills the table with dead tasks and replays them a thousand at a time.
async fn request_replays(service: &Service, db: &mut PgConnection) -> Result<()> {
    let sql = "insert into task
             (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
         select gen_random_uuid(), 'bench', 'stock', 'stock:S-' || n, 'dead', 'refused', 1, now(), now(), now()
         from generate_series(1, $1) n";
    sqlx::query(sql).bind(i64::try_from(REPLAYED)?).execute(&mut *db).await?;
    let client = reqwest_client()?;
    for _ in 0..REPLAYED / 1000 {
        let filter = json!({ "filter": { "reason": "refused", "state": "dead" }, "limit": 1000 });
        let request = client.post(format!("{}/admin/v1/replays", service.url)).bearer_auth("bench");
        let status = request.json(&filter).send().await?.status();
        ensure!(status.is_success(), "a replay was answered {status}");
        // Another reason for those that are replayed, so that the next request finds others.
        sqlx::query(
            "update task set reason = 'conflict'
             where reason = 'refused' and id in (select replay_of from task)",
        )
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

async fn count_open(db: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("select count(*) from task where settled_at is null").fetch_one(db).await?)
}

/// How long each of some orders takes, in milliseconds.
async fn time_orders(sandbox: &Sandbox, webhook_sender: &WebhookSender) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for _ in 0..ORDERS {
        let order = sandbox.shop.place_order(OrderSpec::of("A", 1));
        let sent_at = Instant::now();
        let answer = webhook_sender.send(&sandbox.shop.order_created(order)).await;
        ensure!(answer.is_some_and(|(status, _)| status == 200), "a webhook was not accepted");
        while sandbox.warehouse.count(&format!("bench-{order}")) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(sent_at.elapsed().as_secs_f64() * 1000.0);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(times)
}

/// Sends more than a slow database can store; checks what was accepted and the memory of the process.
async fn flood(bench: &mut Bench, service: &Service, db: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql(
        "create function slow() returns trigger language plpgsql as $$
             begin perform pg_sleep(0.1); return null; end $$;
         create trigger slow after insert on event for each statement execute function slow()",
    )
    .execute(&mut *db)
    .await?;
    let (idle, _) = service.memory()?;
    let started_at = Instant::now();
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let webhook_sender = WebhookSender::to(&service.url, "bench");
        senders.spawn(async move { send_until(started_at + FLOOD, sender, &webhook_sender).await });
    }
    tokio::time::sleep(FLOOD / 3).await;
    let (early, _) = service.memory()?;
    tokio::time::sleep(FLOOD / 3).await;
    let (late, _) = service.memory()?;
    let (mut accepted, mut refused) = (BTreeSet::new(), 0);
    while let Some(sent) = senders.join_next().await {
        let (ids, refusals) = sent??;
        accepted.extend(ids);
        refused += refusals;
    }
    let (_, peak) = service.memory()?;
    let ids: Vec<_> = accepted.into_iter().collect();
    let sql = "select count(*) from event where id = any($1)";
    let stored: i64 = sqlx::query_scalar(sql).bind(&ids).fetch_one(db).await?;
    ensure!(refused > 0, "the flood did not overload the service");
    let lost = ids.len() as f64 - stored as f64;
    bench.report.row(Row::single("answered 200 in a flood, and lost", Unit::Pieces, vec![lost]).at_most(0.0));
    let memory = Row::compared(
        "memory at two thirds of a flood",
        "at one third",
        Unit::Megabytes,
        vec![late],
        vec![early],
    );
    bench.report.row(memory);
    let facts: Value = json!({ "accepted": ids.len(), "refused": refused, "idle_mb": idle, "early_mb": early,
        "late_mb": late, "peak_mb": peak });
    bench.report.fact("flood", facts);
    Ok(())
}

/// Sends webhooks until this time; returns the ids of those that were accepted, and how many were refused.
async fn send_until(
    end: Instant,
    sender: usize,
    webhook_sender: &WebhookSender,
) -> Result<(Vec<Uuid>, usize)> {
    let (mut refused, mut number) = (0, 0_usize);
    let pad = "x".repeat(64 << 10);
    while Instant::now() < end {
        number += 1;
        let body = format!(r#"{{"productCode":"F-{sender}","modified":"{number}","pad":"{pad}"}}"#);
        match webhook_sender.send(&Webhook::raw_from_warehouse(body.as_bytes())).await {
            Some((200, _)) => {}
            Some((503, _)) => {
                refused += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            other => bail!("a webhook was answered {other:?}"),
        }
    }
    let ids = webhook_sender.acknowledged_ids();
    let ids = ids.iter().map(|id| id.parse().context("an event id")).collect::<Result<_>>()?;
    Ok((ids, refused))
}
