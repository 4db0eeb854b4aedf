//! An order's life after it was sent: followed, fixed, called off, shipped, told.

use serde_json::json;
use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{TestSilta, answer, secs};

const REFERENCE: &str = "shop-1001";

/// One order of two codes at the warehouse, with stock for it.
async fn start_with_order(settings: &[(&str, &str)]) -> (TestSilta, u64) {
    let silta = TestSilta::start_with_settings(settings).await;
    for code in ["A", "B"] {
        silta.warehouse.receive_goods(code, 50);
    }
    let order = silta.place_order(OrderSpec::of("A", 1).with_line("B", 2)).await;
    assert_eq!(silta.warehouse_count(order), 1);
    (silta, order)
}

/// The warehouse moved the order and no callback told: the poll finds it.
async fn finds(silta: &TestSilta) {
    silta.clock.advance(secs(3600));
    silta.poll().await;
    silta.run_until_idle().await;
}

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
    for (theirs, ours) in table {
        let (silta, order) = start_with_order(&[]).await;
        silta.warehouse.set_status(REFERENCE, theirs);
        finds(&silta).await;
        let shown = silta.show_order(order).await;
        assert_eq!(
            (shown["status"].as_str(), shown["connection"].as_str()),
            (Some(ours), Some("shop")),
            "{theirs}"
        );
        assert_eq!(shown["warehouse_status"], theirs);
        let listed = silta.api.get(&format!("/admin/v1/orders?connection=shop&status={ours}&q=1001")).await;
        assert_eq!(listed.items().len(), 1, "{theirs}");
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
    // Fixed at the warehouse, its words are gone.
    silta.warehouse.fix_order(REFERENCE);
    finds(&silta).await;
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
    finds(&silta).await;
    assert_eq!(silta.show_order(order).await["status"], "delivered");
}

#[tokio::test]
async fn refresh_writes_the_tracking_code_to_the_shop() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    assert_eq!(silta.post_order_action(order, "refresh").await, 201);
    let tracking = silta.warehouse.find(REFERENCE).unwrap().tracking;
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].tracking_code, tracking);
    let shown = silta.show_order(order).await;
    assert_eq!(shown["tracking_code"].as_str(), tracking.as_deref());
    assert!(shown["tracking_url"].as_str().unwrap().starts_with("https://track.example/"));
    assert_eq!(silta.post_order_action(order, "cancel").await, 409, "it has left");
}

#[tokio::test]
async fn shopper_is_mailed_by_setting() {
    for (settings, mailed) in [(vec![], true), (vec![("orders.send_emails", "false")], false)] {
        let (silta, order) = start_with_order(&settings).await;
        silta.warehouse.ship_order(REFERENCE);
        finds(&silta).await;
        assert_eq!(
            (silta.shop.order(order).unwrap().status, silta.shop.was_mailed(order)),
            ("COMPLETED", mailed)
        );
    }
}

#[tokio::test]
async fn completion_with_a_lost_answer_is_not_repeated() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    // The answer to our completion is lost, and the next look finds it done.
    silta.sandbox.shop_server.faults.script("POST", "quick-process", Fault::StatusAfter(504));
    silta.send_webhook(silta.warehouse.order_shipped(REFERENCE)).await;
    silta.run_until_idle().await;
    silta.advance(secs(120)).await;
    assert_eq!(silta.order_task_state(order).await, "done");
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].completions, 1);
}

#[tokio::test]
async fn completion_by_somebody_else_is_success() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    // Somebody completes it in the shop between our reading and our call, which is answered 409.
    silta.sandbox.shop_server.faults.script("POST", "quick-process", Fault::StatusAfter(409));
    finds(&silta).await;
    silta.advance(secs(120)).await;
    assert_eq!(silta.order_task_state(order).await, "done");
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].completions, 1);
}

#[tokio::test]
async fn shipments_get_tracking_codes_where_the_shop_takes_them() {
    for takes_it in [false, true] {
        let silta = TestSilta::start_with_settings(&[("orders.shipment_tracking", "true")]).await;
        silta.warehouse.receive_goods("A", 9);
        if takes_it {
            silta.shop.accept_tracking();
        }
        let order = silta.place_order(OrderSpec::of("A", 2).with_shipments(2)).await;
        silta.warehouse.ship_order(REFERENCE);
        silta.send_webhook(silta.warehouse.order_shipped(REFERENCE)).await;
        silta.run_until_idle().await;
        let order = silta.shop.order(order).unwrap();
        assert_eq!(order.status, "COMPLETED");
        let tracking = silta.warehouse.find(REFERENCE).unwrap().tracking.filter(|_| takes_it);
        assert!(order.shipments.iter().all(|it| it.completions == 1 && it.tracking_code == tracking));
    }
}

