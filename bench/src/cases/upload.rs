//! The first upload of a catalogue: products that the warehouse does not know, at the default rate. How long it takes until the
//! warehouse has them all, beside the time that the rate alone allows for the calls that were made to it until then. Ten times
//! as many products take ten times as long.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use silta::{
    dev::sandbox::Sandbox,
    runtime::clock::{Entropy, SystemClock},
};
use tokio::process::Command;

use super::Bench;
use crate::{
    report::{Row, Unit},
    setup::{Server, Service},
};

const PRODUCTS: u64 = 1_000;
const QUICK_PRODUCTS: u64 = 200;

/// The default. At many times this rate our own delay is longer than a call's turn, so the ratio is worse.
const CALLS_PER_SECOND: f64 = 5.0;

const LONGEST: Duration = Duration::from_secs(1200);

pub async fn run(bench: &mut Bench) -> Result<()> {
    let products = if bench.quick { QUICK_PRODUCTS } else { PRODUCTS };
    let (mut created, mut allowed, mut settled) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        let round = measure(bench, products).await?;
        created.push(round.created * 1000.0);
        allowed.push(round.allowed * 1000.0);
        settled.push(round.settled * 1000.0);
    }
    let name = format!("first upload of {products} products, {CALLS_PER_SECOND} calls a second");
    let row = Row::compared(&name, "the rate alone", Unit::Millis, created, allowed);
    bench.report.row(row.at_most(1.05));
    bench.report.row(Row::single("and until each was read again in the shop", Unit::Millis, settled));
    Ok(())
}

/// In seconds.
struct Round {
    /// Until the warehouse had all products.
    created: f64,
    /// What the rate alone allows for the calls to the warehouse until then.
    allowed: f64,
    /// Until the shop was asked again about each, which is last: products go first.
    settled: f64,
}

async fn measure(bench: &Bench, products: u64) -> Result<Round> {
    let server = Server::start().await?;
    let any = "127.0.0.1:0".parse()?;
    let sandbox = Sandbox::start(any, any, Arc::new(SystemClock), Arc::new(Entropy::seeded(1))).await?;
    for id in 1..=products {
        sandbox.shop.add_product(id, &format!("CODE-{id:06}"), &format!("Tuote numero {id}"), 10);
    }
    let connection = sandbox
        .connection_toml("bench")
        .replace("requests_per_second = 1000\n", &format!("requests_per_second = {CALLS_PER_SECOND}\n"));
    let config = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"warn,silta::cli=info\"\n\
         [outbound]\ndangerously_allow_private = true\n{connection}[connections.polls]\nsync = \"0s\"\n"
    );
    compare(bench, &config, &server).await?;
    let calls_before = calls(&sandbox);
    let begun = Instant::now();
    let service = Service::start(&bench.silta, &config, &server, &[]).await?;
    while sandbox.warehouse_server.calls.count("POST", "/products") < usize::try_from(products)? {
        ensure!(begun.elapsed() < LONGEST, "the upload takes too long");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (created, made) = (begun.elapsed().as_secs_f64(), calls(&sandbox) - calls_before);
    while is_at_work(&server).await? {
        ensure!(begun.elapsed() < LONGEST, "the second look takes too long");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let settled = begun.elapsed().as_secs_f64();
    service.stop().await?;
    Ok(Round { created, allowed: made as f64 / CALLS_PER_SECOND, settled })
}

/// Compares the catalogue as `silta sync` does: each product gets its task.
async fn compare(bench: &Bench, config: &str, server: &Server) -> Result<()> {
    let file = server.directory().join("sync.toml");
    std::fs::write(&file, config)?;
    let status = Command::new(&bench.silta)
        .args(["sync", "products", "bench", "--config"])
        .arg(&file)
        .env("DATABASE_URL", server.url())
        .stdout(std::process::Stdio::null())
        .status()
        .await?;
    ensure!(status.success(), "silta sync: {status}");
    Ok(())
}

async fn is_at_work(server: &Server) -> Result<bool> {
    let sql = "select exists (select from task where kind = 'product' and state <> 'done')";
    Ok(sqlx::query_scalar(sql).fetch_one(&mut server.connection().await?).await?)
}

/// All calls to the warehouse so far.
fn calls(sandbox: &Sandbox) -> usize {
    let calls = &sandbox.warehouse_server.calls;
    ["GET", "POST", "PUT", "PATCH"].iter().map(|method| calls.count(method, "/")).sum()
}
