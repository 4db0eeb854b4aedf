//! The status of an order after its transfer, and its history.

use serde_json::json;
use silta::dev::sandbox::OrderSpec;

use crate::{
    harness::TestSilta,
    orders::placed::{REFERENCE, poll_and_run, start_with_order},
};

#[tokio::test]
async fn each_warehouse_status_maps_to_an_order_status() {
    let table = [
        ("New", "waiting_for_collection"),
        ("Collecting", "waiting_for_collection"),
        ("Pending", "waiting_for_products"),
        ("Shipped", "delivered"),
        ("Cancelled", "cancelled"),
        ("Returned", "returned"),
        ("Reserved", "needs_attention"),
        ("Draft", "needs_attention"),
        ("Locked", "needs_attention"),
        ("Teleported", "needs_attention"),
    ];
    for (warehouse_status, expected) in table {
        let (silta, order) = start_with_order(&[]).await;
        silta.warehouse.set_status(REFERENCE, warehouse_status);
        poll_and_run(&silta).await;
        let shown = silta.show_order(order).await;
        assert_eq!(
            (shown["status"].as_str(), shown["connection"].as_str()),
            (Some(expected), Some("shop")),
            "{warehouse_status}"
        );
        assert_eq!(shown["warehouse_status"], warehouse_status);
        let listed =
            silta.api.get(&format!("/admin/v1/orders?connection=shop&status={expected}&q=1001")).await;
        assert_eq!(listed.items().len(), 1, "{warehouse_status}");
        assert_eq!(silta.lost_and_doubled().1, 0);
    }
    let silta = TestSilta::start().await;
    let order = silta.place_order(OrderSpec::of("A", 1).unpaid()).await;
    assert_eq!(silta.show_order(order).await["status"], "not_transferred");
    silta.shop.cancel_order(order);
    silta.send_order_update(order).await;
    assert_eq!(silta.show_order(order).await["status"], "cancelled");
    assert_eq!(silta.api.get("/admin/v1/orders?status=flying").await.status, 400);
}

#[tokio::test]
async fn order_before_its_first_attempt_is_listed() {
    let mut silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    let listed = silta.api.get("/admin/v1/orders").await;
    let row = &listed.items()[0];
    assert_eq!((row["order_id"].as_str(), row["status"].as_str()), (Some("1001"), Some("not_transferred")));
    assert_eq!(row["task_state"], "pending");
    silta.leave_unfinished();
}

#[tokio::test]
async fn order_held_at_the_warehouse_shows_its_comment() {
    let silta = TestSilta::start().await;
    silta.warehouse.require_phone();
    let without_phone = json!({ "customer_information": { "phone": null } });
    let order = silta.place_order(OrderSpec::of("A", 1).with_json(without_phone)).await;
    let shown = silta.show_order(order).await;
    assert_eq!(
        (shown["status"].as_str(), shown["reason"].as_str()),
        (Some("needs_attention"), Some("held_at_warehouse"))
    );
    assert!(shown["summary"].as_str().unwrap().contains("phone number is missing"), "{shown}");
    assert_eq!(shown["warehouse_comments"], "phone number is missing");
    // Once the order is fixed at the warehouse, its comment is gone.
    silta.warehouse.fix_order(REFERENCE);
    poll_and_run(&silta).await;
    let shown = silta.show_order(order).await;
    assert_eq!(
        (shown["status"].as_str(), shown["warehouse_comments"].as_str()),
        (Some("waiting_for_collection"), None)
    );
}

#[tokio::test]
async fn stale_status_does_not_undo_a_shipment() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    silta.send_webhook(silta.warehouse.order_shipped(REFERENCE)).await;
    silta.run_until_idle().await;
    silta.warehouse.set_status(REFERENCE, "Collecting");
    poll_and_run(&silta).await;
    assert_eq!(silta.show_order(order).await["status"], "delivered");
}

#[tokio::test]
async fn returned_order_is_shown_and_stays_complete() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    poll_and_run(&silta).await;
    silta.warehouse.set_status(REFERENCE, "Returned");
    poll_and_run(&silta).await;
    assert_eq!(silta.order_task_state(order).await, "skipped returned");
    assert_eq!(
        (silta.show_order(order).await["status"].as_str(), silta.shop.order(order).unwrap().status),
        (Some("returned"), "COMPLETED")
    );
}

#[tokio::test]
async fn orders_of_other_channels_are_ignored() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    for reference in ["amazon-17", "1001", "shop-B17", "other-1001"] {
        silta.warehouse.add_foreign_order(reference, "A", 1);
    }
    poll_and_run(&silta).await;
    assert_eq!(silta.count("task where kind = 'order'").await, 0);
    assert_eq!(silta.api.get("/admin/v1/orders").await.items().len(), 0);
}

#[tokio::test]
async fn order_story_is_complete_and_redacted() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    silta.send_webhook(silta.warehouse.order_shipped(REFERENCE)).await;
    silta.run_until_idle().await;
    let shown = silta.show_order(order).await;
    let words: Vec<_> =
        shown["timeline"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect();
    for part in
        ["The shop reported", "placed the order", "in sync", "The warehouse reported", "completed the order"]
    {
        assert!(words.iter().any(|words| words.contains(part)), "{part} in {words:?}");
    }
    assert!(shown["summary"].as_str().unwrap().starts_with("Order 1001 is delivered."), "{shown}");
    let calls: Vec<_> = shown["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["calls"].as_array())
        .flatten()
        .collect();
    assert!(!calls.is_empty(), "an order that was placed and completed has calls");
    assert!(calls.iter().all(|call| call["request_id"].is_string() && call["at"].is_string()));

    for vendor in ["ogoship", "mycashflow"] {
        let path = format!("/admin/v1/orders/shop/{order}/call-log/{vendor}");
        let text = silta.api.get(&path).await.body.as_str().unwrap().to_owned();
        let other = if vendor == "ogoship" { "/api/v0/" } else { "/api/v1/orders" };
        assert!(text.contains("request ") && !text.contains(other), "{text}");
        for secret in ["Testi", "Asiakas", "Testikatu", "+358", "asiakas@"] {
            assert!(!text.contains(secret) && !shown.to_string().contains(secret), "{secret}");
        }
    }
    let sent = silta.api.get(&format!("/admin/v1/orders/shop/{order}/call-log/ogoship")).await.body;
    assert!(sent.as_str().unwrap().contains("\"orderLines\":[{\"code\":\"A\""), "{sent}");
    assert_eq!(silta.api.get("/admin/v1/orders/shop/9999").await.status, 404);
}
