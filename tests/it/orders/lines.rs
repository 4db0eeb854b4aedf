//! Lines that nobody packs, that are collected from the shop, that are taken back, and that are packed as others.

use serde_json::{Value, json};
use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestOptions, TestSilta};

/// Gift cards and a kit.
const PRODUCTS: &str = r#"
[connections.products]
not_packed = ["LAHJAKORTTI*", "ASENNUS"]
[connections.products.kits]
"SETTI" = { "KUPPI" = 2, "LAUTANEN" = 1 }
"KANGAS" = { "KANGAS-10CM" = 10 }
"#;

/// Codes and pieces.
type Lines = &'static [(&'static str, i64)];

async fn start() -> TestSilta {
    let mut silta = TestSilta::start_with(TestOptions { connection: PRODUCTS, service: "" }).await;
    silta.leave_unfinished();
    for code in ["A", "KUPPI", "LAUTANEN", "KANGAS-10CM"] {
        silta.warehouse.receive_goods(code, 100);
    }
    silta
}

fn order_of(lines: &[(&str, i64)]) -> OrderSpec {
    let line = |(code, pieces): &(&str, i64)| json!({ "product_code": code, "quantity": pieces, "download_id": null });
    OrderSpec::of("A", 1).with_json(json!({ "products": lines.iter().map(line).collect::<Vec<_>>() }))
}

impl TestSilta {
    /// What the warehouse has of an order: codes and pieces.
    fn packed(&self, order: u64) -> Vec<(String, i64)> {
        self.warehouse.find(&format!("shop-{order}")).map(|order| order.lines).unwrap_or_default()
    }

    async fn ship_and_sync(&self, order: u64) {
        let reference = format!("shop-{order}");
        assert!(self.warehouse.ship_order(&reference));
        self.send_webhook(self.warehouse.order_shipped(&reference)).await;
        self.run_until_idle().await;
    }
}

#[tokio::test]
async fn lines_become_what_is_packed() {
    let cases: [(&str, Lines, &str, Lines); 7] = [
        ("a gift card beside goods", &[("A", 1), ("Lahjakortti-50", 1)], "done", &[("A", 1)]),
        ("nothing but services", &[("LAHJAKORTTI-50", 1), ("ASENNUS", 2)], "skipped no_warehouse_lines", &[]),
        ("a piece taken back", &[("A", 3), ("A", -1)], "done", &[("A", 2)]),
        ("everything taken back", &[("A", 1), ("A", -1)], "skipped no_warehouse_lines", &[]),
        ("more taken back than ordered", &[("A", 1), ("A", -2)], "dead negative_quantity", &[]),
        ("another code taken back", &[("A", 1), ("B", -1)], "dead negative_quantity", &[]),
        ("a kit, and a part of it", &[("SETTI", 2), ("KUPPI", 1)], "done", &[("KUPPI", 5), ("LAUTANEN", 2)]),
    ];
    for (name, lines, state, packed) in cases {
        let silta = start().await;
        let order = silta.place_order(order_of(lines)).await;
        assert_eq!(silta.order_task_state(order).await, state, "{name}");
        let expected: Vec<_> = packed.iter().map(|(code, pieces)| ((*code).to_owned(), *pieces)).collect();
        assert_eq!(silta.packed(order), expected, "{name}");
    }
}

