//! Restore from a backup: work done since the dump is found by reading the vendors.

use std::{path::PathBuf, process::Command, sync::Arc};

use silta::{
    app::{
        App, AppDeps,
        config::{Config, Environment},
    },
    dev::sandbox::OrderSpec,
    runtime::{clock::Entropy, failpoints::Failpoints},
};

use crate::harness::{Database, TestOptions, TestSilta, configuration, secs};

/// A PostgreSQL program, beside the server or on the PATH.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut dirs: Vec<_> = versions.map(|version| version.path().join("bin").join(name)).collect();
    dirs.sort();
    dirs.into_iter().rfind(|path| path.exists()).unwrap_or_else(|| name.into())
}

fn run(name: &str, arguments: &[&str]) {
    let output = Command::new(program(name)).args(arguments).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn restore_finds_work_done_since_the_dump_without_repeating() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let TestSilta { shop, warehouse, .. } = &silta;
    warehouse.receive_goods("A", 50);
    shop.add_product(1, "A", "Kahvi", 0);
    silta.send_webhook(warehouse.stock_changed("A")).await;
    let placed_before = silta.place_order(OrderSpec::of("A", 1)).await;
    let sent_before = shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(shop.order_created(sent_before)).await; // not run yet

    let directory = tempfile::tempdir().unwrap();
    let dump = directory.path().join("silta.dump");
    let dump = dump.to_str().unwrap();
    run("pg_dump", &["--format=custom", "--file", dump, "--dbname", &silta.database_url()]);

    // Work goes on until the server is lost.
    silta.run_until_idle().await;
    silta.clock.advance(secs(60));
    let placed_after = silta.place_order(OrderSpec::of("A", 1)).await;
    for order in [placed_before, sent_before] {
        assert!(warehouse.ship_order(&format!("shop-{order}")));
        silta.send_webhook(warehouse.order_shipped(&format!("shop-{order}"))).await;
        silta.run_until_idle().await;
        assert_eq!(shop.order(order).unwrap().status, "COMPLETED");
    }
    shop.add_product(2, "B", "Tee", 0);
    silta.send_webhook(shop.product_updated(2)).await;
    silta.run_until_idle().await;
    assert!(warehouse.product("B").is_some());
    let sent_after = shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(shop.order_created(sent_after)).await; // answered 200, lost with the server
    assert!(warehouse.ship_order(&format!("shop-{placed_after}"))); // without a webhook

    // An empty server, the restored dump, a new process.
    let restored = Database::empty().await;
    run("pg_restore", &["--no-owner", "--dbname", &restored.url(), dump]);
    silta.clock.advance(secs(3600));
    let config =
        Config::load(&configuration(&silta.sandbox, &TestOptions::default()), &Environment::new()).unwrap();
    let (pool, clock, failpoints) = (restored.pool(), silta.clock.clone(), Failpoints::disabled());
    silta::store::migrate(&pool).await.unwrap();
    let entropy = Arc::new(Entropy::seeded(4711));
    let app = App::new(config, AppDeps { pool, clock, entropy, failpoints });
    app.prepare().await.unwrap();
    let posts = silta.sandbox.warehouse_server.calls.count("POST", "/api/v1/orders");
    for _ in 0..6 {
        app.worker.run_until_idle().await.unwrap();
        app.poller.poll_due().await.unwrap();
        silta.clock.advance(secs(600));
    }
    app.worker.run_until_idle().await.unwrap();

    for order in [placed_before, sent_before, placed_after, sent_after] {
        assert_eq!(silta.warehouse_count(order), 1, "order {order}");
    }
    let new = silta.sandbox.warehouse_server.calls.count("POST", "/api/v1/orders") - posts;
    assert_eq!(new, 1, "only the order that was not sent yet");
    for order in [placed_before, sent_before, placed_after] {
        let order = shop.order(order).unwrap();
        assert_eq!((order.status, order.shipments[0].completions), ("COMPLETED", 1));
    }
    assert_eq!(silta.lost_and_doubled(), (0, 0));
    assert_eq!(shop.quantity("A"), warehouse.available("A"));
    assert_eq!(restored.count_open_and_orphans(), (0, 0));
}
