//! When an order is sent and what is sent: one row per rule, each from the shop's webhook to the warehouse's order.

use serde_json::json;
use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestSilta, secs};

/// One row: with these settings, this order gets this task state and this count at the warehouse.
struct Rule {
    settings: &'static [(&'static str, &'static str)],
    order: OrderSpec,
    state: &'static str,
    count: usize,
}

async fn check(rule: Rule) {
    let mut silta = TestSilta::start_with_settings(rule.settings).await;
    silta.warehouse.receive_goods("A", 100);
    silta.shop.add_product(1, "A", "Coffee", 10);
    silta.shop.add_product(2, "B", "Tea", 10);
    silta.shop.set_supplier(1, 71);
    silta.shop.set_supplier(2, 72);
    let order = silta.place_order(rule.order).await;
    assert_eq!(
        (silta.order_task_state(order).await.as_str(), silta.warehouse_count(order)),
        (rule.state, rule.count)
    );
    // A second webhook changes nothing, whatever the rule.
    silta.clock.advance(secs(120));
    silta.send_order_update(order).await;
    assert_eq!(silta.warehouse_count(order), rule.count);
    silta.leave_unfinished();
}

macro_rules! rules {
    ($($name:ident: $settings:expr, $order:expr => $state:literal, $count:literal;)+) => {$(
        #[tokio::test]
        async fn $name() {
            check(Rule { settings: &$settings, order: $order, state: $state, count: $count }).await;
        }
    )+};
}

fn paid_order() -> OrderSpec {
    OrderSpec::of("A", 1)
}

fn with_payment_status(status: &str) -> OrderSpec {
    paid_order().with_json(json!({ "payments": [{ "status": status, "is_paid": true }] }))
}

