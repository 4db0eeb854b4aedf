//! Ingest beside pgbench, on one private server in one run: signed 2 KB webhooks accepted durably over HTTP, and
//! prepared single-row inserts of the same bytes into the same kind of table by as many clients.
//!
//! Rounds alternate, so that both meet the same mood of the machine; the ratio of medians is the figure, the absolute
//! numbers are not. `fsync` is on. Client, service and database share the machine's cores.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark stands outside"
)]

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use silta::{
    app::{App, Surroundings},
    clock::{Entropy, SystemClock},
    config::{Config, Environment},
    embedded_postgres::{Durability, PrivatePostgres},
    killpoints::KillPoints,
    sandbox::{Courier, Sandbox, Webhook},
    store,
};
use sqlx::Executor;

/// Concurrent clients, on keep-alive connections.
const CLIENTS: u32 = 32;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(5);
const BODY_BYTES: usize = 2048;

const REFERENCE_TABLE: &str = "
    create table reference (
        id uuid primary key, connection text not null, source text not null, topic text not null,
        received_at timestamptz not null, fingerprint bytea not null, body bytea not null,
        unique (connection, source, fingerprint)
    )";

const REFERENCE_INSERT: &str = "
    insert into reference values (
        gen_random_uuid(), 'bench', 'mycashflow', 'order.created', now(),
        sha256(gen_random_uuid()::text::bytea), convert_to(repeat('x', 2048), 'UTF8')
    );";

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let private = PrivatePostgres::start(&directory.path().join("data"), Durability::Full).unwrap();
    let pool = store::connect(private.database().await.unwrap(), CLIENTS);
    store::migrate(&pool).await.unwrap();
    pool.execute(REFERENCE_TABLE).await.unwrap();
    let script = directory.path().join("insert.sql");
    std::fs::write(&script, REFERENCE_INSERT).unwrap();
    let url = serve(&pool).await;

    let (mut ours, mut reference) = (Vec::new(), Vec::new());
    let next = Arc::new(AtomicU64::new(1));
    for _ in 0..ROUNDS {
        reference.push(pgbench(&private, &script));
        ours.push(ingest(&url, &next).await);
    }
    let (mid_ours, mid_reference) = (median(&ours), median(&reference));
    println!("{:<46}{:>12}{:>12}{:>8}", "", "ours", "pgbench", "ratio");
    println!(
        "{:<46}{mid_ours:>10.0}/s{mid_reference:>10.0}/s{:>8.2}",
        format!("durable signed webhooks, {CLIENTS} connections"),
        mid_ours / mid_reference
    );
    println!("rounds: ours {ours:.0?}, pgbench {reference:.0?}");
    println!(
        "{}",
        serde_json::json!({ "clients": CLIENTS, "ours": ours, "pgbench": reference, "ratio": mid_ours / mid_reference })
    );
}

/// The service without its worker: only the porch is measured.
async fn serve(pool: &sqlx::PgPool) -> String {
    let any = "127.0.0.1:0".parse().unwrap();
    let entropy = Arc::new(Entropy::seeded(1));
    let sandbox = Sandbox::start(any, any, Arc::new(SystemClock), entropy.clone()).await.unwrap();
    let toml = format!("[outbound]\ndangerously_allow_private = true\n{}", sandbox.connection_toml("bench"));
    let config = Config::load(&toml, &Environment::new()).unwrap();
    let app = {
        let (pool, clock, killpoints) = (pool.clone(), Arc::new(SystemClock), KillPoints::none());
        App::new(config, Surroundings { pool, clock, entropy, killpoints })
    };
    app.prepare().await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app.router).await });
    url
}

/// Accepted webhooks a second.
async fn ingest(url: &str, next: &Arc<AtomicU64>) -> f64 {
    let begun = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (courier, next) = (Courier::to(url, "bench"), next.clone());
        clients.spawn(async move {
            let mut accepted = 0_u32;
            while begun.elapsed() < ROUND {
                let id = next.fetch_add(1, Ordering::Relaxed);
                let frame = format!(r#"{{"topic":"order.created","data":{{"id":{id},"pad":""}}}}"#);
                let pad = "x".repeat(BODY_BYTES - frame.len());
                let body = frame.replace(r#""pad":"""#, &format!(r#""pad":"{pad}""#));
                let answer = courier.carries(&Webhook::raw_from_shop(body.as_bytes())).await;
                accepted += u32::from(answer.is_some_and(|(status, _)| status == 200));
            }
            accepted
        });
    }
    let accepted: u32 = clients.join_all().await.into_iter().sum();
    f64::from(accepted) / begun.elapsed().as_secs_f64()
}

/// Transactions a second, as pgbench itself says.
fn pgbench(private: &PrivatePostgres, script: &std::path::Path) -> f64 {
    let url = private.url("silta");
    let clients = CLIENTS.to_string();
    let seconds = ROUND.as_secs().to_string();
    let output = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-j", "2", "-c", &clients, "-T", &seconds, "-f"])
        .arg(script)
        .arg(url)
        .output()
        .unwrap_or_else(|error| {
            panic!("pgbench is part of postgresql-client or postgresql-contrib: {error}")
        });
    let said = String::from_utf8_lossy(&output.stdout);
    let tps =
        said.lines().find_map(|line| line.strip_prefix("tps = ")).unwrap_or_else(|| panic!("{output:?}"));
    tps.split(' ').next().and_then(|number| number.parse().ok()).unwrap()
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
