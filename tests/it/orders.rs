//! An order's life after it was sent: followed, mended, called off, shipped, told.

use serde_json::json;
use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{TestSilta, answer, secs};

const REFERENCE: &str = "shop-1001";

/// One order of two codes at the warehouse, with stock for it.
async fn with_an_order(settings: &[(&str, &str)]) -> (TestSilta, u64) {
    let silta = TestSilta::start_set(settings).await;
    for code in ["A", "B"] {
        silta.warehouse.receives_goods(code, 50);
    }
    let order = silta.orders(OrderSpec::of("A", 1).and("B", 2)).await;
    assert_eq!(silta.there(order), 1);
    (silta, order)
}

/// The warehouse moved the order and no callback told: the sweep finds it.
async fn finds(silta: &TestSilta) {
    silta.clock.advance(secs(3600));
    silta.sweep().await;
    silta.run_until_idle().await;
}

#[tokio::test]
async fn each_status_of_the_warehouse_is_shown_as_one_of_the_six_or_as_in_need_of_a_person() {
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
        let (silta, order) = with_an_order(&[]).await;
        silta.warehouse.moves(REFERENCE, theirs);
        finds(&silta).await;
        let shown = silta.order(order).await;
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
    let order = silta.orders(OrderSpec::of("A", 1).unpaid()).await;
    assert_eq!(silta.order(order).await["status"], "not_transferred");
    silta.shop.cancels(order);
    silta.hears_of(order).await;
    assert_eq!(silta.order(order).await["status"], "cancelled");
    assert_eq!(silta.api.get("/admin/v1/orders?status=flying").await.status, 400);
}

#[tokio::test]
async fn an_order_that_waits_for_its_first_look_is_listed_too() {
    let mut silta = TestSilta::start().await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.hears(silta.shop.order_created(order)).await;
    let listed = silta.api.get("/admin/v1/orders").await;
    let row = &listed.items()[0];
    assert_eq!((row["order_id"].as_str(), row["status"].as_str()), (Some("1001"), Some("not_transferred")));
    assert_eq!(row["delivery_state"], "pending");
    silta.leave_unfinished();
}

#[tokio::test]
async fn a_successful_post_does_not_mean_that_it_ships_and_the_warehouses_reason_is_shown() {
    let silta = TestSilta::start().await;
    silta.warehouse.wants_phones();
    let without_phone = json!({ "customer_information": { "phone": null } });
    let order = silta.orders(OrderSpec::of("A", 1).saying(without_phone)).await;
    let shown = silta.order(order).await;
    assert_eq!(
        (shown["status"].as_str(), shown["reason"].as_str()),
        (Some("needs_attention"), Some("held_at_warehouse"))
    );
    assert!(shown["summary"].as_str().unwrap().contains("phone number is missing"), "{shown}");
    assert_eq!(shown["warehouse_comments"], "phone number is missing");
    // Mended at the warehouse, its words are gone.
    silta.warehouse.is_mended(REFERENCE);
    finds(&silta).await;
    let shown = silta.order(order).await;
    assert_eq!(
        (shown["status"].as_str(), shown["warehouse_comments"].as_str()),
        (Some("waiting_for_collection"), None)
    );
}

#[tokio::test]
async fn a_parcel_that_has_left_is_not_called_back_by_a_reading_that_lags() {
    let (silta, order) = with_an_order(&[]).await;
    silta.warehouse.ships(REFERENCE);
    silta.hears(silta.warehouse.order_shipped(REFERENCE)).await;
    silta.run_until_idle().await;
    silta.warehouse.moves(REFERENCE, "Collecting");
    finds(&silta).await;
    assert_eq!(silta.order(order).await["status"], "delivered");
}

#[tokio::test]
async fn refresh_by_hand_brings_the_tracking_code_to_the_online_store() {
    let (silta, order) = with_an_order(&[]).await;
    silta.warehouse.ships(REFERENCE);
    assert_eq!(silta.asks(order, "refresh").await, 201);
    let tracking = silta.warehouse.find(REFERENCE).unwrap().tracking;
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].tracking_code, tracking);
    let shown = silta.order(order).await;
    assert_eq!(shown["tracking_code"].as_str(), tracking.as_deref());
    assert!(shown["tracking_url"].as_str().unwrap().starts_with("https://track.example/"));
    assert_eq!(silta.asks(order, "cancel").await, 409, "it has left");
}

#[tokio::test]
async fn the_shopper_is_mailed_by_setting() {
    for (settings, mailed) in [(vec![], true), (vec![("orders.send_emails", "false")], false)] {
        let (silta, order) = with_an_order(&settings).await;
        silta.warehouse.ships(REFERENCE);
        finds(&silta).await;
        assert_eq!(
            (silta.shop.order(order).unwrap().status, silta.shop.was_mailed(order)),
            ("COMPLETED", mailed)
        );
    }
}