#[tokio::test]
async fn fraction_goes_in_whole_pieces_or_to_a_person() {
    let cases: [(Value, &str, Lines); 6] = [
        (json!([{ "product_code": "KANGAS", "quantity": "2,5" }]), "done", &[("KANGAS-10CM", 25)]),
        (json!([{ "product_code": "KANGAS", "quantity": 1.25 }]), "dead fractional_quantity", &[]),
        (json!([{ "product_code": "A", "quantity": "2.50" }]), "dead fractional_quantity", &[]),
        (json!([{ "product_code": "A", "quantity": "2.00" }]), "done", &[("A", 2)]),
        (
            json!([{ "product_code": "A", "quantity": 0.5 }, { "product_code": "A", "quantity": -0.5 }]),
            "skipped no_warehouse_lines",
            &[],
        ),
        (json!([{ "product_code": "A", "quantity": "two and a half" }]), "dead field_unreadable", &[]),
    ];
    for (lines, state, packed) in cases {
        let silta = start().await;
        let order = silta.place_order(OrderSpec::of("A", 1).with_json(json!({ "products": lines }))).await;
        assert_eq!(silta.order_task_state(order).await, state, "{lines}");
        let expected: Vec<_> = packed.iter().map(|(code, pieces)| ((*code).to_owned(), *pieces)).collect();
        assert_eq!(silta.packed(order), expected, "{lines}");
    }
}

#[tokio::test]
async fn what_nobody_packs_holds_no_completion_up() {
    for lines in [&[("A", 1), ("LAHJAKORTTI-50", 1)][..], &[("SETTI", 1)], &[("A", 3), ("A", -1)]] {
        let silta = start().await;
        let order = silta.place_order(order_of(lines)).await;
        silta.ship_and_sync(order).await;
        assert_eq!(silta.shop.order(order).unwrap().status, "COMPLETED", "{lines:?}");
    }
}

/// What was taken back whole needs no shipment of its own.
#[tokio::test]
async fn other_goods_taken_back_hold_no_completion_up() {
    let mut silta = TestSilta::start_with_settings(&[("products.exclude_codes", "OMA")]).await;
    silta.leave_unfinished();
    silta.warehouse.receive_goods("A", 100);
    let order = silta.place_order(order_of(&[("A", 1), ("OMA", 1), ("OMA", -1)])).await;
    silta.ship_and_sync(order).await;
    assert_eq!(silta.shop.order(order).unwrap().status, "COMPLETED");
}

#[tokio::test]
async fn piece_taken_back_after_the_transfer_is_an_edit() {
    let silta = start().await;
    let order = silta.place_order(order_of(&[("A", 3)])).await;
    silta.clock.advance(crate::harness::secs(61));
    let lines = json!([{ "product_code": "A", "quantity": 3 }, { "product_code": "A", "quantity": -1 }]);
    silta.shop.edit_order(order, &json!({ "products": lines }));
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "dead old_version_at_warehouse");
}

#[tokio::test]
async fn order_that_is_collected_from_the_shop_is_never_sent_and_no_fault() {
    let silta = TestSilta::start_with_settings(&[("shipping.NOUTO", "leave")]).await;
    let method = json!({ "id": 19, "name": "Nouto myymälästä", "product_code": "NOUTO" });
    silta.shop.add_method("shipping-methods", method);
    for spec in [OrderSpec::of("A", 1), OrderSpec::of("A", 1).unpaid()] {
        let order = silta.place_order(spec.with_shipping_method(19, Some("own-1"))).await;
        assert_eq!(silta.order_task_state(order).await, "skipped left_to_shop");
        let shown: Value = silta.show_order(order).await;
        assert_eq!((silta.warehouse_count(order), shown["status"].as_str()), (0, Some("not_transferred")));
    }
    let attention = silta.api.get("/admin/v1/attention").await;
    assert_eq!(attention.items().len(), 0);
}

/// A kit's own code is neither uploaded nor given a stock figure: the warehouse knows its components only.
#[tokio::test]
async fn kit_and_services_are_no_products_of_the_warehouse() {
    let silta = start().await;
    for (id, code) in [(1, "SETTI"), (2, "LAHJAKORTTI-50"), (3, "KUPPI")] {
        silta.shop.add_product(id, code, code, 10);
        silta.send_webhook(silta.shop.product_updated(id)).await;
    }
    silta.run_until_idle().await;
    let created = silta.sandbox.warehouse_server.calls.count("POST", "/api/v1/products");
    assert_eq!(created, 1, "the cup");
}
