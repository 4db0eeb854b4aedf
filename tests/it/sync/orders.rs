//! The full sync of orders: both sides as they are, whatever events arrived.

use serde_json::{Value, json};
use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{TestSilta, secs};

/// Requests and runs an order sync; returns its report.
async fn run_order_sync(silta: &TestSilta, dry_run: bool) -> Value {
    let body = json!({ "connection": "shop", "what": "orders", "dry_run": dry_run });
    let created = silta.api.post("/admin/v1/syncs", body).await;
    assert_eq!((created.status, created.text("/state")), (201, "running"));
    silta.syncer.run_due().await.unwrap();
    let id = created.text("/id").to_owned();
    silta.api.get(&format!("/admin/v1/syncs/{id}")).await.body
}

fn differences(report: &Value) -> Vec<(String, String)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    report["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (text(it, "subject"), text(it, "difference")))
        .collect()
}

/// Starts Silta and runs the first scheduled sync.
async fn start_after_first_sync() -> TestSilta {
    let silta = TestSilta::start().await;
    silta.syncer.run_due().await.unwrap();
    silta.warehouse.receive_goods("A", 500);
    silta
}

#[tokio::test]
async fn equal_sides_have_zero_differences() {
    let silta = start_after_first_sync().await;
    for spec in
        [OrderSpec::of("A", 1), OrderSpec::of("A", 2).unpaid(), OrderSpec::of("A", 1).cash_on_delivery()]
    {
        silta.place_order(spec).await;
    }
    silta.warehouse.add_foreign_order("amazon-1", "A", 1);
    let report = run_order_sync(&silta, false).await;
    assert_eq!((report["state"].as_str(), differences(&report)), (Some("done"), vec![]));
    assert_eq!((report["done"].as_i64(), report["counts"]["same"].as_i64()), (Some(3), Some(3)));
    assert_eq!(report["counts"]["foreign"], 1);
    assert!(report["finished_at"].is_string());
}

