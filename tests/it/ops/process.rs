//! The real binary: killed, restarted, with its embedded PostgreSQL, the demo and the chaos run.

use std::{process::Command, sync::Arc, time::Duration};

use silta::{
    dev::sandbox::{Fault, OrderSpec, RandomFaults, WebhookSender, reconcile},
    runtime::{
        clock::Entropy,
        embedded_postgres::{Durability, PrivatePostgres},
    },
};
use sqlx::{Connection, PgConnection};

use crate::harness::{
    Api, CONNECTION, Database,
    process::{BINARY, Process, config_file, run, sandbox},
    wait_until,
};

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
    // The first sync runs here: one killed below would resume only a minute later.
    run(&["sync", "products", CONNECTION, "--dry-run"], config.path(), &database.url());
    sandbox.warehouse_server.faults.set_random(Some(storm));

    let mut accepted = 0;
    for round in 0..6 {
        let process = Process::start(config.path(), Some(&database.url()));
        let webhook_sender = WebhookSender::to(&process.url, CONNECTION);
        for _ in 0..8 {
            let order = sandbox.shop.place_order(OrderSpec::of("A", 1));
            let answer = webhook_sender.send(&sandbox.shop.order_created(order)).await;
            accepted += usize::from(answer.is_some_and(|(status, _)| status == 200));
        }
        for order in sandbox.warehouse.orders() {
            if order.status == "New" && sandbox.warehouse.ship_order(&order.reference) {
                webhook_sender.send(&sandbox.warehouse.order_shipped(&order.reference)).await;
            }
        }
        // The delay varies the moment of the kill: it is the point of this test, not a wait for something.
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
    assert!(process.terminate(), "a clean shutdown exits with 0");
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

    // Immediately, while the old server may still be stopping.
    let process = Process::start(config.path(), None);
    wait_until("the order accepted before the kill is sent", async || {
        sandbox.warehouse.count("shop-1001") == 1
    })
    .await;
    let events = Api::new(&process.url).get("/admin/v1/events?source=mycashflow").await;
    assert_eq!(events.items().len(), 1);
    assert!(process.terminate());
    assert!(!pid_file.exists(), "the server stops with Silta");
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
    let mut db = PgConnection::connect_with(&options).await.expect("the server still runs");
    db.ping().await.unwrap();
    drop(first);
    assert!(PgConnection::connect_with(&options).await.is_err(), "it stops with the first process");
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_exits_0_with_a_verdict_from_the_sandbox() {
    let verdict = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new(BINARY)
        .envs([("PGPORT", "1"), ("PGHOST", "192.0.2.1"), ("PGUSER", "other"), ("PGSSLMODE", "require")])
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
        .args(["chaos", "--passes", "1", "--fault-duration", "1s", "--seed", "7", "--json"])
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
    assert_eq!(tried.len(), 35);
    assert_eq!(report["attacks"].as_array().map(Vec::len), Some(2), "large bodies and held connections");
    assert!(
        report["acknowledged"].as_i64() > Some(100) && report["faults_met"].as_i64() > Some(50),
        "{report}"
    );
    assert_eq!(report["at_warehouse"], report["placed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_address_without_proxies_is_warned_of_once() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    let process = Process::start(config.path(), Some(&database.url()));
    let warning = "X-Forwarded-For arrived while [http] proxies is 0";
    for _ in 0..3 {
        let request = Api::new(&process.url).request(reqwest::Method::GET, "/admin/v1/tasks");
        let request = request.header("x-forwarded-for", "203.0.113.7").bearer_auth("guess");
        assert_eq!(crate::harness::answer(request).await.status, 401);
    }
    process.wait_until_logged(warning).await;
    assert_eq!(process.count_logged(warning), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_of_the_environment_are_ignored_and_a_configured_one_is_used() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let calls = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = calls.clone();
    std::thread::spawn(move || {
        // Each connection is counted and closed.
        proxy.incoming().for_each(|_| _ = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
    });
    let diagnose = |variables: &[&str]| {
        let mut command = Command::new(BINARY);
        command
            .args(["doctor", CONNECTION, "--config"])
            .arg(config.path())
            .env("DATABASE_URL", database.url());
        command.envs(variables.iter().map(|name| (*name, url.as_str())));
        let output = command.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let output =
        diagnose(&["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]);
    assert!(output.contains("ok   shop warehouse"), "{output}");
    assert_eq!(calls.load(std::sync::atomic::Ordering::SeqCst), 0);
    let output = diagnose(&["SILTA__OUTBOUND__PROXY"]);
    assert!(output.contains("FAIL shop warehouse"), "{output}");
    assert!(calls.load(std::sync::atomic::Ordering::SeqCst) > 0);
}