#[tokio::test]
async fn a_completion_whose_answer_was_lost_is_found_done_and_not_repeated() {
    let (silta, order) = with_an_order(&[]).await;
    silta.warehouse.ships(REFERENCE);
    // The answer to our completion is lost, and the next look finds it done.
    silta.sandbox.shop_server.faults.script("POST", "quick-process", Fault::StatusAfter(504));
    silta.hears(silta.warehouse.order_shipped(REFERENCE)).await;
    silta.run_until_idle().await;
    silta.passes(secs(120)).await;
    assert_eq!(silta.stands(order).await, "delivered");
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].completions, 1);
}

#[tokio::test]
async fn a_completion_that_somebody_else_made_is_success() {
    let (silta, order) = with_an_order(&[]).await;
    silta.warehouse.ships(REFERENCE);
    // Somebody completes it in the shop between our reading and our call, which is answered 409.
    silta.sandbox.shop_server.faults.script("POST", "quick-process", Fault::StatusAfter(409));
    finds(&silta).await;
    silta.passes(secs(120)).await;
    assert_eq!(silta.stands(order).await, "delivered");
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].completions, 1);
}

#[tokio::test]
async fn several_shipments_get_their_tracking_code_where_the_shop_takes_one_and_are_completed_where_not() {
    for takes_it in [false, true] {
        let silta = TestSilta::start_set(&[("orders.shipment_tracking", "true")]).await;
        silta.warehouse.receives_goods("A", 9);
        if takes_it {
            silta.shop.takes_tracking();
        }
        let order = silta.orders(OrderSpec::of("A", 2).in_shipments(2)).await;
        silta.warehouse.ships(REFERENCE);
        silta.hears(silta.warehouse.order_shipped(REFERENCE)).await;
        silta.run_until_idle().await;
        let order = silta.shop.order(order).unwrap();
        assert_eq!(order.status, "COMPLETED");
        let tracking = silta.warehouse.find(REFERENCE).unwrap().tracking.filter(|_| takes_it);
        assert!(order.shipments.iter().all(|it| it.completions == 1 && it.tracking_code == tracking));
    }
}

#[tokio::test]
async fn a_part_shipped_is_not_the_whole_and_the_rest_brings_the_order_home() {
    let (silta, order) = with_an_order(&[]).await;
    silta.warehouse.splits(REFERENCE, "B");
    silta.warehouse.ships(REFERENCE);
    finds(&silta).await;
    assert_eq!(silta.stands(order).await, "skipped part_shipped");
    assert_eq!(silta.shop.order(order).unwrap().status, "OPEN");
    assert_eq!(silta.order(order).await["related"][0]["reference"], "shop-1001-2");

    silta.warehouse.moves("shop-1001-2", "New");
    silta.warehouse.ships("shop-1001-2");
    finds(&silta).await;
    let done = silta.shop.order(order).unwrap();
    assert_eq!((done.status, done.shipments[0].completions), ("COMPLETED", 1));
    let code = done.shipments[0].tracking_code.clone().unwrap();
    assert_eq!(code.split(", ").count(), 2, "{code}");
}

#[tokio::test]
async fn an_edit_is_sent_on_while_the_order_is_new_and_edits_are_allowed() {
    let (silta, order) = with_an_order(&[("orders.edit", "true")]).await;
    silta.warehouse.allows_edits();
    silta.shop.changes_pieces(order, 4);
    silta.hears_of(order).await;
    let there = silta.warehouse.find(REFERENCE).unwrap();
    assert_eq!(there.lines, [("A".to_owned(), 4), ("B".to_owned(), 2)]);
    assert_eq!((silta.stands(order).await.as_str(), silta.there(order)), ("delivered", 1));
    // Told again, and nothing is sent again.
    let attempts = silta.count("attempt where deed = 'update'").await;
    silta.hears_of(order).await;
    assert_eq!((attempts, silta.count("attempt where deed = 'update'").await), (1, 1));
}