#[tokio::test]
async fn order_sync_finds_all_differences_and_fixes_safe_ones() {
    let silta = start_after_first_sync().await;
    let shipped = silta.place_order(OrderSpec::of("A", 1)).await;
    let cancelled = silta.place_order(OrderSpec::of("A", 1)).await;
    silta.clock.advance(secs(60));
    silta.warehouse.ship_order(&format!("shop-{shipped}"));
    silta.shop.cancel_order(cancelled);
    let missing = silta.shop.place_order(OrderSpec::of("A", 1));
    let faulty = silta.shop.place_order(OrderSpec::of("A", 1).to_country("Suomi"));
    let added_by_hand = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.warehouse.add_foreign_order(&format!("shop-{added_by_hand}"), "A", 1);
    silta.warehouse.add_foreign_order("shop-777", "A", 1);

    let expected: Vec<_> = [
        (shipped, "not_completed_in_shop"),
        (cancelled, "cancelled_in_shop"),
        (missing, "missing_at_warehouse"),
        (faulty, "needs_attention"),
        (added_by_hand, "not_remembered"),
        (777, "unknown_in_shop"),
    ]
    .map(|(order, word)| (format!("order:{order}"), word.to_owned()))
    .to_vec();
    let preview = run_order_sync(&silta, true).await;
    assert_eq!(differences(&preview), expected);
    assert!(
        preview["differences"].as_array().unwrap().iter().all(|row| row["fixing"] == false),
        "a dry run fixes nothing"
    );
    assert_eq!(silta.run_until_idle().await, 0);

    let report = run_order_sync(&silta, false).await;
    assert_eq!(differences(&report), expected);
    for row in report["differences"].as_array().unwrap() {
        assert!(!row["remedy"].as_str().unwrap().is_empty());
        let needs_operator =
            ["needs_attention", "unknown_in_shop"].contains(&row["difference"].as_str().unwrap());
        assert_eq!(row["fixing"] == true, !needs_operator, "{row}");
    }
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(missing), 1);
    assert_eq!(silta.shop.order(shipped).unwrap().status, "COMPLETED");
    assert_eq!(silta.warehouse.find(&format!("shop-{cancelled}")).unwrap().status, "Cancelled");
    let again = run_order_sync(&silta, false).await;
    assert_eq!(
        differences(&again),
        expected
            .iter()
            .filter(|it| ["needs_attention", "unknown_in_shop"].contains(&it.1.as_str()))
            .cloned()
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn order_that_differs_only_in_lists_is_not_reported() {
    let silta = start_after_first_sync().await;
    // The order is at the warehouse for longer than in the shop: the warehouse's list since that day lacks it.
    silta.warehouse.add_foreign_order("shop-1001", "A", 1);
    silta.clock.advance(secs(1800));
    let since = silta.now();
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!((silta.order_task_state(order).await.as_str(), silta.warehouse_count(order)), ("done", 1));
    let body = json!({ "connection": "shop", "what": "orders", "since": since });
    let created = silta.api.post("/admin/v1/syncs", body).await;
    silta.syncer.run_due().await.unwrap();
    let report = silta.api.get(&format!("/admin/v1/syncs/{}", created.text("/id"))).await.body;
    assert_eq!((report["done"].as_i64(), differences(&report)), (Some(1), vec![]));
}

#[tokio::test]
async fn order_sync_retries_a_page_and_resumes_after_a_crash() {
    let silta = start_after_first_sync().await;
    silta.place_order(OrderSpec::of("A", 1)).await;
    silta.sandbox.warehouse_server.faults.script("GET", "/api/v1/orders", Fault::Status(503));
    let report = run_order_sync(&silta, true).await;
    assert_eq!((report["state"].as_str(), differences(&report)), (Some("done"), vec![]));

    silta.shop.place_order(OrderSpec::of("A", 1));
    let body = json!({ "connection": "shop", "what": "orders" });
    let created = silta.api.post("/admin/v1/syncs", body).await.text("/id").to_owned();
    // A process claims the sync, reads the warehouse and disappears.
    silta.sandbox.shop_server.faults.script("GET", "/api/v0/orders", Fault::Hang);
    let crashed = tokio::time::timeout(secs(1), silta.syncer.run_due()).await;
    assert!(crashed.is_err(), "it hangs in the shop's list");
    let reads_before = silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/orders");
    assert_eq!(silta.syncer.run_due().await.unwrap(), 0, "another process holds the lease");
    silta.clock.advance(secs(61));
    assert_eq!(silta.syncer.run_due().await.unwrap(), 1);
    let report = silta.api.get(&format!("/admin/v1/syncs/{created}")).await.body;
    assert_eq!(differences(&report), [("order:1002".to_owned(), "missing_at_warehouse".to_owned())]);
    assert_eq!(report["done"], 2);
    let new_reads = silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/orders") - reads_before;
    assert_eq!(new_reads, 1, "only the difference is read again; the list is stored");
    silta.run_until_idle().await;
}

#[tokio::test]
async fn order_sync_runs_on_schedule_and_one_at_a_time() {
    let silta = start_after_first_sync().await;
    assert_eq!(silta.count("sync where actor = 'schedule'").await, 3, "products, stock and orders");
    assert_eq!(silta.syncer.run_due().await.unwrap(), 0);
    silta.clock.advance(secs(24 * 3600));
    let missing = silta.shop.place_order(OrderSpec::of("A", 1));
    assert_eq!(silta.syncer.run_due().await.unwrap(), 3);
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(missing), 1, "found without any event");

    let body = || json!({ "connection": "shop", "what": "orders" });
    let first = silta.api.post("/admin/v1/syncs", body()).await;
    let second = silta.api.post("/admin/v1/syncs", body()).await;
    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(first.text("/id"), second.text("/id"));
    assert_eq!(
        silta.api.post("/admin/v1/syncs", json!({ "connection": "nobody", "what": "orders" })).await.status,
        404
    );
    assert_eq!(
        silta.api.post("/admin/v1/syncs", json!({ "connection": "shop", "what": "dust" })).await.status,
        400
    );
    silta.syncer.run_due().await.unwrap();
    assert_eq!(silta.api.get("/admin/v1/syncs?connection=shop&what=orders").await.items().len(), 3);
}

#[tokio::test]
async fn earlier_start_date_transfers_missing_orders() {
    let silta = TestSilta::start_with_settings(&[("orders.not_before", "2026-09-01")]).await;
    let a_week_ago = (silta.now() - chrono::Duration::days(7)).to_rfc3339();
    let order = silta.shop.place_order(OrderSpec::of("A", 1).with_json(json!({ "created_at": a_week_ago })));
    assert_eq!(silta.syncer.run_due().await.unwrap(), 3);
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(order), 1);
}

#[tokio::test]
async fn order_sync_names_unlistable_stretch_and_fails_with_reason() {
    let silta = start_after_first_sync().await;
    for _ in 0..5 {
        silta.clock.advance(secs(600));
        silta.place_order(OrderSpec::of("A", 1)).await;
    }
    silta.shop.fail_lists_with(Some(1003));
    let report = run_order_sync(&silta, false).await;
    assert_eq!(report["state"], "done");
    let found = differences(&report);
    assert!(!found.is_empty() && found.iter().all(|(_, word)| word == "not_listed"), "{found:?}");
    silta.shop.fail_lists_with(None);

    silta.sandbox.shop_server.faults.script("GET", "/api/v0/orders", Fault::Status(401));
    let report = run_order_sync(&silta, false).await;
    assert_eq!(
        (report["state"].as_str(), report["error"].as_str()),
        (Some("failed"), Some("credentials_refused"))
    );
}
