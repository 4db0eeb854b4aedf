//! How little it takes: the program, its start, its memory at rest and under load, and what an idle one asks of its
//! database.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use serde_json::json;
use silta::{
    clock::{Entropy, SystemClock},
    sandbox::Sandbox,
};

use super::{Bench, ingest};
use crate::{
    client::Load,
    report::{Row, Unit},
    stage::{Server, Service},
};

const IDLE: Duration = Duration::from_secs(60);

/// What a service does once when it meets its database for the first time (the first comparisons, the first sweeps) is over by
/// then.
const SETTLED: Duration = Duration::from_secs(100);

pub async fn run(bench: &mut Bench) -> Result<()> {
    let program = std::fs::metadata(&bench.silta)?.len() as f64 / 1e6;
    bench.report.row(Row::alone("the program", Unit::Megabytes, vec![program]).at_most(20.0));

    let server = Server::start().await?;
    let config = bench.porch_config("bench");
    let mut starts = Vec::new();
    for _ in 0..bench.rounds.max(3) {
        let service = Service::start(&bench.silta, &config, &server, &[]).await?;
        starts.push(service.started_in.as_secs_f64() * 1000.0);
        service.stop().await?;
    }
    bench.report.row(Row::alone("from start to serving", Unit::Millis, starts).at_most(150.0));

    // With two systems that answer and have nothing to tell.
    let any = "127.0.0.1:0".parse()?;
    let sandbox = Sandbox::start(any, any, Arc::new(SystemClock), Arc::new(Entropy::seeded(1))).await?;
    let with_systems = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"warn,silta::cli=info\"\n\
         [outbound]\ndangerously_allow_private = true\n{}",
        sandbox.connection_toml("bench")
    );
    let service = Service::start(&bench.silta, &with_systems, &server, &[]).await?;
    tokio::time::sleep(SETTLED).await;
    let before = transactions(&server).await?;
    tokio::time::sleep(IDLE).await;
    // Two of them are this benchmark's own.
    let asked = (transactions(&server).await? - before - 2).max(0) as f64;
    bench.report.row(Row::alone("memory at rest", Unit::Megabytes, vec![service.memory()?.0]).at_most(25.0));
    bench.report.fact("idle_transactions_a_minute", json!(asked * 60.0 / IDLE.as_secs_f64()));
    bench.report.row(
        Row::alone("transactions of an idle worker", Unit::PerSecond, vec![asked / IDLE.as_secs_f64()])
            .at_most(1.0),
    );
    service.stop().await?;

    let service = Service::start(&bench.silta, &config, &server, &["--only", "http"]).await?;
    let load = Load::new(&[&service.url], "bench", ingest::webhooks());
    load.round(128, Duration::from_secs(10), None).await?;
    bench.report.row(
        Row::alone("memory under full load, at its peak", Unit::Megabytes, vec![service.memory()?.1])
            .at_most(60.0),
    );
    Ok(())
}

/// Of all sessions of our database so far.
async fn transactions(server: &Server) -> Result<i64> {
    let mut db = server.connection().await?;
    sqlx::query("select pg_stat_force_next_flush()").execute(&mut db).await?;
    let sql = "select (xact_commit + xact_rollback)::bigint from pg_stat_database where datname = current_database()";
    Ok(sqlx::query_scalar(sql).fetch_one(&mut db).await?)
}
