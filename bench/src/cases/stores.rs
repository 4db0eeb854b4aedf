//! Many stores at rest in one process: their lists are polled at the default intervals, and nothing is new. How many polls a
//! minute one process runs where all are due, how many transactions a second they cost, and how much memory.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::json;
use silta::{
    dev::sandbox::{OrderSpec, Sandbox, WebhookSender},
    runtime::clock::{Entropy, SystemClock},
};

use super::{Bench, footprint::transactions};
use crate::{
    client::{HttpConnection, request},
    measure::Latencies,
    report::{Row, Unit},
    setup::{Server, Service},
};

const STORES: u32 = 10_000;
const QUICK_STORES: u32 = 1_000;

/// The lists of a store, each of which is polled.
const LISTS: u32 = 4;

/// By default the lists of a store are polled so often an hour: 12 times, 6 times, 4 times and once. Nothing is new, so each
/// poll makes one call.
const POLLS_AN_HOUR: f64 = 23.0;

/// The two lists that are polled most are polled within this time.
const WINDOW: Duration = Duration::from_secs(630);

/// How long the first polls and catalogues of all stores may take.
const LONGEST_START: Duration = Duration::from_secs(1800);

/// The orders whose way is measured.
const ORDERS: u32 = 100;

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
    wait_for_none(&server, begun, "select count(*) from poll where last_finished_at is null").await?;
    let took = begun.elapsed().as_secs_f64();
    bench.report.fact("start_of_all_stores_seconds", json!(service.started_in.as_secs_f64()));
    let name = |what: &str| format!("{stores} stores at rest: {what}");
    let a_minute = f64::from(stores * LISTS) / took * 60.0;
    bench
        .report
        .row(Row::single(&name("polls a minute, all due"), Unit::Pieces, vec![a_minute]).at_least(2000.0));
    // The first reading of a catalogue is no rest.
    wait_for_none(&server, begun, "select count(*) from connection where catalogue_read_at is null").await?;
    bench.report.fact("first_catalogues_of_all_stores_seconds", json!(begun.elapsed().as_secs_f64()));
    server.run("vacuum analyze").await?;

    let (before, calls) = (transactions(&server).await?, calls(&sandbox));
    tokio::time::sleep(WINDOW).await;
    let made = (transactions(&server).await? - before) as f64;
    let polls = (self::calls(&sandbox) - calls) as f64;
    bench.report.fact("polls_in_the_window", json!(polls));
    let an_hour = made / polls * POLLS_AN_HOUR;
    let a_second = an_hour * f64::from(stores) / 3600.0;
    let row = Row::single(&name("transactions"), Unit::PerSecond, vec![a_second]);
    bench.report.row(row.at_most(50.0 * f64::from(stores) / f64::from(STORES)));
    bench
        .report
        .row(Row::single(&name("transactions of one, an hour"), Unit::Pieces, vec![an_hour]).at_most(40.0));
    let memory = Row::single(&name("memory"), Unit::Megabytes, vec![service.memory()?.0]);
    bench.report.row(memory.at_most(100.0));
    let placed = place_orders(&service, &sandbox, stores).await?;
    for percentile in [50.0, 99.0] {
        let name = name(&format!("an order from webhook to warehouse, p{percentile}"));
        bench.report.row(Row::single(&name, Unit::Millis, vec![placed.percentile(percentile)]));
    }
    service.stop().await
}

/// Times from the answer to a webhook until its order is at the warehouse, for orders of stores far apart, one after the other.
async fn place_orders(service: &Service, sandbox: &Sandbox, stores: u32) -> Result<Latencies> {
    sandbox.warehouse.receive_goods("S-1", 1_000_000);
    let mut http = HttpConnection::to(&service.url).await?;
    let mut latencies = Latencies::default();
    for number in 0..ORDERS {
        let sender = WebhookSender::to(&service.url, &format!("store-{}", number * (stores / ORDERS)));
        let order = sandbox.shop.place_order(OrderSpec::of("S-1", 1));
        let sent = request(&sender, &service.url, &sandbox.shop.order_created(order));
        ensure!(http.exchange(&sent).await? == 200, "the webhook is taken");
        let answered = Instant::now();
        while sandbox.warehouse.orders().len() <= usize::try_from(number)? {
            ensure!(answered.elapsed() < Duration::from_secs(60), "order {number} is not placed");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        latencies.add(answered.elapsed());
    }
    Ok(latencies)
}

async fn wait_for_none(server: &Server, begun: Instant, sql: &'static str) -> Result<()> {
    while count(server, sql).await? > 0 {
        ensure!(begun.elapsed() < LONGEST_START, "the start takes too long: {sql}");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    Ok(())
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
