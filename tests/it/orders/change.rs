//! Edits, cancellations and replays of an order after its transfer.

use serde_json::json;
use silta::dev::sandbox::{Fault, OrderSpec};

use crate::{
    harness::{TestSilta, answer, secs},
    orders::placed::{REFERENCE, poll_and_run, start_with_order},
};

#[tokio::test]
async fn edit_is_forwarded_while_the_order_is_new() {
    let (silta, order) = start_with_order(&[("orders.edit", "true")]).await;
    silta.warehouse.allow_edits();
    silta.shop.change_quantity(order, 4);
    silta.send_order_update(order).await;
    let there = silta.warehouse.find(REFERENCE).unwrap();
    assert_eq!(there.lines, [("A".to_owned(), 4), ("B".to_owned(), 2)]);
    assert_eq!((silta.order_task_state(order).await.as_str(), silta.warehouse_count(order)), ("done", 1));
    // A second webhook sends nothing again.
    let attempts = silta.count("attempt where action = 'update'").await;
    silta.send_order_update(order).await;
    assert_eq!((attempts, silta.count("attempt where action = 'update'").await), (1, 1));
}

#[tokio::test]
async fn blocked_edit_is_shown_with_its_difference_redacted() {
    let moved = json!({ "customer_information": { "street_address": "Salainen katu 7" } });
    // Three cases: forbidden by configuration; allowed but refused by the warehouse; too late.
    for (settings, collects) in
        [(vec![], false), (vec![("orders.edit", "true")], false), (vec![("orders.edit", "true")], true)]
    {
        let (silta, order) = start_with_order(&settings).await;
        if collects {
            silta.warehouse.collect_order(REFERENCE);
        }
        silta.shop.edit_order(order, &moved);
        silta.shop.change_quantity(order, 3);
        silta.send_order_update(order).await;
        assert_eq!(silta.order_task_state(order).await, "dead old_version_at_warehouse");
        let shown = silta.show_order(order).await.to_string();
        assert!(shown.contains("lines.0.quantity: 1 → 3"), "{shown}");
        assert!(shown.contains("recipient.street: changed") && !shown.contains("Salainen"), "{shown}");
        // The order as sent ships all the same.
        silta.warehouse.set_status(REFERENCE, "New");
        silta.warehouse.ship_order(REFERENCE);
        poll_and_run(&silta).await;
        assert_eq!(
            silta.order_task_state(order).await,
            "dead partially_shipped",
            "one piece shipped, three were wanted"
        );
    }
}

#[tokio::test]
async fn shop_cancellation_cancels_at_the_warehouse_once() {
    for status in ["New", "Pending", "Reserved"] {
        let (silta, order) = start_with_order(&[]).await;
        silta.warehouse.set_status(REFERENCE, status);
        silta.shop.cancel_order(order);
        silta.send_order_update(order).await;
        assert_eq!(silta.warehouse.find(REFERENCE).unwrap().status, "Cancelled", "{status}");
        assert_eq!(silta.order_task_state(order).await, "skipped cancelled_at_warehouse");
        assert_eq!(silta.show_order(order).await["status"], "cancelled");
        silta.send_order_update(order).await;
        assert_eq!(silta.count("attempt where action = 'cancel'").await, 1);
    }
}

#[tokio::test]
async fn late_cancellation_is_reported() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.collect_order(REFERENCE);
    silta.shop.cancel_order(order);
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "dead too_late_to_cancel");
    silta.warehouse.ship_order(REFERENCE);
    poll_and_run(&silta).await;
    assert_eq!(silta.order_task_state(order).await, "dead shipped_though_cancelled");
    assert_eq!(silta.shop.order(order).unwrap().status, "CANCELLED", "never completed");
}

