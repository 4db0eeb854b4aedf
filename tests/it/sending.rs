//! When an order goes and what goes: one row per rule, each from the shop's webhook to the warehouse's record.

use serde_json::json;
use silta::dev::sandbox::OrderSpec;

use crate::harness::{CONNECTION, TestSilta, secs};

/// A rule: with these settings, this order ends so, and stands so often at the warehouse.
struct Rule {
    settings: &'static [(&'static str, &'static str)],
    order: OrderSpec,
    stands: &'static str,
    there: usize,
}

async fn check(rule: Rule) {
    let mut silta = TestSilta::start_set(rule.settings).await;
    silta.warehouse.receives_goods("A", 100);
    silta.shop.lists_product(1, "A", "Coffee", 10);
    silta.shop.lists_product(2, "B", "Tea", 10);
    silta.shop.is_supplied_by(1, 71);
    silta.shop.is_supplied_by(2, 72);
    let order = silta.orders(rule.order).await;
    assert_eq!((silta.stands(order).await.as_str(), silta.there(order)), (rule.stands, rule.there));
    // Whatever the rule, a second telling changes nothing.
    silta.clock.advance(secs(120));
    silta.hears_of(order).await;
    assert_eq!(silta.there(order), rule.there);
    silta.leave_unfinished();
}

macro_rules! rules {
    ($($name:ident: $settings:expr, $order:expr => $stands:literal, $there:literal;)+) => {$(
        #[tokio::test]
        async fn $name() {
            check(Rule { settings: &$settings, order: $order, stands: $stands, there: $there }).await;
        }
    )+};
}

fn a() -> OrderSpec {
    OrderSpec::of("A", 1)
}

fn paying(status: &str) -> OrderSpec {
    a().saying(json!({ "payments": [{ "status": status, "is_paid": true }] }))
}

