//! A vendor under maintenance: nothing that it answers then is taken as an answer.

use silta::dev::sandbox::{Fault, OrderSpec, Server};

use crate::harness::{TestSilta, secs};

/// What a vendor may answer to everything in a maintenance window.
const WINDOWS: [Fault; 8] = [
    Fault::Status(404),
    Fault::Page(404),
    Fault::Page(200),
    Fault::Status(302),
    Fault::Page(503),
    Fault::RetryAfter(503, "120"),
    Fault::Status(425),
    Fault::Status(403),
];

#[tokio::test]
async fn maintenance_of_the_shop_closes_nothing_for_good() {
    for fault in WINDOWS {
        let silta = TestSilta::start().await;
        live_through(&silta, &silta.sandbox.shop_server, fault).await;
    }
}

#[tokio::test]
async fn maintenance_of_the_warehouse_closes_nothing_for_good() {
    for fault in WINDOWS {
        let silta = TestSilta::start().await;
        live_through(&silta, &silta.sandbox.warehouse_server, fault).await;
    }
}

/// Half an hour in which a vendor answers everything alike, while new, known and unknown subjects are due.
async fn live_through(silta: &TestSilta, server: &Server, fault: Fault) {
    silta.shop.add_product(7, "CUP", "Kuppi", 0);
    silta.send_webhook(silta.shop.product_updated(7)).await;
    let known = silta.place_order(OrderSpec::of("CUP", 1)).await;
    silta.warehouse.receive_goods("CUP", 10);
    silta.clock.advance(secs(61));

    server.faults.set_everywhere(Some(fault));
    let mut orders = vec![known];
    for _ in 0..6 {
        let order = silta.shop.place_order(OrderSpec::of("CUP", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
        orders.push(order);
    }
    silta.shop.cancel_order(known);
    silta.send_webhook(silta.shop.order_updated(known)).await;
    silta.send_webhook(silta.shop.product_updated(7)).await;
    silta.send_webhook(silta.warehouse.stock_changed("CUP")).await;
    let closed = "task where state in ('skipped', 'dead', 'cancelled')";
    let closed_before = silta.count(closed).await;
    silta.advance(secs(1800)).await;
    assert_eq!(silta.count(closed).await, closed_before, "{fault:?} closes nothing");

    server.faults.set_everywhere(None);
    silta.advance(secs(1800)).await;
    assert_eq!(silta.lost_and_doubled(), (0, 0), "{fault:?}");
    for order in &orders[1..] {
        assert_eq!(silta.warehouse_count(*order), 1, "{fault:?}");
        assert_eq!(silta.order_task_state(*order).await, "done", "{fault:?}");
    }
    assert_eq!(silta.order_task_state(known).await, "skipped cancelled_at_warehouse", "{fault:?}");
    assert_eq!(silta.task_state("product:7").await, "done", "{fault:?}");
    assert_eq!(silta.task_state("stock:CUP").await, "done", "{fault:?}");
}

#[tokio::test]
async fn missing_order_is_believed_while_the_list_is_found() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.sandbox.shop_server.faults.script("GET", "/orders/1001", Fault::Status(404));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.order_task_state(order).await, "skipped unknown_in_shop");
}

#[tokio::test]
async fn retry_after_of_one_vendor_does_not_silence_the_other() {
    let silta = TestSilta::start().await;
    silta.sandbox.warehouse_server.faults.set_everywhere(Some(Fault::RetryAfter(429, "100000")));
    silta.place_order(OrderSpec::of("A", 1)).await;
    let blocked: Vec<String> =
        sqlx::query_scalar("select vendor from rate_limit where blocked_until is not null")
            .fetch_all(&silta.pool)
            .await
            .unwrap();
    assert_eq!(blocked, ["ogoship"]);
    let calls = || silta.sandbox.shop_server.calls.count("GET", "/api/v0/orders");
    let before = calls();
    silta.poll().await;
    assert!(calls() > before, "the shop is polled");
    silta.sandbox.warehouse_server.faults.set_everywhere(None);
    silta.advance(secs(2 * 3600)).await;
    assert_eq!(silta.warehouse_count(1001), 1, "after an hour at most, whatever it asked for");
}

/// What was read before it was still answered.
#[tokio::test]
async fn maintenance_that_begins_before_a_write_closes_nothing() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 5);
    let (shop, warehouse) = (&silta.sandbox.shop_server.faults, &silta.sandbox.warehouse_server.faults);
    warehouse.script("POST", "/api/v1/orders", Fault::Status(404));
    warehouse.script("GET", "/api/v1/stock", Fault::Status(404));
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.order_task_state(order).await, "in_doubt vendor_failed");
    silta.advance(secs(60)).await;
    assert_eq!((silta.warehouse_count(order), silta.order_task_state(order).await.as_str()), (1, "done"));

    silta.warehouse.ship_order("shop-1001");
    shop.script("POST", "/quick-process", Fault::Status(404));
    shop.script("GET", "/api/v1/products", Fault::Status(404));
    silta.send_webhook(silta.warehouse.order_shipped("shop-1001")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.order_task_state(order).await, "in_doubt vendor_failed");
    silta.advance(secs(60)).await;
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].completions, 1);
}