#[tokio::test]
async fn refused_cancellation_ends_dead() {
    let (silta, order) = start_with_order(&[]).await;
    silta.shop.cancel_order(order);
    silta.sandbox.warehouse_server.faults.script("PUT", "/orders/", Fault::Status(403));
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "dead cancelled_after_transfer");
    let held: Option<String> = silta.scalar("select circuit_reason from connection").await;
    assert_eq!(held, None, "a refused edit does not open the circuit");

    let (silta, order) = start_with_order(&[("orders.cancel", "false")]).await;
    silta.shop.cancel_order(order);
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "dead cancelled_after_transfer");
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().status, "New");
}

#[tokio::test]
async fn warehouse_cancellation_does_not_cancel_in_the_shop() {
    let (silta, order) = start_with_order(&[]).await;
    let writes = silta.shop.writes();
    silta.warehouse.cancel_order(REFERENCE);
    poll_and_run(&silta).await;
    assert_eq!(silta.order_task_state(order).await, "dead cancelled_at_warehouse", "it is paid");
    assert_eq!(
        (silta.shop.order(order).unwrap().status, silta.show_order(order).await["status"].as_str()),
        ("OPEN", Some("cancelled"))
    );
    let stock_writes = silta.count("attempt where action = 'set_stock'").await;
    assert_eq!(
        silta.shop.writes() - writes,
        usize::try_from(stock_writes).unwrap(),
        "only stock was written"
    );
}

#[tokio::test]
async fn operator_cancels_before_and_after_transfer() {
    let silta = TestSilta::start_with_settings(&[("orders.hold", "1h")]).await;
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.post_order_action(order, "cancel").await, 200);
    silta.advance(secs(7200)).await;
    assert_eq!(
        (silta.order_task_state(order).await.as_str(), silta.warehouse_count(order)),
        ("skipped cancelled_by_operator", 0)
    );

    let (silta, order) = start_with_order(&[]).await;
    assert_eq!(silta.post_order_action(order, "cancel").await, 201);
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().status, "Cancelled");
    assert_eq!(silta.shop.order(order).unwrap().status, "OPEN");
    assert_eq!(silta.post_order_action(order, "cancel").await, 409);
}

#[tokio::test]
async fn replay_dry_run_shows_the_request_and_changes_nothing() {
    let (silta, order) = start_with_order(&[("orders.edit", "true")]).await;
    silta.warehouse.allow_edits();
    silta.shop.change_quantity(order, 2);
    silta.send_order_update(order).await;
    silta.shop.change_quantity(order, 5);
    silta.shop.edit_order(order, &json!({ "customer_information": { "phone": "+35850000" } }));
    let id: uuid::Uuid =
        silta.scalar("select id from task where kind = 'order' order by number desc limit 1").await;
    let before = (silta.count("attempt").await, silta.count("event").await, silta.count("audit").await);
    let shown = silta.api.post(&format!("/admin/v1/tasks/{id}/replay"), json!({ "dry_run": true })).await;
    assert_eq!((shown.status, shown.text("/action"), shown.text("/outcome")), (200, "update", "acted"));
    assert_eq!(shown.body["request"]["orderLines"][0], json!({ "code": "A", "quantity": 5 }));
    assert_eq!(shown.body["differs"], json!(["customer.phone: changed", "orderLines.0.quantity: 2 → 5"]));
    assert!(!shown.body.to_string().contains("+35850000"));
    assert_eq!(
        before,
        (silta.count("attempt").await, silta.count("event").await, silta.count("audit").await)
    );
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().lines[0].1, 2);

    // Without `dry_run` it is a normal replay.
    let path = format!("/admin/v1/tasks/{id}/replay");
    let request = silta.api.request(reqwest::Method::POST, &path).bearer_auth(crate::harness::OPERATOR);
    assert_eq!(answer(request).await.status, 201);
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().lines[0].1, 5);
}

/// The shop is done with the order, a person is not: the warehouse has not begun, so it can be stopped.
#[tokio::test]
async fn cancelling_a_completed_order_stops_the_warehouse() {
    let (silta, order) = start_with_order(&[]).await;
    silta.shop.edit_order(order, &json!({ "status": "COMPLETED" }));
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "done");
    let status = silta.post_order_action(order, "cancel").await;
    assert!(status < 300, "{status}");
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().status, "Cancelled");
}