#[tokio::test]
async fn partly_shipped_order_completes_with_its_last_parcel() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.split_order(REFERENCE, "B");
    silta.warehouse.ship_order(REFERENCE);
    finds(&silta).await;
    assert_eq!(silta.order_task_state(order).await, "skipped partially_shipped");
    assert_eq!(silta.shop.order(order).unwrap().status, "OPEN");
    assert_eq!(silta.show_order(order).await["related"][0]["reference"], "shop-1001-2");

    silta.warehouse.set_status("shop-1001-2", "New");
    silta.warehouse.ship_order("shop-1001-2");
    finds(&silta).await;
    let done = silta.shop.order(order).unwrap();
    assert_eq!((done.status, done.shipments[0].completions), ("COMPLETED", 1));
    let code = done.shipments[0].tracking_code.clone().unwrap();
    assert_eq!(code.split(", ").count(), 2, "{code}");
}

#[tokio::test]
async fn edit_is_forwarded_while_the_order_is_new() {
    let (silta, order) = start_with_order(&[("orders.edit", "true")]).await;
    silta.warehouse.allow_edits();
    silta.shop.change_quantity(order, 4);
    silta.send_order_update(order).await;
    let there = silta.warehouse.find(REFERENCE).unwrap();
    assert_eq!(there.lines, [("A".to_owned(), 4), ("B".to_owned(), 2)]);
    assert_eq!((silta.order_task_state(order).await.as_str(), silta.warehouse_count(order)), ("done", 1));
    // Told again, and nothing is sent again.
    let attempts = silta.count("attempt where action = 'update'").await;
    silta.send_order_update(order).await;
    assert_eq!((attempts, silta.count("attempt where action = 'update'").await), (1, 1));
}

#[tokio::test]
async fn blocked_edit_is_shown_with_its_difference_redacted() {
    let moved = json!({ "customer_information": { "street_address": "Salainen katu 7" } });
    // Not allowed by configuration; allowed there and refused by the warehouse; too late.
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
        // What was sent ships all the same, and the shop is told.
        silta.warehouse.set_status(REFERENCE, "New");
        silta.warehouse.ship_order(REFERENCE);
        finds(&silta).await;
        assert_eq!(
            silta.order_task_state(order).await,
            "dead partially_shipped",
            "one piece left, three were wanted"
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
    finds(&silta).await;
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
    assert_eq!(held, None, "a refused edit is no fault of the credentials");

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
    finds(&silta).await;
    assert_eq!(silta.order_task_state(order).await, "skipped cancelled_at_warehouse");
    assert_eq!(
        (silta.shop.order(order).unwrap().status, silta.show_order(order).await["status"].as_str()),
        ("OPEN", Some("cancelled"))
    );
    let stock_writes = silta.count("attempt where action = 'set_stock'").await;
    assert_eq!(
        silta.shop.writes() - writes,
        usize::try_from(stock_writes).unwrap(),
        "stock alone was written"
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
async fn returned_order_is_shown_and_stays_complete() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    finds(&silta).await;
    silta.warehouse.set_status(REFERENCE, "Returned");
    finds(&silta).await;
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
    finds(&silta).await;
    assert_eq!(silta.count("task where kind = 'order'").await, 0);
    assert_eq!(silta.api.get("/admin/v1/orders").await.items().len(), 0);
}

#[tokio::test]
async fn order_story_is_complete_and_redacted() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    silta.send_webhook(silta.warehouse.order_shipped(REFERENCE)).await;
    silta.run_until_idle().await;
    let life = silta.show_order(order).await;
    let words: Vec<_> =
        life["timeline"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect();
    for part in [
        "The shop told of it",
        "placed the order",
        "in sync",
        "The warehouse told of it",
        "completed the order",
    ] {
        assert!(words.iter().any(|words| words.contains(part)), "{part} in {words:?}");
    }
    assert!(life["summary"].as_str().unwrap().starts_with("Order 1001 is delivered."), "{life}");
    let calls: Vec<_> = life["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["calls"].as_array())
        .flatten()
        .collect();
    assert!(calls.iter().all(|call| call["request_id"].is_string() && call["at"].is_string()));

    for vendor in ["ogoship", "mycashflow"] {
        let path = format!("/admin/v1/orders/shop/{order}/call-log/{vendor}");
        let text = silta.api.get(&path).await.body.as_str().unwrap().to_owned();
        let other = if vendor == "ogoship" { "/api/v0/" } else { "/api/v1/orders" };
        assert!(text.contains("request ") && !text.contains(other), "{text}");
        for secret in ["Testi", "Asiakas", "Testikatu", "+358", "asiakas@"] {
            assert!(!text.contains(secret) && !life.to_string().contains(secret), "{secret}");
        }
    }
    let sent = silta.api.get(&format!("/admin/v1/orders/shop/{order}/call-log/ogoship")).await.body;
    assert!(sent.as_str().unwrap().contains("\"orderLines\":[{\"code\":\"A\""), "{sent}");
    assert_eq!(silta.api.get("/admin/v1/orders/shop/9999").await.status, 404);
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
        silta.scalar("select id from task where kind = 'order' order by id desc limit 1").await;
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

    // Without the word it is a replay as ever.
    let path = format!("/admin/v1/tasks/{id}/replay");
    let request = silta.api.request(reqwest::Method::POST, &path).bearer_auth(crate::harness::OPERATOR);
    assert_eq!(answer(request).await.status, 201);
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().lines[0].1, 5);
}
