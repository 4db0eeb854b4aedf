//! The real binary as a process: killed, stopped, started again.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use silta::{
    dev::sandbox::{Fault, OrderSpec, RandomFaults, Sandbox, WebhookSender, reconcile},
    runtime::{
        clock::{Clock, Entropy, SystemClock},
        embedded_postgres::{Durability, PrivatePostgres},
    },
};
use sqlx::{Connection, PgConnection};

use crate::harness::{Api, CONNECTION, Database, TestOptions, configuration, wait_until};

const BINARY: &str = env!("CARGO_BIN_EXE_silta");

/// `silta serve` as a process of its own.
pub struct Process {
    child: Child,
    pub url: String,
    said: Arc<Mutex<Vec<String>>>,
}

impl Process {
    pub fn start(config: &Path, database_url: Option<&str>) -> Self {
        let mut command = Command::new(BINARY);
        command.arg("serve").arg("--config").arg(config);
        match database_url {
            Some(url) => command.env("DATABASE_URL", url),
            None => command.env_remove("DATABASE_URL"),
        };
        Self::of(command)
    }

    pub fn of(mut command: Command) -> Self {
        command.stderr(Stdio::piped()).env("SILTA__LOG__FORMAT", "json");
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let url = loop {
            let line = lines.next().unwrap_or_else(|| panic!("silta ended: {said:#?}")).unwrap();
            let json: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if json["fields"]["message"] == "serving" {
                break format!("http://{}", json["fields"]["address"].as_str().unwrap());
            }
            said.push(line);
        };
        let said = Arc::new(Mutex::new(Vec::new()));
        let kept = said.clone();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line));
        });
        Self { child, url, said }
    }

    /// Waits until it has said this in its log since it was last waited for.
    pub async fn says(&self, words: &str) {
        wait_until(words, async || self.said.lock().unwrap().iter().any(|line| line.contains(words))).await;
        self.said.lock().unwrap().clear();
    }

    /// SIGHUP; waits until it has said that this key changed.
    pub async fn reloads(&self, key: &str) {
        self.signals("HUP");
        self.says(key).await;
    }

    pub fn signals(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
    }

    fn kill(self) {
        drop(self); // SIGKILL
    }

    /// SIGTERM; answers whether it ended well.
    pub fn terminate(mut self) -> bool {
        self.signals("TERM");
        self.child.wait().unwrap().success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub async fn sandbox() -> Sandbox {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let any = "127.0.0.1:0".parse().unwrap();
    Sandbox::start(any, any, clock, Arc::new(Entropy::seeded(5))).await.unwrap()
}

/// A command of the program: its status, what it said and what it complained of.
fn run(arguments: &[&str], config: &Path, database: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(BINARY);
    command.args(arguments).arg("--config").arg(config).env("DATABASE_URL", database);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

const FAST_OPTIONS: TestOptions = TestOptions {
    service: "[http]\nlisten = \"127.0.0.1:0\"\n[worker]\nlease = \"3s\"\n",
    connection: "[connections.polls]\norders = \"1s\"\nstatuses = \"1s\"\nstock = \"1s\"\nproducts = \"1s\"\n",
};

pub fn config_file(sandbox: &Sandbox, more: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let quick = configuration(sandbox, &FAST_OPTIONS)
        .replace("[retry]", "[retry]\nbase = \"100ms\"\nlook_again = \"500ms\"\ncap = \"1s\"");
    std::fs::write(
        file.path(),
        format!(
            "{more}\n{}",
            quick.replace("attempts = 6", "attempts = 60").replace("timeout = \"3s\"", "timeout = \"1s\"")
        ),
    )
    .unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn sigkill_and_restart_lose_and_duplicate_nothing() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    let entropy = Arc::new(Entropy::seeded(11));
    let storm = RandomFaults {
        share: 0.15,
        kinds: vec![
            Fault::DropAfter,
            Fault::DropBefore,
            Fault::StatusAfter(504),
            Fault::Slow(Duration::from_millis(80)),
        ],
        entropy: entropy.clone(),
    };
    sandbox.shop.add_product(1, "A", "A", 0);
    sandbox.warehouse.receive_goods("A", 10_000);
    // A sync that is killed goes on a minute later: longer than this test waits for its first reading.
    run(&["sync", "products", CONNECTION, "--dry-run"], config.path(), &database.url());
    sandbox.warehouse_server.faults.set_random(Some(storm));

    let mut accepted = 0;
    for round in 0..6 {
        let process = Process::start(config.path(), Some(&database.url()));
        let webhook_sender = WebhookSender::to(&process.url, CONNECTION);
        for _ in 0..8 {
            let order = sandbox.shop.place_order(OrderSpec::of("A", 1));
            let told = webhook_sender.send(&sandbox.shop.order_created(order)).await;
            accepted += usize::from(told.is_some_and(|(status, _)| status == 200));
        }
        for order in sandbox.warehouse.orders() {
            if order.status == "New" && sandbox.warehouse.ship_order(&order.reference) {
                webhook_sender.send(&sandbox.warehouse.order_shipped(&order.reference)).await;
            }
        }
        // Killed at another moment each time, in the middle of it all.
        tokio::time::sleep(Duration::from_millis(40 + 60 * round)).await;
        process.kill();
    }
    assert_eq!(accepted, 48);
    sandbox.warehouse_server.faults.set_random(None);

    let process = Process::start(config.path(), Some(&database.url()));
    let mut db = PgConnection::connect(&database.url()).await.unwrap();
    wait_until("everything is settled", async || {
        let open: i64 = sqlx::query_scalar("select count(*) from task where settled_at is null")
            .fetch_one(&mut db)
            .await
            .unwrap();
        let books = reconcile(&sandbox.shop, &sandbox.warehouse, "shop-");
        open == 0 && books.at_warehouse == 48 && books.is_balanced()
    })
    .await;
    let events: i64 = sqlx::query_scalar("select count(*) from event where topic = 'order.created'")
        .fetch_one(&mut db)
        .await
        .unwrap();
    let dead: i64 = sqlx::query_scalar("select count(*) from task where state = 'dead'")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!((events, dead), (48, 0));
    assert!(process.terminate(), "an orderly end exits with 0");
    let books = reconcile(&sandbox.shop, &sandbox.warehouse, "shop-");
    assert_eq!((books.lost, books.doubled, books.at_warehouse), (0, 0, 48));
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_postgresql_starts_and_survives_kill_9() {
    let sandbox = sandbox().await;
    let directory = tempfile::tempdir().unwrap();
    let config =
        config_file(&sandbox, &format!("[database]\ndata_dir = {:?}", directory.path().join("data")));
    let pid_file = directory.path().join("data/cluster/postmaster.pid");

    let process = Process::start(config.path(), None);
    let order = sandbox.shop.place_order(OrderSpec::of("A", 1));
    let webhook_sender = WebhookSender::to(&process.url, CONNECTION);
    assert_eq!(webhook_sender.send(&sandbox.shop.order_created(order)).await.unwrap().0, 200);
    process.kill();

    // At once, while the old server may still be stopping.
    let process = Process::start(config.path(), None);
    wait_until("the order that the killed one took is delivered", async || {
        sandbox.warehouse.count("shop-1001") == 1
    })
    .await;
    let events = Api::new(&process.url).get("/admin/v1/events?source=mycashflow").await;
    assert_eq!(events.items().len(), 1);
    assert!(process.terminate());
    assert!(!pid_file.exists(), "the server is stopped with us");
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_postgresql_is_not_root_and_is_shared() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let first = PrivatePostgres::start(&data_dir, Durability::ForTestsOnly).unwrap();
    let options = first.database().await.unwrap();
    let pid = std::fs::read_to_string(data_dir.join("cluster/postmaster.pid")).unwrap();
    let owner = std::fs::metadata(format!("/proc/{}", pid.lines().next().unwrap())).unwrap();
    assert_ne!(std::os::unix::fs::MetadataExt::uid(&owner), 0);

    let second = PrivatePostgres::start(&data_dir, Durability::ForTestsOnly).unwrap();
    second.database().await.unwrap();
    drop(second);
    let mut db = PgConnection::connect_with(&options).await.expect("the first one's server still runs");
    db.ping().await.unwrap();
    drop(first);
    assert!(PgConnection::connect_with(&options).await.is_err(), "and stops with the first one");
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_exits_0_with_a_verdict_from_the_sandbox() {
    let verdict = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new(BINARY)
        .args(["demo", "--exit", "--faults", "some", "--orders", "12", "--json"])
        .arg(verdict.path())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}\n{}", String::from_utf8_lossy(&output.stderr));
    let verdict: serde_json::Value = serde_json::from_slice(&std::fs::read(verdict.path()).unwrap()).unwrap();
    assert_eq!(verdict["placed"], 12);
    for zero in ["lost", "doubled", "left_over", "differences"] {
        assert_eq!(verdict[zero], 0, "{zero}");
    }
    assert_eq!(verdict["at_warehouse"], verdict["placed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_run_loses_and_duplicates_nothing() {
    let report = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new(BINARY)
        .args(["prove", "--passes", "1", "--fault-duration", "1s", "--seed", "7", "--json"])
        .arg(report.path())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}\n{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(report.path()).unwrap()).unwrap();
    for zero in ["lost", "doubled", "left_over", "acknowledged_missing"] {
        assert_eq!(report[zero], 0, "{zero}");
    }
    let tried = report["tried"].as_object().unwrap();
    for point in silta::runtime::failpoints::Failpoint::ALL {
        assert!(tried.contains_key(&format!("killed at {}", point.as_str())), "{point:?} in {tried:?}");
    }
    assert_eq!(tried.len(), 25);
    assert!(
        report["acknowledged"].as_i64() > Some(100) && report["faults_met"].as_i64() > Some(50),
        "{report}"
    );
    assert_eq!(report["at_warehouse"], report["placed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cli_explains_transfers_and_syncs_orders() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    let url = database.url();
    let run = |arguments: &[&str]| run(arguments, config.path(), &url);
    let (code, said, complaint) = run(&["sync", "orders", CONNECTION, "--dry-run"]);
    assert_eq!(code, Some(0), "{said}{complaint}");
    assert!(said.starts_with("zero differences at "), "{said}");

    sandbox.warehouse.receive_goods("A", 10);
    let order = sandbox.shop.place_order(OrderSpec::of("A", 1)).to_string();
    let (code, said, _) = run(&["sync", "orders", CONNECTION, "--json"]);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (code, report["differences"][0]["difference"].as_str()),
        (Some(0), Some("missing_at_warehouse"))
    );
    let (code, said, _) = run(&["orders", "hold", CONNECTION, &order]);
    assert!(code == Some(0) && said.starts_with("asked: hold"), "{said}");

    let process = Process::start(config.path(), Some(&database.url()));
    wait_until("the order is held", async || {
        let (_, said, _) = run(&["orders", "explain", CONNECTION, &order]);
        said.contains("A person holds the order back.")
    })
    .await;
    let (code, _, _) = run(&["orders", "transfer", CONNECTION, &order]);
    assert_eq!(code, Some(0));
    wait_until("the order is there", async || sandbox.warehouse.count(&format!("shop-{order}")) == 1).await;
    wait_until("the order rests", async || {
        run(&["orders", "list", "--json"]).1.contains("\"task_state\":\"done\"")
    })
    .await;
    let (_, call_log, _) = run(&["orders", "explain", CONNECTION, &order, "--call-log", "ogoship"]);
    assert!(call_log.contains("POST /api/v1/orders → 200") && !call_log.contains("Testikatu"), "{call_log}");
    let (code, _, complaint) = run(&["orders", "transfer", CONNECTION, &order]);
    assert!(code == Some(1) && complaint.contains("stands at the warehouse already"), "{complaint}");
    let (code, said, _) = run(&["orders", "erase", CONNECTION, &order]);
    assert!(code == Some(0) && said.starts_with("erased: the bodies of "), "{said}");
    assert!(process.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn cli_syncs_approves_and_diagnoses_the_catalogue() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    let url = database.url();
    let run = |arguments: &[&str]| {
        let (code, said, complaint) = run(arguments, config.path(), &url);
        (code, said + &complaint)
    };
    for id in 1..=7 {
        let code = format!("A-{id}");
        sandbox.shop.add_product(id, &code, "Kahvi", 5);
        sandbox.warehouse.receive_goods(&code, 5);
    }
    sandbox.shop.add_product(8, "a-7", "Tee", 5);
    let (code, said) = run(&["sync", "products", CONNECTION]);
    assert_eq!(code, Some(1), "two codes are alike: {said}");
    assert!(said.contains("missing_at_warehouse (6): it is created at the warehouse"), "{said}");
    assert!(
        said.contains("held_back (2)") && said.contains("8 products compared: 0 the same, 6 fixing"),
        "{said}"
    );
    let (code, said) = run(&["doctor", CONNECTION]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("ok   shop warehouse")
            && said.contains("FAIL shop codes        2 codes cannot be sent"),
        "{said}"
    );
    assert!(
        said.contains(r#""Tee" (product:8) has the code "a-7", which is also "A-7" of "Kahvi" (product:7)"#),
        "{said}"
    );
    assert!(said.contains(r#"FAIL shop shipping     no rule for "Lentokone""#), "{said}");

    for id in 1..=7 {
        sandbox.warehouse.count_stock(&format!("A-{id}"), 0);
    }
    sandbox.shop.remove_product(8);
    let (code, said) = run(&["sync", "stock", CONNECTION]);
    assert!(code == Some(1) && said.contains("nothing was fixed: stock_braked"), "{said}");
    let (code, said) = run(&["sync", "stock", CONNECTION, "--approve"]);
    assert!(code == Some(0) && said.contains("7 fixing, 0 waiting"), "{said}");
    let process = Process::start(config.path(), Some(&database.url()));
    wait_until("what was approved is written", async || {
        (1..=7).all(|id| sandbox.shop.quantity(&format!("A-{id}")) == Some(0))
    })
    .await;
    wait_until("the catalogue is there", async || sandbox.warehouse.codes().len() == 6).await;
    assert!(process.terminate());
}

#[test]
fn config_check_reports_all_faults_and_exits_1() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[http]\nlissten = 1\n[retry]\nbase = \"soon\"").unwrap();
    let output =
        Command::new(BINARY).args(["config", "check", "--config"]).arg(file.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("http.lissten") && said.contains("retry.base"), "{said}");
}
