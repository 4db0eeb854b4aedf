//! A full sync of 100,000 products, and of their stock, on each side: how long it takes beside a plain reading of the same
//! pages, and how much memory it needs.
//!
//! The sync is the program itself, `silta sync`, in a process of its own. The reference reads the same pages over the same
//! HTTP and discards them, so that the ratio is what Silta adds. Peak memory is what the kernel says of the process
//! (`VmHWM`), not counting PostgreSQL.

use std::{
    fs::File,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use silta::{
    dev::sandbox::{Sandbox, credentials},
    runtime::clock::{Entropy, SystemClock},
};

use super::Bench;
use crate::{
    client::reqwest_client,
    report::{Row, Unit},
    setup::Server,
};

const PRODUCTS: u64 = 100_000;
/// One product in this many differs.
const DIFFERING: u64 = 100;
/// The limit that `docs/performance.md` promises, in MB.
const MAX_MEGABYTES: f64 = 60.0;
/// How much longer than a plain reading a sync may take.
const MAX_RATIO: f64 = 1.5;

pub async fn run(bench: &mut Bench) -> Result<()> {
    let server = Server::start().await?;
    let any_port = "127.0.0.1:0".parse()?;
    let entropy = Arc::new(Entropy::seeded(1));
    let sandbox = Sandbox::start(any_port, any_port, Arc::new(SystemClock), entropy).await?;
    fill(&sandbox);
    let config = server.directory().join("sync.toml");
    let connection = sandbox.connection_toml("bench").replace("= 1000\n", "= 10000\n");
    std::fs::write(&config, format!("[outbound]\ndangerously_allow_private = true\n{connection}"))?;

    for what in ["products", "stock"] {
        let (mut plain, mut synced, mut peaks) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..bench.rounds {
            plain.push(read_pages(&sandbox, what).await?.as_secs_f64() * 1000.0);
            let run = || run_sync(&bench.silta, what, &config, &server.url());
            let Synced { took, peak, report } = tokio::task::block_in_place(run)?;
            let counts = (report["done"].as_u64(), report["difference_count"].as_u64());
            ensure!(counts == (Some(PRODUCTS), Some(PRODUCTS / DIFFERING)), "{what}: {report}");
            synced.push(took.as_secs_f64() * 1000.0);
            peaks.push(peak);
        }
        let name = format!("sync of {PRODUCTS} {what} on each side");
        let row = Row::compared(&name, "plain reading", Unit::Millis, synced, plain);
        bench.report.row(row.at_most(MAX_RATIO));
        let memory = Row::single(&format!("its peak memory ({what})"), Unit::Megabytes, peaks);
        bench.report.row(memory.at_most(MAX_MEGABYTES));
    }
    Ok(())
}

fn fill(sandbox: &Sandbox) {
    for id in 1..=PRODUCTS {
        let (code, name) = (format!("CODE-{id:06}"), format!("Tuote numero {id}, sininen"));
        sandbox.shop.add_product(id, &code, &name, 10);
        let differs = id.is_multiple_of(DIFFERING);
        let at_warehouse = if differs { "Vanha nimi" } else { &name };
        let product = json!({ "code": code, "name": at_warehouse, "languageCode": "fi" });
        sandbox.warehouse.add_product(&code, product);
        sandbox.warehouse.count_stock(&code, if differs { 7 } else { 10 });
    }
}

/// Reads the same pages one after the other and discards them.
async fn read_pages(sandbox: &Sandbox, what: &str) -> Result<Duration> {
    let client = reqwest_client()?;
    let started_at = Instant::now();
    for page in 1..=PRODUCTS / 250 {
        let url = sandbox.warehouse_server.url();
        let request = client
            .get(format!("{url}/api/v1/{what}?page={page}&limit=250"))
            .header("x-ogokey", credentials::API_KEY_OGOSHIP);
        read(request).await?;
    }
    for page in 1..=PRODUCTS / 100 {
        let url = sandbox.shop_server.url();
        let request = client
            .get(format!("{url}/api/v1/{what}?page={page}&page_size=100&sort=id-asc"))
            .basic_auth(credentials::USER, Some(credentials::API_KEY));
        read(request).await?;
    }
    Ok(started_at.elapsed())
}

async fn read(request: reqwest::RequestBuilder) -> Result<()> {
    let answer = request.header("accept", "application/json").send().await?.error_for_status()?;
    let _: Value = serde_json::from_slice(&answer.bytes().await?)?;
    Ok(())
}

/// The result of `silta sync`.
struct Synced {
    took: Duration,
    /// Peak memory in MB.
    peak: f64,
    report: Value,
}

fn run_sync(program: &Path, what: &str, config: &Path, database: &str) -> Result<Synced> {
    let output = config.with_extension("json");
    let started_at = Instant::now();
    let mut child = Command::new(program)
        .args(["sync", what, "bench", "--dry-run", "--json", "--config"])
        .arg(config)
        .env("DATABASE_URL", database)
        .stdout(Stdio::from(File::create(&output)?))
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    while child.try_wait()?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|it| it.trim().trim_end_matches(" kB").parse::<f64>().ok());
        peak = peak.max(kibibytes.unwrap_or_default() * 1024.0 / 1e6);
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = started_at.elapsed();
    let report = serde_json::from_str(&std::fs::read_to_string(&output)?)?;
    Ok(Synced { took, peak, report })
}
