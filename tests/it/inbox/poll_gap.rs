//! Polls of a list that fails in part, and what a poll shows of its last run.

use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{CONNECTION, TestSilta, secs};

#[tokio::test]
async fn unlistable_stretch_becomes_a_gap_and_is_retried() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    let mut bad = 0;
    for at in 0..30 {
        silta.clock.advance(secs(240));
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        if at == 15 {
            bad = order;
        }
    }
    silta.shop.fail_lists_with(Some(bad));
    silta.poll().await;
    silta.run_until_idle().await;
    let count = silta.warehouse.orders().len();
    assert_eq!((count, silta.warehouse_count(bad)), (29, 0), "everything except the unlistable order");
    let gaps = silta.count("poll_gap where what = 'orders'").await;
    assert!((1..=2).contains(&gaps), "{gaps}");
    let shown = silta.api.get(&format!("/admin/v1/connections/{CONNECTION}")).await;
    let polls = shown.body["polls"].as_array().unwrap();
    assert!(polls.iter().any(|it| it["what"] == "orders" && it["gaps"] == gaps), "{polls:?}");

    // Once the shop can list again, the next poll reads the gap although its cursor has moved on.
    silta.shop.fail_lists_with(None);
    silta.clock.advance(secs(7200));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(bad), 1);
    assert_eq!(silta.count("poll_gap").await, 0);
}

#[tokio::test]
async fn poll_shows_its_last_run_and_failure_delays_no_webhook() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    silta.clock.advance(secs(60));
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 5);
    silta.clock.advance(secs(900));
    silta.poll().await;
    let poll = async |what: &str| {
        let connection = silta.connection().await;
        connection["polls"].as_array().unwrap().iter().find(|it| it["what"] == what).unwrap().clone()
    };
    let stock = poll("stock").await;
    assert_eq!((stock["last_found"].as_i64(), stock["found"].as_i64()), (Some(1), Some(1)));
    assert_eq!(stock["last_finished_at"].as_str(), Some(stock["last_started_at"].as_str().unwrap()));
    assert!(stock["last_millis"].is_i64() && stock["due_at"].is_string());

    silta.sandbox.warehouse_server.faults.script("GET", "/api/v1/stock", Fault::Status(500));
    silta.clock.advance(secs(900));
    silta.poll().await;
    let failed = poll("stock").await;
    assert_eq!(failed["last_error"], "vendor_failed");
    assert_eq!(failed["last_found"], stock["last_found"], "the last successful run is still shown");
    silta.send_stock_update("A").await;
    assert_eq!(silta.shop.quantity("A"), Some(5));
}

/// However often it failed, and whatever clock has put it off.
#[tokio::test]
async fn gap_is_read_again_within_six_hours() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    silta.clock.advance(secs(400));
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.shop.fail_lists_with(Some(order));
    silta.poll().await;
    let put_off = async |sql: &'static str| {
        let done = sqlx::query(sql).bind(silta.now()).execute(&silta.pool).await.unwrap();
        assert!(done.rows_affected() > 0, "there is a gap");
    };
    put_off("update poll_gap set attempts = 12, due_at = $1").await;
    silta.clock.advance(secs(900));
    silta.poll().await;
    let due_at: silta::domain::Timestamp = silta.scalar("select max(due_at) from poll_gap").await;
    assert!(due_at <= silta.now() + secs(6 * 3600), "{due_at}");

    put_off("update poll_gap set due_at = $1 + interval '1 year'").await;
    silta.shop.fail_lists_with(None);
    silta.clock.advance(secs(900));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse_count(order), silta.count("poll_gap").await), (1, 0));
}