#[tokio::test]
async fn an_edit_that_cannot_be_sent_on_is_shown_with_its_difference_and_without_its_words() {
    let moved = json!({ "customer_information": { "street_address": "Salainen katu 7" } });
    // Not allowed by configuration; allowed there and refused by the warehouse; too late.
    for (settings, collects) in
        [(vec![], false), (vec![("orders.edit", "true")], false), (vec![("orders.edit", "true")], true)]
    {
        let (silta, order) = with_an_order(&settings).await;
        if collects {
            silta.warehouse.collects(REFERENCE);
        }
        silta.shop.edits(order, &moved);
        silta.shop.changes_pieces(order, 3);
        silta.hears_of(order).await;
        assert_eq!(silta.stands(order).await, "dead old_version_at_warehouse");
        let shown = silta.order(order).await.to_string();
        assert!(shown.contains("lines.0.quantity: 1 → 3"), "{shown}");
        assert!(shown.contains("recipient.street: changed") && !shown.contains("Salainen"), "{shown}");
        // What was sent ships all the same, and the shop is told.
        silta.warehouse.moves(REFERENCE, "New");
        silta.warehouse.ships(REFERENCE);
        finds(&silta).await;
        assert_eq!(silta.stands(order).await, "dead part_shipped", "one piece left, three were wanted");
    }
}

#[tokio::test]
async fn cancelled_in_the_shop_before_collection_is_cancelled_at_the_warehouse_once() {
    for status in ["New", "Pending", "Reserved"] {
        let (silta, order) = with_an_order(&[]).await;
        silta.warehouse.moves(REFERENCE, status);
        silta.shop.cancels(order);
        silta.hears_of(order).await;
        assert_eq!(silta.warehouse.find(REFERENCE).unwrap().status, "Cancelled", "{status}");
        assert_eq!(silta.stands(order).await, "skipped cancelled_at_warehouse");
        assert_eq!(silta.order(order).await["status"], "cancelled");
        silta.hears_of(order).await;
        assert_eq!(silta.count("attempt where deed = 'cancel'").await, 1);
    }
}

#[tokio::test]
async fn cancelled_too_late_is_told_truthfully() {
    let (silta, order) = with_an_order(&[]).await;
    silta.warehouse.collects(REFERENCE);
    silta.shop.cancels(order);
    silta.hears_of(order).await;
    assert_eq!(silta.stands(order).await, "dead too_late_to_cancel");
    silta.warehouse.ships(REFERENCE);
    finds(&silta).await;
    assert_eq!(silta.stands(order).await, "dead shipped_though_cancelled");
    assert_eq!(silta.shop.order(order).unwrap().status, "CANCELLED", "never completed");
}

#[tokio::test]
async fn a_cancellation_that_the_warehouse_refuses_or_ignores_goes_to_a_person() {
    let (silta, order) = with_an_order(&[]).await;
    silta.shop.cancels(order);
    silta.sandbox.warehouse_server.faults.script("PUT", "/orders/", Fault::Status(403));
    silta.hears_of(order).await;
    assert_eq!(silta.stands(order).await, "dead cancelled_after_transfer");
    let held: Option<String> = silta.scalar("select held_reason from connection").await;
    assert_eq!(held, None, "a refused edit is no fault of the credentials");

    let (silta, order) = with_an_order(&[("orders.cancel", "false")]).await;
    silta.shop.cancels(order);
    silta.hears_of(order).await;
    assert_eq!(silta.stands(order).await, "dead cancelled_after_transfer");
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().status, "New");
}

#[tokio::test]
async fn cancelled_at_the_warehouse_is_shown_and_the_shops_order_is_never_cancelled_by_us() {
    let (silta, order) = with_an_order(&[]).await;
    let writes = silta.shop.writes();
    silta.warehouse.cancels(REFERENCE);
    finds(&silta).await;
    assert_eq!(silta.stands(order).await, "skipped cancelled_at_warehouse");
    assert_eq!(
        (silta.shop.order(order).unwrap().status, silta.order(order).await["status"].as_str()),
        ("OPEN", Some("cancelled"))
    );
    let stock_writes = silta.count("attempt where deed = 'set_stock'").await;
    assert_eq!(
        silta.shop.writes() - writes,
        usize::try_from(stock_writes).unwrap(),
        "stock alone was written"
    );
}

#[tokio::test]
async fn an_order_called_off_by_hand_does_not_go_or_is_cancelled_where_it_still_may() {
    let silta = TestSilta::start_set(&[("orders.hold", "1h")]).await;
    let order = silta.orders(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.asks(order, "cancel").await, 200);
    silta.passes(secs(7200)).await;
    assert_eq!((silta.stands(order).await.as_str(), silta.there(order)), ("skipped cancelled_by_person", 0));

    let (silta, order) = with_an_order(&[]).await;
    assert_eq!(silta.asks(order, "cancel").await, 201);
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().status, "Cancelled");
    assert_eq!(silta.shop.order(order).unwrap().status, "OPEN");
    assert_eq!(silta.asks(order, "cancel").await, 409);
}