rules! {
    // 1. When an order is sent.
    paid_order_is_sent: [], paid_order() => "done", 1;
    unpaid_order_is_skipped: [], paid_order().unpaid() => "skipped not_paid", 0;
    unpaid_order_is_sent_when_created_is_enough: [("orders.when", "created")], paid_order().unpaid() => "done", 1;
    cod_order_is_sent: [], paid_order().cash_on_delivery() => "done", 1;
    klarna_order_is_sent: [], with_payment_status("PENDING_ACTIVATION") => "done", 1;
    klarna_order_waits_where_only_paid_counts:
        [("orders.when", "paid")], with_payment_status("PENDING_ACTIVATION") => "skipped payment_not_activated", 0;
    refunded_order_is_skipped:
        [], with_payment_status("REFUNDED") => "skipped not_paid", 0;
    order_without_a_payment_is_skipped: [], paid_order().with_json(json!({ "payments": [] })) => "skipped not_paid", 0;
    hold_period_delays_the_order: [("orders.hold", "1h")], paid_order() => "pending hold_period", 0;
    manual_transfer_skips_the_order: [("orders.transfer", "manual")], paid_order() => "skipped manual_transfer", 0;
    order_before_the_start_date_is_skipped: [("orders.not_before", "2031-01-01")], paid_order() => "skipped before_start", 0;
    order_after_the_start_date_is_sent: [("orders.not_before", "2026-01-01")], paid_order() => "done", 1;
    order_older_than_the_connection_is_skipped:
        [], paid_order().with_json(json!({ "created_at": "2020-01-01T00:00:00+02:00" })) => "skipped before_start", 0;
    order_cancelled_in_the_shop_is_skipped: [], paid_order().with_json(json!({ "status": "CANCELLED" })) => "skipped cancelled_in_shop", 0;
    order_completed_in_the_shop_is_skipped: [], paid_order().with_json(json!({ "status": "Completed" })) => "skipped completed_in_shop", 0;
    unknown_shop_status_ends_dead: [], paid_order().with_json(json!({ "status": "ODD" })) => "dead cannot_complete", 0;
    // 2. What is sent.
    order_of_excluded_codes_is_skipped:
        [("products.exclude_codes", "A")], paid_order() => "skipped no_warehouse_lines", 0;
    order_of_another_supplier_is_skipped:
        [("products.suppliers", "Teetalo Oy")], paid_order() => "skipped no_warehouse_lines", 0;
    order_of_the_supplier_is_sent: [("products.suppliers", "kahvila oy")], paid_order() => "done", 1;
    supplier_is_matched_by_id: [("products.suppliers", r#"["71"]"#)], paid_order() => "done", 1;
    unknown_supplier_ends_dead:
        [("products.suppliers", "Kahvila Oy")], OrderSpec::of("GONE", 1) => "dead supplier_unknown", 0;
    order_of_downloads_is_skipped:
        [], paid_order().with_json(json!({ "products": [{ "product_code": "PDF", "quantity": 1, "download_id": 7 }] }))
        => "skipped no_warehouse_lines", 0;
    unmapped_shipping_method_ends_dead: [], paid_order().with_shipping_method(3, None) => "dead shipping_unmapped", 0;
    unlisted_shipping_method_ends_dead: [], paid_order().with_shipping_method(99, None) => "dead shipping_unmapped", 0;
    missing_shipping_method_ends_dead:
        [], paid_order().with_json(json!({ "shipping_method_id": null })).with_shipments(0) => "dead shipping_unmapped", 0;
    country_name_instead_of_code_ends_dead: [], paid_order().to_country("Suomi") => "dead address_incomplete", 0;
    address_over_the_limit_ends_dead:
        [("orders.longest_field", "20")],
        paid_order().with_json(json!({ "customer_information": { "company": "A company of a very long name" } }))
        => "dead address_incomplete", 0;
    long_address_without_a_limit_is_sent:
        [("orders.longest_field", "0")],
        paid_order().with_json(json!({ "customer_information": { "company": "A company of a very long name".repeat(9) } }))
        => "done", 1;
    code_over_the_limit_ends_dead: [], OrderSpec::of(&"x".repeat(51), 1) => "dead code_unusable", 0;
    line_without_a_code_ends_dead:
        [], paid_order().with_json(json!({ "products": [{ "product_code": null, "quantity": 1 }] })) => "dead code_unusable", 0;
}

#[tokio::test]
async fn dead_order_names_the_method_or_field_and_remedy() {
    let silta = TestSilta::start().await;
    silta.place_order(paid_order().with_shipping_method(3, None)).await;
    silta
        .place_order(
            paid_order().with_json(json!({ "customer_information": { "city": "", "country": "Finland" } })),
        )
        .await;
    let detail = "select detail from attempt join task on task.id = task_id where subject = ";
    let named: String = silta.scalar_text(&format!("{detail} 'order:1001'")).await;
    assert!(named.contains("Lentokone"), "{named}");
    let faulty: String = silta.scalar_text(&format!("{detail} 'order:1002'")).await;
    assert_eq!(faulty, "fix in the shop, then replay: city is missing, country must be two letters");
}

#[tokio::test]
async fn held_order_is_sent_as_last_edited() {
    let silta = TestSilta::start_with_settings(&[("orders.hold", "30m")]).await;
    let order = silta.place_order(paid_order()).await;
    silta.clock.advance(secs(20 * 60));
    silta.shop.change_quantity(order, 3);
    silta.send_order_update(order).await;
    assert_eq!(
        (silta.order_task_state(order).await.as_str(), silta.warehouse_count(order)),
        ("pending hold_period", 0)
    );
    // The hold period starts when the order is first ready, not at its last edit.
    silta.clock.advance(secs(10 * 60));
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(order), 1);
    assert_eq!(silta.warehouse.find("shop-1001").unwrap().lines, [("A".to_owned(), 3)]);
}

#[tokio::test]
async fn operator_can_release_and_hold_an_order() {
    let silta = TestSilta::start_with_settings(&[("orders.hold", "30m")]).await;
    let order = silta.place_order(paid_order()).await;
    assert_eq!(silta.post_order_action(order, "release").await, 200, "the open task's revision was raised");
    assert_eq!(silta.warehouse_count(order), 1);

    let held = silta.place_order(paid_order()).await;
    assert_eq!(silta.post_order_action(held, "hold").await, 200);
    silta.advance(secs(7200)).await;
    assert_eq!(
        (silta.order_task_state(held).await.as_str(), silta.warehouse_count(held)),
        ("skipped held_by_operator", 0)
    );
    assert_eq!(silta.post_order_action(held, "release").await, 201);
    assert_eq!(silta.warehouse_count(held), 1);
}

#[tokio::test]
async fn manual_transfer_sends_once_when_requested() {
    let silta = TestSilta::start_with_settings(&[("orders.transfer", "manual")]).await;
    let (order, unpaid) =
        (silta.place_order(paid_order()).await, silta.place_order(paid_order().unpaid()).await);
    silta.advance(secs(7200)).await;
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse_count(order), silta.warehouse_count(unpaid)), (0, 0));

    assert_eq!(silta.post_order_action(order, "transfer").await, 201);
    assert_eq!(silta.warehouse_count(order), 1);
    assert_eq!(silta.post_order_action(order, "transfer").await, 409, "it is at the warehouse already");
    // An operator's transfer overrides the payment rule: an order paid by invoice is sent too.
    assert_eq!(silta.post_order_action(unpaid, "transfer").await, 201);
    assert_eq!((silta.warehouse_count(order), silta.warehouse_count(unpaid)), (1, 1));
    assert_eq!(silta.count("audit where action = 'order.transfer' and actor = 'ops'").await, 2);
}

#[tokio::test]
async fn unknown_order_action_changes_nothing() {
    let silta = TestSilta::start().await;
    for path in ["nobody/1001/transfer", "shop/abc/transfer", "shop/1001/dance"] {
        let answer = silta.api.post(&format!("/admin/v1/orders/{path}"), json!({})).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(silta.count("intent").await, 0);
}

#[tokio::test]
async fn mixed_order_sends_only_warehouse_lines() {
    let silta = TestSilta::start_with_settings(&[("products.suppliers", "Kahvila Oy")]).await;
    silta.shop.add_product(1, "A", "Coffee", 10);
    silta.shop.add_product(2, "B", "Tea", 10);
    silta.shop.set_supplier(1, 71);
    silta.shop.set_supplier(2, 72);
    let order = silta.place_order(paid_order().with_line("B", 2)).await;
    assert_eq!(silta.warehouse.find("shop-1001").unwrap().lines, [("A".to_owned(), 1)]);

    // The warehouse ships its lines; the shop handles the rest and completes the order.
    silta.warehouse.receive_goods("A", 5);
    silta.warehouse.ship_order("shop-1001");
    silta.send_webhook(silta.warehouse.order_shipped("shop-1001")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.order_task_state(order).await, "skipped partially_shipped");
    assert_eq!(silta.shop.order(order).unwrap().status, "OPEN");
    assert_eq!(silta.show_order(order).await["status"], "delivered");
    // The same rule decides whether the stock of another supplier's product is written.
    silta.send_webhook(silta.warehouse.stock_changed("B")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("stock:B").await, "skipped excluded");
}
