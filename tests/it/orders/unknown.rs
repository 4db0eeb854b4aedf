//! Asking for an order that neither vendor has makes nothing.

use serde_json::json;
use silta::dev::sandbox::{Fault, OrderSpec};

use crate::{
    harness::{OPERATOR, TestSilta},
    web::session::Session,
};

const ACTIONS: [&str; 6] = ["transfer", "adopt", "hold", "release", "cancel", "refresh"];

/// Everything that a request could leave.
async fn rows(silta: &TestSilta) -> i64 {
    silta
        .scalar(
            "select (select count(*) from task) + (select count(*) from event) + (select count(*) from intent)
             + (select count(*) from subject_state) + (select count(*) from audit)",
        )
        .await
}

#[tokio::test]
async fn order_that_nobody_knows_is_not_found_and_makes_nothing() {
    let silta = TestSilta::start().await;
    let session = Session::with(&silta, OPERATOR).await;
    let before = rows(&silta).await;
    for action in ACTIONS {
        let answer = silta.api.post(&format!("/admin/v1/orders/shop/4711/{action}"), json!({})).await;
        assert_eq!((answer.status, answer.text("/code")), (404, "not_found"), "{action}");
        let page = session.submit("/orders/shop/4711", &[("ask", action)]).await;
        assert_eq!(page.status().as_u16(), 404, "{action}");
    }
    for action in ["send-replacement", "erase"] {
        let answer = silta.api.post(&format!("/admin/v1/orders/shop/4711/{action}"), json!({})).await;
        assert_eq!(answer.status, 404, "{action}");
    }
    assert_eq!(rows(&silta).await, before);
    assert_eq!(silta.api.get("/admin/v1/orders/shop/4711").await.status, 404);
}

/// A vendor that cannot be asked says nothing: the order is not called unknown, and still makes nothing.
#[tokio::test]
async fn order_that_cannot_be_asked_for_is_a_conflict_and_makes_nothing() {
    let silta = TestSilta::start().await;
    let before = rows(&silta).await;
    let post = async || silta.api.post("/admin/v1/orders/shop/4711/transfer", json!({})).await;
    silta.sandbox.shop_server.faults.script("GET", "/orders/4711", Fault::Status(500));
    let answer = post().await;
    assert_eq!((answer.status, answer.text("/code")), (409, "conflict"));
    assert!(answer.text("/detail").contains("could not be asked"), "{answer:?}");
    silta.sandbox.warehouse_server.faults.script("GET", "/api/v1/orders", Fault::Status(500));
    assert_eq!(post().await.status, 409);
    // A maintenance window answers 404 for everything.
    silta.sandbox.shop_server.faults.set_everywhere(Some(Fault::Status(404)));
    assert_eq!(post().await.status, 409);
    silta.sandbox.shop_server.faults.set_everywhere(None);
    assert_eq!(post().await.status, 404);
    assert_eq!(rows(&silta).await, before);
}

#[tokio::test]
async fn order_that_one_vendor_has_is_acted_on() {
    let mut silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 5);
    // Its webhook was lost.
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    assert_eq!(silta.post_order_action(order, "transfer").await, 201);
    assert_eq!(silta.warehouse_count(order), 1);
    // Known to Silta: no vendor is asked.
    silta.leave_unfinished();
    silta.sandbox.shop_server.faults.set_everywhere(Some(Fault::Status(500)));
    let answer = silta.api.post(&format!("/admin/v1/orders/shop/{order}/refresh"), json!({})).await;
    assert_eq!(answer.status, 201);
    silta.sandbox.shop_server.faults.set_everywhere(None);
    // Only at the warehouse: the shop has removed it.
    silta.warehouse.add_foreign_order("shop-4711", "A", 1);
    let answer = silta.api.post("/admin/v1/orders/shop/4711/refresh", json!({})).await;
    assert_eq!(answer.status, 201);
}
