//! A vendor's refusal is kept and shown in the vendor's own words, without anything personal.

use serde_json::{Value, json};
use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{TestSilta, secs};

/// What the warehouse says, with the customer's name, address, phone and e-mail in it.
const REFUSAL: &str = r#"{
    "message": "The request is invalid.",
    "modelState": { "customer.zip": ["Zip of Testi Asiakas, Testikatu 1, must be 5 digits (asiakas@example.com, +358401234567)"] }
}"#;

/// What is kept of it.
const KEPT: &str = "The request is invalid.; Zip of …, …, must be 5 digits (…, …)";

async fn start_with_refused_order() -> (TestSilta, u64) {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::Refuse(422, REFUSAL));
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.order_task_state(order).await, "dead refused");
    (silta, order)
}

#[tokio::test]
async fn refusal_is_shown_in_the_vendors_own_words() {
    let (silta, order) = start_with_refused_order().await;
    let detail: String = silta.scalar("select detail from attempt").await;
    assert_eq!(detail, format!("ogoship place_order: answered 422: {KEPT}"));
    let calls: Value = silta.scalar("select calls from attempt").await;
    let refused = calls.as_array().unwrap().iter().find(|call| call["status"] == 422).unwrap();
    assert_eq!(refused["message"], KEPT);
    let attention = silta.api.get("/admin/v1/attention").await.body.to_string();
    assert!(attention.contains("must be 5 digits"), "{attention}");
    let explained = silta.api.get(&format!("/admin/v1/orders/shop/{order}")).await.body.to_string();
    assert!(explained.contains("must be 5 digits"), "{explained}");
    for personal in ["Testi", "asiakas@", "40123"] {
        assert!(!attention.contains(personal) && !explained.contains(personal), "{personal}");
    }
}

#[tokio::test]
async fn alert_says_what_the_vendor_said_last() {
    let (silta, _) = start_with_refused_order().await;
    silta.alerts.check_and_notify().await.unwrap();
    let detail: String = silta.scalar("select detail from alert where kind = 'dead'").await;
    assert_eq!(detail, format!("1 × refused; ogoship place_order: answered 422: {KEPT}"));
}

#[tokio::test]
async fn refused_edit_keeps_the_vendors_words() {
    let mut silta = TestSilta::start_with_settings(&[("orders.edit", "true")]).await;
    silta.leave_unfinished();
    silta.warehouse.allow_edits();
    silta.warehouse.receive_goods("A", 10);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    silta.clock.advance(secs(61));
    silta.shop.change_quantity(order, 3);
    silta.sandbox.warehouse_server.faults.script(
        "PUT",
        "/api/v1/orders",
        Fault::Refuse(409, "Order is locked"),
    );
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "dead old_version_at_warehouse");
    let detail: String = silta.scalar("select detail from attempt order by ended_at desc limit 1").await;
    assert!(detail.ends_with(": Order is locked"), "{detail:?}");
}

#[tokio::test]
async fn marked_body_and_nul_in_a_text_are_read() {
    let silta = TestSilta::start().await;
    let spec = OrderSpec::of("A", 1)
        .with_json(json!({ "details": "no\u{0} ring", "customer_information": { "city": "Hel\u{0}sinki" } }));
    let order = silta.place_order(spec).await;
    assert_eq!(silta.order_task_state(order).await, "done");
    let sent = silta.warehouse.find(&format!("shop-{order}")).unwrap().sent;
    assert_eq!(sent["customer"]["city"], "Helsinki");
}
