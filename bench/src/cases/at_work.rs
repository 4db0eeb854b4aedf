//! Webhooks taken by a process that works off a backlog, beside one that only takes webhooks: how many a second with 32
//! senders, and how soon they are answered at a steady rate.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use super::{
    Bench, drain,
    end_to_end::{Seen, empty_vendors_config},
    ingest,
};
use crate::{
    client::{Load, Round},
    report::{Row, Unit},
    setup::{Server, Service},
};

const BACKLOG: usize = 100_000;
const SENDERS: u32 = 32;
const LENGTH: Duration = Duration::from_secs(5);
/// A shop's busiest second many times over.
const STEADY_RATE: f64 = 300.0;

pub async fn run(bench: &mut Bench) -> Result<()> {
    let (mut alone, mut at_work, mut p99, mut p99_steady) = (vec![], vec![], vec![], vec![]);
    let mut attempts = Vec::new();
    for _ in 0..bench.rounds {
        alone.push(measure(bench, &["--only", "http"]).await?.fast.per_second());
        let busy = measure(bench, &[]).await?;
        at_work.push(busy.fast.per_second());
        p99.push(busy.fast.latencies.percentile(99.0));
        p99_steady.push(busy.steady.latencies.percentile(99.0));
        attempts.push(busy.attempts);
    }
    let name = format!("webhooks accepted while {BACKLOG} tasks drain, {SENDERS} connections");
    bench.report.row(Row::compared(&name, "webhooks alone", Unit::PerSecond, at_work, alone).at_least(0.5));
    bench.report.row(Row::single("their answer, p99", Unit::Millis, p99).at_most(20.0));
    let name = format!("the same at {STEADY_RATE}/s, p99");
    bench.report.row(Row::single(&name, Unit::Millis, p99_steady).at_most(20.0));
    bench.report.fact("attempts_a_second_beside_webhooks", json!(attempts));
    Ok(())
}

struct Measured {
    fast: Round,
    steady: Round,
    /// Attempts a second while webhooks came as fast as they were answered.
    attempts: f64,
}

async fn measure(bench: &Bench, arguments: &[&str]) -> Result<Measured> {
    let server = Server::start().await?;
    let config = empty_vendors_config(bench, Seen::default()).await?;
    // The connection's row is made by the first start.
    Service::start(&bench.silta, &config, &server, &["--only", "http"]).await?.stop().await?;
    drain::fill(&server.pool(2), "bench", BACKLOG).await?;
    server.run("vacuum analyze").await?;
    let service = Service::start(&bench.silta, &config, &server, arguments).await?;
    let load = Load::new(&[&service.url], "bench", ingest::webhooks());
    load.round(SENDERS, Duration::from_secs(1), None).await?;
    let before = count_attempts(&server).await?;
    let fast = load.round(SENDERS, LENGTH, None).await?;
    let attempts = (count_attempts(&server).await? - before) as f64 / fast.seconds;
    let steady = load.round(SENDERS, LENGTH, Some(STEADY_RATE)).await?;
    ensure!(count_due(&server).await? > 0, "the backlog drained before the end");
    Ok(Measured { fast, steady, attempts })
}

async fn count_attempts(server: &Server) -> Result<i64> {
    let sql = "select count(*) from attempt";
    Ok(sqlx::query_scalar(sql).fetch_one(&mut server.connection().await?).await?)
}

async fn count_due(server: &Server) -> Result<i64> {
    let sql = "select count(*) from task where state = 'pending' and due_at <= now()";
    Ok(sqlx::query_scalar(sql).fetch_one(&mut server.connection().await?).await?)
}
