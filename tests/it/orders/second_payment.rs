//! Orders that were paid with the second try: what an earlier payment has come to blocks neither transfer nor completion.

use serde_json::{Value, json};
use silta::dev::sandbox::OrderSpec;

use super::placed::{REFERENCE, poll_and_run};
use crate::harness::{TestSilta, secs};

fn payment(status: &str, is_paid: bool) -> Value {
    json!({ "payment_method_id": 8, "amount": "19.90", "currency": "EUR", "is_paid": is_paid, "status": status })
}

/// Has an order with these payments sent, shipped and, as the shop must show once, completed.
async fn check_completed_once(payments: &[Value]) {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 5);
    let order = silta.place_order(OrderSpec::of("A", 1).with_json(json!({ "payments": payments }))).await;
    assert_eq!(silta.warehouse_count(order), 1, "{payments:?}: {}", silta.order_task_state(order).await);
    silta.warehouse.ship_order(REFERENCE);
    poll_and_run(&silta).await;
    silta.advance(secs(600)).await;
    let shown = silta.shop.order(order).unwrap();
    assert_eq!(
        (shown.status, shown.shipments[0].completions),
        ("COMPLETED", 1),
        "{payments:?}: {}",
        silta.order_task_state(order).await
    );
    poll_and_run(&silta).await;
    assert_eq!(silta.order_task_state(order).await, "done", "{payments:?}");
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].completions, 1, "{payments:?}");
}

#[tokio::test]
async fn payment_cancelled_before_another_was_made_does_not_block_completion() {
    check_completed_once(&[payment("CANCELLED", false), payment("PAID", true)]).await;
    // The order of the list is the shop's.
    check_completed_once(&[payment("PAID", true), payment("CANCELLED", false)]).await;
}

#[tokio::test]
async fn payment_that_failed_before_another_was_made_does_not_block_completion() {
    check_completed_once(&[payment("FAILED", false), payment("PAID", true)]).await;
    check_completed_once(&[payment("EXPIRED", false), payment("REJECTED", false), payment("PAID", true)])
        .await;
}

#[tokio::test]
async fn payment_that_was_refunded_before_another_was_made_does_not_block_completion() {
    check_completed_once(&[payment("REFUNDED", true), payment("PAID", true)]).await;
}

#[tokio::test]
async fn order_with_two_good_payments_is_completed_by_its_shipment() {
    check_completed_once(&[payment("PAID", true), payment("PAID", true)]).await;
}

#[tokio::test]
async fn payment_cancelled_after_the_transfer_for_another_one_changes_nothing() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 5);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    silta.shop.edit_order(order, &json!({ "payments": [payment("REFUNDED", true), payment("PAID", true)] }));
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "done");
    silta.warehouse.ship_order(REFERENCE);
    poll_and_run(&silta).await;
    silta.advance(secs(600)).await;
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].completions, 1);
}