#[tokio::test]
async fn returned_is_shown_and_told() {
    let (silta, order) = with_an_order(&[]).await;
    silta.warehouse.ships(REFERENCE);
    finds(&silta).await;
    silta.warehouse.moves(REFERENCE, "Returned");
    finds(&silta).await;
    assert_eq!(silta.stands(order).await, "skipped returned");
    assert_eq!(
        (silta.order(order).await["status"].as_str(), silta.shop.order(order).unwrap().status),
        (Some("returned"), "COMPLETED")
    );
}

#[tokio::test]
async fn orders_of_other_channels_are_left_alone() {
    let silta = TestSilta::start().await;
    silta.sweep().await;
    for reference in ["amazon-17", "1001", "shop-B17", "other-1001"] {
        silta.warehouse.is_given(reference, "A", 1);
    }
    finds(&silta).await;
    assert_eq!(silta.count("delivery where kind = 'order'").await, 0);
    assert_eq!(silta.api.get("/admin/v1/orders").await.items().len(), 0);
}

#[tokio::test]
async fn an_order_can_say_its_whole_life_in_plain_words_and_names_no_one() {
    let (silta, order) = with_an_order(&[]).await;
    silta.warehouse.ships(REFERENCE);
    silta.hears(silta.warehouse.order_shipped(REFERENCE)).await;
    silta.run_until_idle().await;
    let life = silta.order(order).await;
    let words: Vec<_> =
        life["story"].as_array().unwrap().iter().map(|it| it["words"].as_str().unwrap()).collect();
    for part in [
        "The shop told of it",
        "placed the order",
        "in step",
        "The warehouse told of it",
        "completed the order",
    ] {
        assert!(words.iter().any(|words| words.contains(part)), "{part} in {words:?}");
    }
    assert!(life["summary"].as_str().unwrap().starts_with("Order 1001 is delivered."), "{life}");
    let calls: Vec<_> =
        life["story"].as_array().unwrap().iter().filter_map(|it| it["calls"].as_array()).flatten().collect();
    assert!(calls.iter().all(|call| call["request_id"].is_string() && call["at"].is_string()));

    for system in ["ogoship", "mycashflow"] {
        let path = format!("/admin/v1/orders/shop/{order}/evidence/{system}");
        let text = silta.api.get(&path).await.body.as_str().unwrap().to_owned();
        let other = if system == "ogoship" { "/api/v0/" } else { "/api/v1/orders" };
        assert!(text.contains("request ") && !text.contains(other), "{text}");
        for secret in ["Testi", "Asiakas", "Testikatu", "+358", "asiakas@"] {
            assert!(!text.contains(secret) && !life.to_string().contains(secret), "{secret}");
        }
    }
    let sent = silta.api.get(&format!("/admin/v1/orders/shop/{order}/evidence/ogoship")).await.body;
    assert!(sent.as_str().unwrap().contains("\"orderLines\":[{\"code\":\"A\""), "{sent}");
    assert_eq!(silta.api.get("/admin/v1/orders/shop/9999").await.status, 404);
}

#[tokio::test]
async fn a_dry_run_of_a_replay_shows_the_request_and_what_differs_and_changes_nothing() {
    let (silta, order) = with_an_order(&[("orders.edit", "true")]).await;
    silta.warehouse.allows_edits();
    silta.shop.changes_pieces(order, 2);
    silta.hears_of(order).await;
    silta.shop.changes_pieces(order, 5);
    silta.shop.edits(order, &json!({ "customer_information": { "phone": "+35850000" } }));
    let id: uuid::Uuid =
        silta.scalar("select id from delivery where kind = 'order' order by id desc limit 1").await;
    let before = (silta.count("attempt").await, silta.count("event").await, silta.count("audit").await);
    let shown =
        silta.api.post(&format!("/admin/v1/deliveries/{id}/replay"), json!({ "dry_run": true })).await;
    assert_eq!((shown.status, shown.text("/deed"), shown.text("/outcome")), (200, "update", "done"));
    assert_eq!(shown.body["request"]["orderLines"][0], json!({ "code": "A", "quantity": 5 }));
    assert_eq!(shown.body["differs"], json!(["customer.phone: changed", "orderLines.0.quantity: 2 → 5"]));
    assert!(!shown.body.to_string().contains("+35850000"));
    assert_eq!(
        before,
        (silta.count("attempt").await, silta.count("event").await, silta.count("audit").await)
    );
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().lines[0].1, 2);

    // Without the word it is a replay as ever.
    let path = format!("/admin/v1/deliveries/{id}/replay");
    let request = silta.api.request(reqwest::Method::POST, &path).bearer_auth(crate::harness::OPERATOR);
    assert_eq!(answer(request).await.status, 201);
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().lines[0].1, 5);
}