rules! {
    // 1. When.
    paid_goes: [], a() => "delivered", 1;
    unpaid_stays: [], a().unpaid() => "skipped not_paid", 0;
    unpaid_goes_when_created_is_enough: [("orders.when", "created")], a().unpaid() => "delivered", 1;
    cash_on_delivery_is_as_good_as_paid: [], a().cash_on_delivery() => "delivered", 1;
    klarnas_pending_activation_is_not_yet_paid:
        [], paying("PENDING_ACTIVATION") => "skipped payment_not_activated", 0;
    a_refunded_payment_is_no_payment:
        [], paying("REFUNDED") => "skipped not_paid", 0;
    an_order_without_a_payment_is_not_paid: [], a().saying(json!({ "payments": [] })) => "skipped not_paid", 0;
    a_hold_period_keeps_it: [("orders.hold", "1h")], a() => "pending hold_period", 0;
    manual_transfer_keeps_it: [("orders.transfer", "manual")], a() => "skipped manual_transfer", 0;
    before_the_first_day_it_stays: [("orders.not_before", "2031-01-01")], a() => "skipped before_start", 0;
    after_the_first_day_it_goes: [("orders.not_before", "2026-01-01")], a() => "delivered", 1;
    what_is_older_than_the_connection_is_history:
        [], a().saying(json!({ "created_at": "2020-01-01T00:00:00+02:00" })) => "skipped before_start", 0;
    cancelled_in_the_shop_it_stays: [], a().saying(json!({ "status": "CANCELLED" })) => "skipped cancelled_in_shop", 0;
    completed_in_the_shop_it_stays: [], a().saying(json!({ "status": "Completed" })) => "skipped completed_in_shop", 0;
    a_status_nobody_knows_goes_to_a_person: [], a().saying(json!({ "status": "ODD" })) => "dead cannot_complete", 0;
    // 2. What.
    no_line_of_the_warehouse_is_no_order_for_it:
        [("products.exclude_codes", "A")], a() => "skipped no_warehouse_lines", 0;
    another_suppliers_goods_are_no_order_for_it:
        [("products.suppliers", "Teetalo Oy")], a() => "skipped no_warehouse_lines", 0;
    the_suppliers_own_goods_are: [("products.suppliers", "kahvila oy")], a() => "delivered", 1;
    a_supplier_is_named_by_its_id_too: [("products.suppliers", r#"["71"]"#)], a() => "delivered", 1;
    goods_nobody_knows_any_more_go_to_a_person:
        [("products.suppliers", "Kahvila Oy")], OrderSpec::of("GONE", 1) => "dead supplier_unknown", 0;
    only_downloads_are_no_order_for_it:
        [], a().saying(json!({ "products": [{ "product_code": "PDF", "quantity": 1, "download_id": 7 }] }))
        => "skipped no_warehouse_lines", 0;
    an_unmatched_shipping_method_goes_to_a_person: [], a().by(3, None) => "dead shipping_unmapped", 0;
    an_unlisted_shipping_method_goes_to_a_person: [], a().by(99, None) => "dead shipping_unmapped", 0;
    no_shipping_method_goes_to_a_person:
        [], a().saying(json!({ "shipping_method_id": null })).in_shipments(0) => "dead shipping_unmapped", 0;
    a_country_in_full_goes_to_a_person: [], a().to_country("Suomi") => "dead address_incomplete", 0;
    an_address_over_the_limit_goes_to_a_person:
        [("orders.longest_field", "20")],
        a().saying(json!({ "customer_information": { "company": "A company of a very long name" } }))
        => "dead address_incomplete", 0;
    no_limit_is_no_fault:
        [("orders.longest_field", "0")],
        a().saying(json!({ "customer_information": { "company": "A company of a very long name".repeat(9) } }))
        => "delivered", 1;
    a_code_over_the_limit_goes_to_a_person: [], OrderSpec::of(&"x".repeat(51), 1) => "dead code_unusable", 0;
    a_line_without_a_code_goes_to_a_person:
        [], a().saying(json!({ "products": [{ "product_code": null, "quantity": 1 }] })) => "dead code_unusable", 0;
}

#[tokio::test]
async fn an_unmatched_method_is_named_to_the_person_and_a_faulty_field_with_its_remedy() {
    let silta = TestSilta::start().await;
    silta.orders(a().by(3, None)).await;
    silta.orders(a().saying(json!({ "customer_information": { "city": "", "country": "Finland" } }))).await;
    let detail = "select detail from attempt join delivery on delivery.id = delivery_id where subject = ";
    let named: String = silta.scalar_of(&format!("{detail} 'order:1001'")).await;
    assert!(named.contains("Lentokone"), "{named}");
    let faulty: String = silta.scalar_of(&format!("{detail} 'order:1002'")).await;
    assert_eq!(faulty, "mend in the shop, then replay: city is missing, country must be two letters");
}

#[tokio::test]
async fn an_order_waits_out_its_hold_and_goes_as_it_was_last_edited() {
    let silta = TestSilta::start_set(&[("orders.hold", "30m")]).await;
    let order = silta.orders(a()).await;
    silta.clock.advance(secs(20 * 60));
    silta.shop.changes_pieces(order, 3);
    silta.hears_of(order).await;
    assert_eq!((silta.stands(order).await.as_str(), silta.there(order)), ("pending hold_period", 0));
    // The hold runs from when it was first ready, not from its last edit.
    silta.clock.advance(secs(10 * 60));
    silta.run_until_idle().await;
    assert_eq!(silta.there(order), 1);
    assert_eq!(silta.warehouse.find("shop-1001").unwrap().lines, [("A".to_owned(), 3)]);
}

#[tokio::test]
async fn a_hold_is_ended_by_hand_and_a_hold_by_hand_keeps_an_order() {
    let silta = TestSilta::start_set(&[("orders.hold", "30m")]).await;
    let order = silta.orders(a()).await;
    assert_eq!(silta.asks(order, "release").await, 200, "the open delivery took the news");
    assert_eq!(silta.there(order), 1);

    let kept = silta.orders(a()).await;
    assert_eq!(silta.asks(kept, "hold").await, 200);
    silta.passes(secs(7200)).await;
    assert_eq!((silta.stands(kept).await.as_str(), silta.there(kept)), ("skipped held_by_person", 0));
    assert_eq!(silta.asks(kept, "release").await, 201);
    assert_eq!(silta.there(kept), 1);
}

#[tokio::test]
async fn with_manual_transfer_nothing_goes_until_a_person_asks_and_then_it_goes_once() {
    let silta = TestSilta::start_set(&[("orders.transfer", "manual")]).await;
    let (order, unpaid) = (silta.orders(a()).await, silta.orders(a().unpaid()).await);
    silta.passes(secs(7200)).await;
    silta.sweep().await;
    silta.run_until_idle().await;
    assert_eq!((silta.there(order), silta.there(unpaid)), (0, 0));

    assert_eq!(silta.asks(order, "transfer").await, 201);
    assert_eq!(silta.there(order), 1);
    assert_eq!(silta.asks(order, "transfer").await, 409, "it stands there already");
    // Who asks by hand has looked: an order paid by invoice goes too.
    assert_eq!(silta.asks(unpaid, "transfer").await, 201);
    assert_eq!((silta.there(order), silta.there(unpaid)), (1, 1));
    assert_eq!(silta.count("audit where action = 'order.transfer' and actor = 'ops'").await, 2);
}

#[tokio::test]
async fn asking_for_what_is_no_order_changes_nothing() {
    let silta = TestSilta::start().await;
    for path in ["nobody/1001/transfer", "shop/abc/transfer", "shop/1001/dance"] {
        let answer = silta.api.post(&format!("/admin/v1/orders/{path}"), json!({})).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(silta.count("intent").await, 0);
    // An order that the shop does not have is asked about, and told to be none.
    assert_eq!(silta.asks(4711, "transfer").await, 201);
    assert_eq!(silta.stands(4711).await, "skipped unknown_in_shop");
}

#[tokio::test]
async fn a_list_that_the_shop_cannot_give_is_narrowed_around_its_bad_spot() {
    let silta = TestSilta::start().await;
    silta.sweep().await;
    let mut bad = 0;
    for at in 0..30 {
        silta.clock.advance(secs(240));
        let order = silta.shop.takes_order(a());
        if at == 15 {
            bad = order;
        }
    }
    silta.shop.cannot_list(Some(bad));
    silta.sweep().await;
    silta.run_until_idle().await;
    let there = silta.warehouse.orders().len();
    assert_eq!((there, silta.there(bad)), (29, 0), "everything but the bad spot");
    let gaps = silta.count("sweep_gap where what = 'orders'").await;
    assert!((1..=2).contains(&gaps), "{gaps}");
    let shown = silta.api.get(&format!("/admin/v1/connections/{CONNECTION}")).await;
    let sweeps = shown.body["sweeps"].as_array().unwrap();
    assert!(sweeps.iter().any(|it| it["what"] == "orders" && it["gaps"] == gaps), "{sweeps:?}");

    // The shop is mended: the next sweep finds what lay in the gap, though its cursor has long moved on.
    silta.shop.cannot_list(None);
    silta.clock.advance(secs(7200));
    silta.sweep().await;
    silta.run_until_idle().await;
    assert_eq!(silta.there(bad), 1);
    assert_eq!(silta.count("sweep_gap").await, 0);
}

#[tokio::test]
async fn mixed_orders_send_only_the_warehouses_lines() {
    let silta = TestSilta::start_set(&[("products.suppliers", "Kahvila Oy")]).await;
    silta.shop.lists_product(1, "A", "Coffee", 10);
    silta.shop.lists_product(2, "B", "Tea", 10);
    silta.shop.is_supplied_by(1, 71);
    silta.shop.is_supplied_by(2, 72);
    let order = silta.orders(a().and("B", 2)).await;
    assert_eq!(silta.warehouse.find("shop-1001").unwrap().lines, [("A".to_owned(), 1)]);

    // The warehouse ships its part; the rest is the shop's, and so is the order's end.
    silta.warehouse.receives_goods("A", 5);
    silta.warehouse.ships("shop-1001");
    silta.hears(silta.warehouse.order_shipped("shop-1001")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.stands(order).await, "skipped part_shipped");
    assert_eq!(silta.shop.order(order).unwrap().status, "OPEN");
    assert_eq!(silta.order(order).await["status"], "delivered");
    // The same rule decides for the stock figure of another supplier's goods.
    silta.hears(silta.warehouse.stock_changed("B")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.delivery("stock:B").await, ("skipped".into(), Some("excluded".into())));
}
