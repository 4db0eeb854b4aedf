//! Too much at once, with the real program in a process of its own.
//!
//! A flood: 600 senders of 64 KiB webhooks against a database that takes a tenth of a second for every commit. What is
//! answered 200 must be there, the rest must be told to come again, and the memory of the process must stay flat. Then a
//! replay of ten thousand: how long a live order takes from its webhook to the warehouse meanwhile, beside the same before
//! it, in one run; both vendors allow fifty calls a second.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark stands outside"
)]

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use silta::{
    dev::sandbox::{OrderSpec, Sandbox, Webhook, WebhookSender},
    domain::event::dedup::sha256_hex,
    runtime::{
        clock::{Entropy, SystemClock},
        embedded_postgres::{Durability, PrivatePostgres},
    },
};
use sqlx::{Connection, PgConnection};

const SENDERS: usize = 600;
const FLOOD: Duration = Duration::from_secs(10);
const REPLAYED: usize = 10_000;
const ORDERS: usize = 30;

#[tokio::main]
async fn main() {
    let any = "127.0.0.1:0".parse().unwrap();
    let entropy = Arc::new(Entropy::seeded(1));
    let sandbox = Sandbox::start(any, any, Arc::new(SystemClock), entropy).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let private = PrivatePostgres::start(&directory.path().join("data"), Durability::Full).unwrap();
    private.database().await.unwrap();
    let config = directory.path().join("silta.toml");
    std::fs::write(&config, configuration(&sandbox)).unwrap();
    let service = Service::start(&config, &private.url("silta"));
    let mut db = PgConnection::connect(&private.url("silta")).await.unwrap();

    let replay = replay(&sandbox, &service, &mut db).await;
    let flood = flood(&service, &mut db).await;
    println!("{}", json!({ "replay": replay, "flood": flood }));
}

fn configuration(sandbox: &Sandbox) -> String {
    let token = sha256_hex(b"bench");
    format!(
        "[http]\nlisten = \"127.0.0.1:0\"\naccept_within = \"1s\"\n[log]\nfilter = \"warn,silta::cli=info\"\nformat = \"json\"\n\
         [outbound]\ndangerously_allow_private = true\n\
         [[admin.tokens]]\nname = \"bench\"\ntoken_sha256 = \"{token}\"\nrole = \"operator\"\n{}",
        sandbox
            .connection_toml("bench")
            .replace("requests_per_second = 1000\n", "requests_per_second = 50\n")
    )
}

