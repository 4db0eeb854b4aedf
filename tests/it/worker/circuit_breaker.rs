//! The circuit breaker: what opens it, what it probes, what it must not stop.

use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{TestSilta, secs};

#[tokio::test]
async fn circuit_opens_probes_and_closes_without_counting_failures() {
    let silta = TestSilta::start().await;
    silta.sandbox.warehouse_server.set_online(false);
    for _ in 0..30 {
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
        silta.run_until_idle().await;
    }
    let leased = "select circuit_reason from connection";
    assert_eq!(silta.scalar::<Option<String>>(leased).await.as_deref(), Some("vendor_down"));
    assert_eq!(silta.api.get("/admin/v1/connections/shop").await.body["health"], "circuit_open");
    let failures = silta.scalar::<i64>("select sum(failures) from task").await;
    assert_eq!(failures, 5, "what opened the circuit, and nothing more");

    let call_count = || silta.sandbox.shop_server.calls.count("GET", "/api/v1/products");
    let calls_before = call_count();
    for _ in 0..60 {
        silta.clock.advance(secs(60));
        silta.run_until_idle().await;
    }
    let probes = call_count() - calls_before;
    assert!((55..=65).contains(&probes), "{probes} probes in an hour: one a minute");
    assert_eq!(silta.scalar::<i64>("select sum(failures) from task").await, failures, "none spent on it");

    silta.sandbox.warehouse_server.set_online(true);
    silta.advance(secs(120)).await;
    assert_eq!(silta.scalar::<Option<String>>(leased).await, None);
    assert_eq!((silta.warehouse.orders().len(), silta.lost_and_doubled()), (30, (0, 0)));
    assert_eq!(silta.scalar::<i32>("select faults from connection").await, 0);
}

#[tokio::test]
async fn order_answered_500_ends_dead_and_blocks_no_other() {
    let silta = TestSilta::start().await;
    let poison = silta.shop.place_order(OrderSpec::of("A", 1));
    for _ in 0..40 {
        let path = format!("/api/v0/orders/{poison}");
        silta.sandbox.shop_server.faults.script("GET", &path, Fault::Status(500));
    }
    silta.send_webhook(silta.shop.order_created(poison)).await;
    for _ in 0..40 {
        silta.advance(secs(60)).await;
    }
    assert_eq!(silta.order_task_state(poison).await, "dead vendor_failed");
    silta.place_order(OrderSpec::of("A", 1)).await;
    silta.advance(secs(60)).await;
    assert_eq!(silta.warehouse.orders().len(), 1, "the next order is sent");
    silta.sandbox.shop_server.faults.clear();
}

#[tokio::test]
async fn hanging_call_is_shared_and_opens_the_circuit() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 100);
    for _ in 0..6 {
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
    }
    let list = "/api/v1/shipping-methods";
    silta.sandbox.shop_server.faults.script("GET", list, Fault::Hang);
    silta.run_until_idle().await;
    assert_eq!(silta.sandbox.shop_server.calls.count("GET", list), 1, "one call for all six");
    assert_eq!(silta.count("attempt where reason = 'answer_lost'").await, 6);
    let leased: Option<String> = silta.scalar("select circuit_reason from connection").await;
    assert_eq!(leased.as_deref(), Some("vendor_down"));
    silta.advance(secs(600)).await;
    assert_eq!(silta.warehouse.orders().len(), 6);
    assert_eq!(silta.lost_and_doubled(), (0, 0));
}

#[tokio::test]
async fn refused_credentials_open_the_circuit() {
    let silta = TestSilta::start().await;
    for _ in 0..5 {
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
    }
    for _ in 0..5 {
        silta.sandbox.shop_server.faults.script("GET", "/shipping-methods", Fault::Status(401));
    }
    silta.run_until_idle().await;
    let leased: Option<String> = silta.scalar("select circuit_reason from connection").await;
    assert_eq!(leased.as_deref(), Some("credentials_refused"));
    assert_eq!(silta.count("task where failures > 1").await, 0, "what opened the circuit, and nothing more");
    for _ in 0..40 {
        silta.advance(secs(60)).await;
    }
    assert_eq!(silta.warehouse.orders().len(), 5);
    assert_eq!(silta.scalar::<i32>("select faults from connection").await, 0);
}
