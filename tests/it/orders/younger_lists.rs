//! A method or supplier that is younger than the cached list: the list is read anew before anything is decided.

use serde_json::json;
use silta::dev::sandbox::OrderSpec;

use crate::harness::TestSilta;

#[tokio::test]
async fn shipping_method_younger_than_the_cached_list_is_found() {
    let silta = TestSilta::start().await;
    silta.place_order(OrderSpec::of("A", 1)).await;
    silta
        .shop
        .add_method("shipping-methods", json!({ "id": 4, "name": "Uusi", "product_code": "POSTI-NEW" }));
    let order = silta.place_order(OrderSpec::of("A", 1).with_shipping_method(4, None)).await;
    assert_eq!(silta.order_task_state(order).await, "done");
    assert_eq!(silta.warehouse_count(order), 1);
}

#[tokio::test]
async fn payment_method_younger_than_the_cached_list_is_found() {
    let silta = TestSilta::start().await;
    silta.place_order(OrderSpec::of("A", 1)).await;
    silta
        .shop
        .add_method("payment-methods", json!({ "id": 10, "name": "Postiennakko 2", "product_code": "COD" }));
    let payment =
        json!({ "id": 1, "payment_method_id": 10, "amount": "19.90", "status": "OPEN", "is_paid": false });
    let spec = OrderSpec::of("A", 1).unpaid().with_json(json!({ "payments": [payment] }));
    let order = silta.place_order(spec).await;
    assert_eq!(silta.warehouse_count(order), 1, "open cash on delivery goes out");
}

#[tokio::test]
async fn supplier_younger_than_the_cached_list_is_found() {
    let silta = TestSilta::start_with_settings(&[("products.suppliers", "Uusi Oy")]).await;
    silta.shop.add_product(1, "A", "Kahvi", 0);
    silta.shop.set_supplier(1, 71);
    let foreign = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.order_task_state(foreign).await, "skipped no_warehouse_lines");
    silta.shop.add_method("suppliers", json!({ "id": 73, "name": "Uusi Oy" }));
    silta.shop.add_product(2, "B", "Tee", 0);
    silta.shop.set_supplier(2, 73);
    let ours = silta.place_order(OrderSpec::of("B", 1)).await;
    assert_eq!(silta.warehouse_count(ours), 1);
}

#[tokio::test]
async fn method_that_the_shop_does_not_list_is_asked_for_once() {
    let silta = TestSilta::start().await;
    let lists = || silta.sandbox.shop_server.calls.count("GET", "/api/v1/shipping-methods");
    for _ in 0..20 {
        silta.place_order(OrderSpec::of("A", 1).with_shipping_method(99, None)).await;
    }
    assert_eq!(silta.count("task where reason = 'shipping_unmapped'").await, 20);
    assert_eq!(lists(), 2, "as it was cached, and once on the miss");
}