/// Times of live orders before and during a replay of ten thousand.
async fn replay(sandbox: &Sandbox, service: &Service, db: &mut PgConnection) -> Value {
    sandbox.warehouse.receive_goods("A", 10_000);
    let webhook_sender = WebhookSender::to(&service.url, "bench");
    let before = orders(sandbox, &webhook_sender).await;
    let sql = "insert into task
             (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
         select gen_random_uuid(), 'bench', 'stock', 'stock:S-' || n, 'dead', 'refused', 1, now(), now(), now()
         from generate_series(1, $1) n";
    sqlx::query(sql).bind(i64::try_from(REPLAYED).unwrap()).execute(&mut *db).await.unwrap();
    let client = reqwest::Client::new();
    for _ in 0..REPLAYED / 1000 {
        let asked = json!({ "filter": { "reason": "refused", "state": "dead" }, "limit": 1000 });
        let request =
            client.post(format!("{}/admin/v1/replays", service.url)).bearer_auth("bench").json(&asked);
        assert!(request.send().await.unwrap().status().is_success());
        // What is replayed is dead no more for the filter's sake: the next thousand are other ones.
        sqlx::query("update task set reason = 'conflict' where reason = 'refused' and id in (select replay_of from task)")
            .execute(&mut *db)
            .await
            .unwrap();
    }
    let waiting = open(db).await;
    let during = orders(sandbox, &webhook_sender).await;
    let left = open(db).await;
    assert!(left > 0, "the replay was over before the orders were");
    println!("{:<58}{:>10}{:>10}", "a live order, from webhook to warehouse", "median", "longest");
    for (name, times) in
        [("before".to_owned(), &before), (format!("during a replay, {waiting} to {left} waiting"), &during)]
    {
        println!("{name:<58}{:>7.0} ms{:>7.0} ms", times[times.len() / 2], times[times.len() - 1]);
    }
    json!({ "before_ms": before, "during_ms": during, "waiting": waiting, "left": left })
}

async fn open(db: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from task where settled_at is null").fetch_one(db).await.unwrap()
}

/// How long each of some orders takes, sorted, in milliseconds.
async fn orders(sandbox: &Sandbox, webhook_sender: &WebhookSender) -> Vec<f64> {
    let mut times = Vec::new();
    for _ in 0..ORDERS {
        let order = sandbox.shop.place_order(OrderSpec::of("A", 1));
        let begun = Instant::now();
        assert_eq!(webhook_sender.send(&sandbox.shop.order_created(order)).await.unwrap().0, 200);
        while sandbox.warehouse.count(&format!("bench-{order}")) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    times.sort_by(f64::total_cmp);
    times
}

/// What a flood comes to.
async fn flood(service: &Service, db: &mut PgConnection) -> Value {
    sqlx::raw_sql(
        "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.1); return null; end $$;
         create trigger slow after insert on event for each statement execute function slow()",
    )
    .execute(&mut *db)
    .await
    .unwrap();
    let idle = service.mebibytes("VmRSS:");
    let begun = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let webhook_sender = WebhookSender::to(&service.url, "bench");
        senders.spawn(async move {
            let (mut refused, mut number) = (0_usize, 0_usize);
            while begun.elapsed() < FLOOD {
                number += 1;
                let body = format!(
                    r#"{{"productCode":"F-{sender}","modified":"{number}","pad":"{}"}}"#,
                    "x".repeat(64 << 10)
                );
                match webhook_sender.send(&Webhook::raw_from_warehouse(body.as_bytes())).await {
                    Some((200, _)) => {}
                    Some((503, _)) => {
                        refused += 1;
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                    other => panic!("{other:?}"),
                }
            }
            (webhook_sender.acknowledged_ids(), refused)
        });
    }
    tokio::time::sleep(FLOOD / 3).await;
    let early = service.mebibytes("VmRSS:");
    tokio::time::sleep(FLOOD / 3).await;
    let late = service.mebibytes("VmRSS:");
    let (mut taken, mut refused) = (BTreeSet::new(), 0);
    for (acknowledged_ids, its) in senders.join_all().await {
        taken.extend(acknowledged_ids.into_iter().map(|id| id.parse::<uuid::Uuid>().unwrap()));
        refused += its;
    }
    let peak = service.mebibytes("VmHWM:");
    let ids: Vec<_> = taken.into_iter().collect();
    let sql = "select count(*) from event where id = any($1)";
    let there: i64 = sqlx::query_scalar(sql).bind(&ids).fetch_one(db).await.unwrap();
    println!(
        "flood: {} webhooks of 64 KiB taken and {refused} told to come again in {} s; of those taken {there} are there",
        ids.len(),
        FLOOD.as_secs()
    );
    println!(
        "memory of the process: {idle} MiB before, {early} after a third of the flood, {late} after two, {peak} at its peak"
    );
    assert_eq!(ids.len(), usize::try_from(there).unwrap());
    assert!(refused > 0, "that was no flood");
    json!({ "taken": ids.len(), "refused": refused, "idle_mebibytes": idle, "early_mebibytes": early, "late_mebibytes": late, "peak_mebibytes": peak })
}

/// `silta serve` as a process of its own.
struct Service {
    child: Child,
    url: String,
}

impl Service {
    fn start(config: &Path, database: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_silta"))
            .arg("serve")
            .arg("--config")
            .arg(config)
            .env("DATABASE_URL", database)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = loop {
            let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            if line["fields"]["message"] == "serving" {
                break format!("http://{}", line["fields"]["address"].as_str().unwrap());
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    /// A figure that the kernel has of its memory.
    fn mebibytes(&self, figure: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(figure)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
