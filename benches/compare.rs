//! A full sync of 50,000 products, and of their stock, on each side: how long it takes beside a plain reading of the
//! same pages, and how much memory it needs.
//!
//! The sync is the program itself, `silta sync`, in a process of its own against a private `PostgreSQL`; the sandbox
//! vendors are this process. The reference reads the same pages over the same HTTP and throws them away, so that the ratio
//! is what Silta adds. Peak memory is what the kernel says of the process (`VmHWM`), not counting `PostgreSQL`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark stands outside"
)]

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use silta::{
    dev::sandbox::{Sandbox, credentials},
    runtime::{
        clock::{Entropy, SystemClock},
        embedded_postgres::{Durability, PrivatePostgres},
    },
};

const PRODUCTS: u64 = 50_000;
/// One in so many differs.
const DIFFERING: u64 = 100;
/// The promise: the process stays below this.
const MOST_MEBIBYTES: u64 = 100;

#[tokio::main]
async fn main() {
    let any = "127.0.0.1:0".parse().unwrap();
    let entropy = Arc::new(Entropy::seeded(1));
    let sandbox = Sandbox::start(any, any, Arc::new(SystemClock), entropy).await.unwrap();
    fill(&sandbox);
    let directory = tempfile::tempdir().unwrap();
    let private = PrivatePostgres::start(&directory.path().join("data"), Durability::Full).unwrap();
    private.database().await.unwrap();
    let config = directory.path().join("silta.toml");
    let toml = sandbox.connection_toml("bench").replace("= 1000\n", "= 10000\n");
    std::fs::write(&config, format!("[outbound]\ndangerously_allow_private = true\n{toml}")).unwrap();

    println!("{:<44}{:>10}{:>14}{:>8}{:>12}", "", "silta sync", "plain reading", "ratio", "peak memory");
    let mut figures = Vec::new();
    for what in ["products", "stock"] {
        let plain = read_plainly(&sandbox, what).await;
        let (took, peak, report) =
            tokio::task::block_in_place(|| run_sync(what, &config, &private.url("silta")));
        let found = report["difference_count"].as_u64().unwrap();
        assert_eq!(
            (report["done"].as_u64(), found),
            (Some(PRODUCTS), PRODUCTS / DIFFERING),
            "{what}: {report}"
        );
        let (took, plain) = (took.as_secs_f64(), plain.as_secs_f64());
        let name = format!("{what}, {PRODUCTS} on each side, {found} differ");
        println!("{name:<44}{took:>9.1}s{plain:>13.1}s{:>8.1}{peak:>8} MiB", took / plain);
        figures.push(json!({ "what": what, "silta": took, "plain": plain, "peak_mebibytes": peak }));
        assert!(peak < MOST_MEBIBYTES, "{what}: {peak} MiB is more than was promised");
    }
    println!("{}", json!({ "products": PRODUCTS, "figures": figures }));
}

fn fill(sandbox: &Sandbox) {
    for id in 1..=PRODUCTS {
        let (code, name) = (format!("CODE-{id:05}"), format!("Tuote numero {id}, sininen"));
        sandbox.shop.add_product(id, &code, &name, 10);
        let differs = id.is_multiple_of(DIFFERING);
        let there = if differs { "Vanha nimi" } else { &name };
        sandbox.warehouse.add_product(&code, json!({ "code": code, "name": there, "languageCode": "fi" }));
        sandbox.warehouse.count_stock(&code, if differs { 7 } else { 10 });
    }
}

/// The same pages, asked for one after the other and thrown away.
async fn read_plainly(sandbox: &Sandbox, what: &str) -> Duration {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let begun = Instant::now();
    for (base, size, sizes) in
        [(sandbox.warehouse_server.url(), 250, "limit"), (sandbox.shop_server.url(), 100, "page_size")]
    {
        for page in 1..=PRODUCTS / size {
            let request = client
                .get(format!("{base}/api/v1/{what}?page={page}&{sizes}={size}&sort=id-asc"))
                .header("accept", "application/json")
                .header("x-ogokey", credentials::API_KEY_OGOSHIP);
            let request = if sizes == "limit" {
                request
            } else {
                request.basic_auth(credentials::USER, Some(credentials::API_KEY))
            };
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success());
            let read: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            drop(read);
        }
    }
    begun.elapsed()
}

/// Runs the program; answers how long it took, its peak memory in MiB, and its report.
fn run_sync(what: &str, config: &Path, database: &str) -> (Duration, u64, Value) {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_silta"))
        .args(["sync", what, "bench", "--dry-run", "--json", "--config"])
        .arg(config)
        .env("DATABASE_URL", database)
        .stdout(Stdio::from(std::fs::File::create(config.with_extension("json")).unwrap()))
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|it| it.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(kibibytes.unwrap_or(0) / 1024);
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = begun.elapsed();
    let report = std::fs::read_to_string(config.with_extension("json")).unwrap();
    (took, peak, serde_json::from_str(&report).unwrap_or_else(|error| panic!("{error}: {report}")))
}
