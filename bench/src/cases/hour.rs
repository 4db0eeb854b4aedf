//! An hour at 500 webhooks a second, each with a task that is attempted and settled: what grows meanwhile. Runs only where
//! it is named, since it takes an hour.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use serde_json::json;
use silta::store;
use sqlx::{Connection as _, PgConnection, Row as _};
use tokio::time::Instant;

use super::{Bench, end_to_end};
use crate::{
    client::Load,
    picture::{Line, Picture},
    report::{Row, Unit},
    setup::{Server, Service},
};

const RATE: f64 = 500.0;
const CLIENTS: u32 = 32;
const EVERY: Duration = Duration::from_secs(30);
/// The start and the end of the hour may differ by as much as two runs of one comparison.
const MOST: f64 = 1.3;

/// The figures of one moment.
struct Sample {
    minute: f64,
    dead: f64,
    tables: f64,
    indexes: f64,
    memory: f64,
    /// Pages that a claim reads.
    claim_pages: f64,
    open: f64,
}

pub async fn run(bench: &mut Bench, minutes: u64) -> Result<()> {
    let server = Server::start().await?;
    let config = end_to_end::empty_vendors_config(bench, end_to_end::Seen::default()).await?;
    let service = Service::start(&bench.silta, &config, &server, &[]).await?;
    let load = Load::new(
        &[&service.url],
        "bench",
        Arc::new(|number| end_to_end::order_created(end_to_end::FIRST_ORDER + number)),
    );
    let length = Duration::from_secs(minutes * 60);
    let begun = Instant::now();
    let mut sent = std::pin::pin!(load.round(CLIENTS, length, Some(RATE)));
    let mut samples = Vec::new();
    let mut db = PgConnection::connect_with(&server.options.clone().options(store::HOT_PATH)).await?;
    let round = loop {
        tokio::select! {
            round = &mut sent => break round?,
            () = tokio::time::sleep_until(begun + EVERY * u32::try_from(samples.len())?) => {
                samples.push(sample(&mut db, &service, begun).await?);
            }
        }
    };
    samples.push(sample(&mut db, &service, begun).await?);
    let report = &mut bench.report;
    report.row(
        Row::single("webhooks accepted of 500/s", Unit::PerSecond, vec![round.per_second()])
            .at_least(RATE * 0.99),
    );
    report.row(Row::single(
        "p99 of the answer, all the time",
        Unit::Millis,
        vec![round.latencies.percentile(99.0)],
    ));
    // The first tenth of the time warms up a new database.
    let (early, last) =
        (samples.get(samples.len() / 10).context("a sample")?, samples.last().context("a sample")?);
    let beside = |name: &str, unit, of: fn(&Sample) -> f64| {
        Row::compared(name, "at a tenth of the time", unit, vec![of(last)], vec![of(early)])
    };
    report.row(beside("memory at the end", Unit::Megabytes, |it| it.memory).at_most(MOST));
    report.row(beside("pages read by a look for what is due", Unit::Pieces, |it| it.claim_pages));
    report.row(Row::single("tasks still open at the end", Unit::Pieces, vec![last.open]));
    let line = |of: fn(&Sample) -> f64| samples.iter().map(|it| (it.minute, of(it))).collect::<Vec<_>>();
    report.fact("hour", json!({
        "webhooks": round.accepted, "refused_as_busy": round.busy,
        "samples": samples.iter().map(|it| json!({ "minute": it.minute, "dead_tuples": it.dead, "tables_mb": it.tables,
            "indexes_mb": it.indexes, "memory_mb": it.memory, "claim_pages": it.claim_pages, "open": it.open }))
            .collect::<Vec<_>>(),
    }));
    let picture = |file, title, y, lines| Picture { file, title, x: "minute", y, log_y: false, lines };
    bench.draw(&picture(
        "hour-size",
        "An hour at 500 webhooks a second: what is kept",
        "MB",
        vec![Line::first("tables", line(|it| it.tables)), Line::second("indexes", line(|it| it.indexes))],
    ))?;
    bench.draw(&picture(
        "hour-memory",
        "An hour at 500 webhooks a second: memory of the service",
        "MB",
        vec![Line::first("resident", line(|it| it.memory))],
    ))?;
    bench.draw(&picture(
        "hour-dead",
        "An hour at 500 webhooks a second: dead tuples",
        "thousands",
        vec![Line::first("dead tuples", line(|it| it.dead / 1000.0))],
    ))
}

async fn sample(db: &mut PgConnection, service: &Service, begun: Instant) -> Result<Sample> {
    let sizes = sqlx::query(
        "select sum(n_dead_tup)::float8 as dead, sum(pg_table_size(relid))::float8 / 1e6 as tables,
                sum(pg_indexes_size(relid))::float8 / 1e6 as indexes
         from pg_stat_user_tables",
    );
    let sizes = sizes.fetch_one(&mut *db).await?;
    let open = "select count(*)::float8 from task where state in ('pending', 'leased', 'in_doubt')";
    // The query of the claim: see `silta::store::claim`.
    let plan = "explain (analyze, buffers, format json)
        select due.id from generate_series(0, 3) as u (priority), lateral (
            select id from task
            where connection = 'bench' and priority = u.priority::smallint and state in ('pending', 'in_doubt')
              and due_at >= now() - interval '500 ms' and due_at <= now()
            order by due_at limit 32
        ) due";
    let plan: serde_json::Value = sqlx::query_scalar(plan).fetch_one(&mut *db).await?;
    let pages = |key: &str| plan[0]["Plan"][key].as_f64().unwrap_or(0.0);
    Ok(Sample {
        minute: begun.elapsed().as_secs_f64() / 60.0,
        dead: sizes.get("dead"),
        tables: sizes.get("tables"),
        indexes: sizes.get("indexes"),
        memory: service.memory()?.0,
        claim_pages: pages("Shared Hit Blocks") + pages("Shared Read Blocks"),
        open: sqlx::query_scalar(open).fetch_one(&mut *db).await?,
    })
}
