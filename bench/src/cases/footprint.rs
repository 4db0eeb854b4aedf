//! The footprint: the size of the program, its start, its memory at rest and under load, and the transactions of an idle
//! process.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use serde_json::json;
use silta::{
    dev::sandbox::Sandbox,
    runtime::clock::{Entropy, SystemClock},
};

use super::{Bench, ingest};
use crate::{
    client::Load,
    report::{Row, Unit},
    setup::{Server, Service},
};

const IDLE: Duration = Duration::from_secs(60);

/// After this long, what a service does once with a new database (first syncs, first polls) is over.
const SETTLED: Duration = Duration::from_secs(100);

/// The number of additional stores.
const STORES: u32 = 50;

/// How much more often than by default their lists are polled: every 30, 60, 90 and 360 seconds.
const POLL_SPEEDUP: u32 = 10;

/// A whole number of polls of each list.
const ROUND: Duration = Duration::from_secs(360);

pub async fn run(bench: &mut Bench) -> Result<()> {
    let program = std::fs::metadata(&bench.silta)?.len() as f64 / 1e6;
    bench.report.row(Row::single("the program", Unit::Megabytes, vec![program]).at_most(20.0));

    let server = Server::start().await?;
    let config = bench.inbox_config("bench");
    let mut starts = Vec::new();
    for _ in 0..bench.rounds.max(3) {
        let service = Service::start(&bench.silta, &config, &server, &[]).await?;
        starts.push(service.started_in.as_secs_f64() * 1000.0);
        service.stop().await?;
    }
    bench.report.row(Row::single("from start to serving", Unit::Millis, starts).at_most(150.0));

    // Both vendors answer, and have nothing new.
    let any = "127.0.0.1:0".parse()?;
    let sandbox = Sandbox::start(any, any, Arc::new(SystemClock), Arc::new(Entropy::seeded(1))).await?;
    let with_vendors = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"warn,silta::cli=info\"\n\
         [outbound]\ndangerously_allow_private = true\n{}",
        sandbox.connection_toml("bench")
    );
    let service = Service::start(&bench.silta, &with_vendors, &server, &[]).await?;
    let asked = transactions_within(&server, IDLE).await?;
    bench.report.row(Row::single("memory at rest", Unit::Megabytes, vec![service.memory()?.0]).at_most(25.0));
    bench.report.fact("idle_transactions_a_minute", json!(asked * 60.0 / IDLE.as_secs_f64()));
    bench.report.row(
        Row::single("transactions of an idle worker", Unit::PerSecond, vec![asked / IDLE.as_secs_f64()])
            .at_most(1.0),
    );
    service.stop().await?;

    // What one more store adds: measured with many of them, polled more often, then scaled to the default intervals.
    let more: String = (0..STORES).map(|number| store(&sandbox, number)).collect();
    let service = Service::start(&bench.silta, &(with_vendors + &more), &server, &[]).await?;
    let with_more = transactions_within(&server, ROUND).await?;
    let alone = asked * ROUND.as_secs_f64() / IDLE.as_secs_f64();
    let of_one = (with_more - alone) / f64::from(STORES * POLL_SPEEDUP) * 3600.0 / ROUND.as_secs_f64();
    bench.report.row(Row::single(
        "transactions of one more store at rest, an hour",
        Unit::Pieces,
        vec![of_one],
    ));
    service.stop().await?;

    let service = Service::start(&bench.silta, &config, &server, &["--only", "http"]).await?;
    let load = Load::new(&[&service.url], "bench", ingest::webhooks());
    load.round(128, Duration::from_secs(10), None).await?;
    bench.report.row(
        Row::single("memory under full load, at its peak", Unit::Megabytes, vec![service.memory()?.1])
            .at_most(60.0),
    );
    Ok(())
}

/// A store whose vendors answer and have nothing new.
fn store(sandbox: &Sandbox, number: u32) -> String {
    let usual = sandbox.connection_toml(&format!("store-{number}"));
    let usual = usual.replace("requests_per_second = 1000", "requests_per_second = 5");
    format!(
        "{usual}[connections.polls]\norders = \"30s\"\nstatuses = \"60s\"\nstock = \"90s\"\nproducts = \"360s\"\nsync = \"0s\"\n"
    )
}

/// The transactions of a freshly started service within this time, once it has settled.
async fn transactions_within(server: &Server, time: Duration) -> Result<f64> {
    tokio::time::sleep(SETTLED).await;
    let before = transactions(server).await?;
    tokio::time::sleep(time).await;
    // Two of them belong to this benchmark.
    Ok((transactions(server).await? - before - 2).max(0) as f64)
}

/// All transactions of the database so far.
pub async fn transactions(server: &Server) -> Result<i64> {
    let mut db = server.connection().await?;
    sqlx::query("select pg_stat_force_next_flush()").execute(&mut db).await?;
    let sql = "select (xact_commit + xact_rollback)::bigint from pg_stat_database where datname = current_database()";
    Ok(sqlx::query_scalar(sql).fetch_one(&mut db).await?)
}
