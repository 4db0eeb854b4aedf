//! Many stores at rest in one process: their lists are polled at the default intervals, and nothing is new. How many
//! transactions a second that costs, how much memory, and how many polls a minute one process runs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::json;
use silta::{
    dev::sandbox::Sandbox,
    runtime::clock::{Entropy, SystemClock},
};

use super::{Bench, footprint::transactions};
use crate::{
    report::{Row, Unit},
    setup::{Server, Service},
};

const STORES: u32 = 10_000;
const QUICK_STORES: u32 = 1_000;

/// The slowest list is polled once within this time.
const WINDOW: Duration = Duration::from_secs(300);

/// How long the first polls of all stores may take.
const LONGEST_START: Duration = Duration::from_secs(900);

pub async fn run(bench: &mut Bench) -> Result<()> {
    let stores = if bench.quick { QUICK_STORES } else { STORES };
    let server = Server::start().await?;
    let any = "127.0.0.1:0".parse()?;
    let sandbox = Sandbox::start(any, any, Arc::new(SystemClock), Arc::new(Entropy::seeded(1))).await?;
    let connections: String = (0..stores).map(|number| store(&sandbox, number)).collect();
    let config = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"warn,silta::cli=info\"\n\
         [outbound]\ndangerously_allow_private = true\n{connections}"
    );
    let service = Service::start(&bench.silta, &config, &server, &[]).await?;
    let begun = Instant::now();
    while count(&server, "select count(*) from poll where last_finished_at is null").await? > 0
        || count(&server, "select count(*) from poll").await? == 0
    {
        ensure!(begun.elapsed() < LONGEST_START, "the first polls take too long");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    bench.report.fact("first_polls_of_all_stores_seconds", json!(begun.elapsed().as_secs_f64()));
    server.run("vacuum analyze").await?;

    let (before, calls) = (transactions(&server).await?, calls(&sandbox));
    tokio::time::sleep(WINDOW).await;
    let a_second = (transactions(&server).await? - before) as f64 / WINDOW.as_secs_f64();
    let name = |what: &str| format!("{stores} stores at rest: {what}");
    let row = Row::single(&name("transactions"), Unit::PerSecond, vec![a_second]);
    bench.report.row(row.at_most(50.0 * f64::from(stores) / f64::from(STORES)));
    let an_hour = a_second * 3600.0 / f64::from(stores);
    bench
        .report
        .row(Row::single(&name("transactions of one, an hour"), Unit::Pieces, vec![an_hour]).at_most(40.0));
    let calls = (self::calls(&sandbox) - calls) as f64 / WINDOW.as_secs_f64() * 60.0;
    bench.report.row(Row::single(&name("calls a minute"), Unit::Pieces, vec![calls]));
    let memory = Row::single(&name("memory"), Unit::Megabytes, vec![service.memory()?.0]);
    bench.report.row(memory.at_most(100.0));
    service.stop().await
}

/// A store with the default intervals, whose lists are not compared meanwhile.
fn store(sandbox: &Sandbox, number: u32) -> String {
    let usual = sandbox.connection_toml(&format!("store-{number}"));
    let usual = usual.replace("requests_per_second = 1000", "requests_per_second = 5");
    format!("{usual}[connections.polls]\nsync = \"0s\"\n")
}

fn calls(sandbox: &Sandbox) -> usize {
    [&sandbox.shop_server, &sandbox.warehouse_server]
        .iter()
        .map(|vendor| vendor.calls.count("GET", "/"))
        .sum()
}

async fn count(server: &Server, sql: &'static str) -> Result<i64> {
    Ok(sqlx::query_scalar(sql).fetch_one(&mut server.connection().await?).await?)
}
