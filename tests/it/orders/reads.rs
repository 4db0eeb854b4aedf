//! Both sides of an order are read at the same time, and neither where the shop's call has no turn.

use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{TestSilta, secs, wait_until};

const SHOP_ORDER: &str = "/api/v0/orders/";
const WAREHOUSE_SEARCH: &str = "/api/v1/orders";

#[tokio::test]
async fn both_sides_are_read_at_the_same_time() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.sandbox.shop_server.faults.script("GET", SHOP_ORDER, Fault::Hang);
    let calls = &silta.sandbox.warehouse_server.calls;
    let asked = wait_until("the warehouse to be asked", async || calls.count("GET", WAREHOUSE_SEARCH) == 1);
    tokio::join!(silta.run_until_idle(), asked);
    // In the order in which they ended: the shop's call hung for as long as it may.
    let calls: String = silta
        .scalar(
            "select string_agg(call ->> 'call', ' ' order by position) from attempt
             cross join jsonb_array_elements(calls) with ordinality as calls (call, position)",
        )
        .await;
    let at = |call: &str| calls.find(call).unwrap_or_else(|| panic!("{call} is not in the log: {calls}"));
    assert!(at("search_order") < at("read_order"), "{calls}");
    assert_eq!(silta.order_task_state(order).await, "pending answer_lost");
    silta.advance(secs(600)).await;
    assert_eq!((silta.warehouse_count(order), silta.lost_and_doubled()), (1, (0, 0)));
}

#[tokio::test]
async fn no_side_is_read_while_the_shop_asks_for_silence() {
    let silta = TestSilta::start().await;
    silta.sandbox.shop_server.faults.script("GET", SHOP_ORDER, Fault::TooMany(60));
    let mut orders = Vec::new();
    for searches in [1, 1] {
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
        silta.run_until_idle().await;
        assert_eq!(silta.order_task_state(order).await, "pending rate_limited");
        assert_eq!(silta.sandbox.warehouse_server.calls.count("GET", WAREHOUSE_SEARCH), searches);
        orders.push(order);
    }
    assert_eq!(silta.count("attempt").await, 1, "the second order was put off without an attempt");
    silta.advance(secs(600)).await;
    for order in orders {
        assert_eq!(silta.warehouse_count(order), 1);
    }
}
