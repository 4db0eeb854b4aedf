//! What the vendors send is read in every spelling; what cannot be read is named, and never taken for none, zero or new.

use serde_json::{Value, json};
use silta::dev::sandbox::OrderSpec;

use crate::harness::TestSilta;

/// An order of one piece, as the shop shows it with this patch; returns its number.
async fn place_patched(silta: &TestSilta, patch: &Value) -> u64 {
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.shop.edit_order(order, patch);
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    order
}

/// The detail of the last attempt at an order.
async fn detail_of(silta: &TestSilta, order: u64) -> String {
    let sql = "select coalesce(attempt.detail, '') from attempt join task on task.id = attempt.task_id
               where task.subject = $1 order by task.id desc, attempt.number desc limit 1";
    sqlx::query_scalar(sql).bind(format!("order:{order}")).fetch_one(&silta.pool).await.unwrap()
}

/// The connection begins on 2026-09-21 at 14:13:20 UTC, which is 17:13:20 in Helsinki.
#[tokio::test]
async fn creation_time_is_read_in_every_spelling() {
    let silta = TestSilta::start().await;
    for later in [
        "2026-09-21T17:20:00+0300",
        "2026-09-21 17:20:00+03",
        "2026-09-21T14:20:00Z",
        "2026-09-21T17:20 +03:00",
        "2026-09-21 17:20",
        "2026-09-22",
    ] {
        let order = place_patched(&silta, &json!({ "created_at": later })).await;
        assert_eq!(silta.warehouse_count(order), 1, "{later}: {}", silta.order_task_state(order).await);
    }
    for earlier in [
        "2026-09-21T17:00:00+0300",
        "2026-09-21 17:00:00+03",
        "2026-09-21T17:00+03:00",
        "2026-09-21 17:00:00",
        "2026-09-21T17:00",
        "2026-09-21",
    ] {
        let order = place_patched(&silta, &json!({ "created_at": earlier })).await;
        assert_eq!(silta.order_task_state(order).await, "skipped before_start", "{earlier}");
        assert_eq!(silta.warehouse_count(order), 0, "{earlier}");
    }
}

#[tokio::test]
async fn unreadable_creation_time_never_opens_the_history_guard() {
    let silta = TestSilta::start().await;
    for unreadable in
        [json!("last Tuesday"), json!(null), json!({"date": "2026-09-22"}), json!(1_790_000_500)]
    {
        let order = place_patched(&silta, &json!({ "created_at": unreadable })).await;
        assert_eq!(silta.order_task_state(order).await, "dead field_unreadable", "{unreadable}");
        assert!(detail_of(&silta, order).await.ends_with("created_at"), "the field is named");
        assert_eq!(silta.warehouse_count(order), 0);

        assert_eq!(silta.post_order_action(order, "transfer").await, 201);
        assert_eq!(silta.warehouse_count(order), 1, "an operator has looked at it");
    }
}

#[tokio::test]
async fn unreadable_field_of_an_order_is_named_and_nothing_sent() {
    let silta = TestSilta::start().await;
    let line = |field: &str, value: Value| {
        let mut line = json!({"product_code": "A", "quantity": 1, "download_id": null});
        line[field] = value;
        json!({ "products": [line] })
    };
    let table = [
        (line("quantity", json!("two")), "products[0].quantity"),
        (line("quantity", json!(null)), "products[0].quantity"),
        (line("download_id", json!({"id": 5})), "products[0].download_id"),
        (line("product_code", json!({"sku": "A"})), "products[0].product_code"),
        (json!({ "products": "one" }), "products"),
        (json!({ "products": ["A"] }), "products[0]"),
        (
            json!({ "shipments": [{"id": 1, "status": "OPEN", "external_pickup_point_id": {"id": 7}}] }),
            "shipments[0].external_pickup_point_id",
        ),
        (json!({ "payments": [{"id": 1, "is_paid": "perhaps"}] }), "payments[0].is_paid"),
        (json!({ "payments": [{"id": 1}] }), "payments[0].is_paid"),
        (json!({ "payments": 19.9 }), "payments"),
        (json!({ "different_shipping_address": "perhaps" }), "different_shipping_address"),
        (json!({ "different_shipping_address": true, "shipping_address": "Work 1" }), "shipping_address"),
        (json!({ "status": ["OPEN"] }), "status"),
    ];
    for (patch, name) in table {
        let order = place_patched(&silta, &patch).await;
        assert_eq!(silta.order_task_state(order).await, "dead field_unreadable", "{patch}");
        let detail = detail_of(&silta, order).await;
        assert!(detail.split([' ', ',']).any(|word| word == name), "{name} in {detail:?}");
        assert_eq!(silta.warehouse_count(order), 0, "{patch}");
    }
}

#[tokio::test]
async fn unusual_spelling_of_an_order_is_read() {
    let silta = TestSilta::start().await;
    let lines = json!({"3": {"product_code": "B", "quantity": "1.0"}, "1": {"product_code": 7, "quantity": "2", "download_id": false}});
    let patch = json!({
        "products": lines, "different_shipping_address": "0", "status": "open",
        "payments": [{"id": 1, "status": null, "is_paid": "1"}],
    });
    let order = place_patched(&silta, &patch).await;
    let sent = silta.warehouse.find(&format!("shop-{order}")).expect("it is placed").sent;
    assert_eq!(sent["orderLines"], json!([{"code": "7", "quantity": 2}, {"code": "B", "quantity": 1}]));
}

/// The parcel would go to the customer's home instead of where it was ordered to.
#[tokio::test]
async fn shipping_address_without_a_street_is_not_replaced() {
    let silta = TestSilta::start().await;
    let address = json!({"first_name": "A", "last_name": "B", "city": "Turku", "country": "FI"});
    let patch = json!({ "different_shipping_address": true, "shipping_address": address });
    let order = place_patched(&silta, &patch).await;
    assert_eq!(silta.order_task_state(order).await, "dead address_incomplete");
}

#[tokio::test]
async fn unreadable_shipment_is_not_completed() {
    let silta = TestSilta::start().await;
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    silta.shop.edit_order(order, &json!({ "shipments": [{"id": 1, "status": {"word": "OPEN"}}] }));
    let reference = format!("shop-{order}");
    silta.warehouse.receive_goods("A", 1);
    assert!(silta.warehouse.ship_order(&reference));
    silta.send_webhook(silta.warehouse.order_shipped(&reference)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.order_task_state(order).await, "dead field_unreadable");
    assert!(detail_of(&silta, order).await.contains("shipments[0].status"));
    assert!(!silta.shop.was_mailed(order));
}

/// `shop-1001` became `SHOP-1001` there.
#[tokio::test]
async fn reference_in_another_case_is_the_same_order() {
    let silta = TestSilta::start().await;
    silta.warehouse.write_references_in_upper_case();
    silta.warehouse.receive_goods("A", 9);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.order_task_state(order).await, "done");
    let reference = format!("SHOP-{order}");
    assert!(silta.warehouse.ship_order(&reference));
    silta.send_webhook(silta.warehouse.order_shipped(&reference)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.order_task_state(order).await, "done");
    assert!(silta.shop.was_mailed(order), "it is completed in the shop");
    assert_eq!(silta.warehouse.orders().len(), 1, "and was placed once");

    let synced = silta.api.post("/admin/v1/syncs", json!({ "connection": "shop", "what": "orders" })).await;
    assert!(synced.status < 300, "{}", synced.body);
    silta.syncer.run_due().await.unwrap();
    assert_eq!(silta.count("sync_difference").await, 0);
}
