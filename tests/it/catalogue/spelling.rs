//! Product codes that differ only in case or spaces are the same, and each vendor is asked with its own spelling.

use serde_json::json;
use silta::dev::sandbox::OrderSpec;

use crate::{
    harness::{TestOptions, TestSilta, secs},
    sync::report::differences,
};

/// As the shop spells the cup's code, and as the warehouse does.
const IN_SHOP: &str = "kuppi-1 ";
const AT_WAREHOUSE: &str = "KUPPI-1";

/// A cup that the two sides spell differently, with ten pieces at the warehouse. Silta has read both catalogues.
async fn start_with_cup(connection: &'static str) -> TestSilta {
    let silta = TestSilta::start_with(TestOptions { connection, ..TestOptions::default() }).await;
    silta.shop.add_product(1, IN_SHOP, "Kuppi", 0);
    silta.warehouse.add_product(AT_WAREHOUSE, json!({ "code": AT_WAREHOUSE, "name": "Kuppi" }));
    silta.warehouse.receive_goods(AT_WAREHOUSE, 10);
    silta.run_sync("products", false).await;
    silta.run_until_idle().await;
    silta
}

#[tokio::test]
async fn each_vendor_is_asked_with_its_own_spelling() {
    let silta = start_with_cup("").await;
    silta.shop.rename_product(1, "Muki");
    silta.send_product_update(1).await;
    assert_eq!(silta.warehouse.codes(), [AT_WAREHOUSE], "neither a second product nor renamed");
    assert_eq!(silta.warehouse_name(AT_WAREHOUSE).as_deref(), Some("Muki"));
    let calls = silta.product_calls();
    silta.shop.rename_product(1, "Muki");
    silta.send_product_update(1).await;
    assert_eq!(silta.product_calls(), calls, "unchanged");

    silta.warehouse.count_stock(AT_WAREHOUSE, 7);
    silta.send_stock_update(AT_WAREHOUSE).await;
    assert_eq!(silta.shop.quantity(IN_SHOP), Some(7), "by the warehouse's webhook");
    silta.clock.advance(secs(3600));
    silta.warehouse.count_stock(AT_WAREHOUSE, 5);
    silta.clock.advance(secs(60)); // a read of the same second would not cover it
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity(IN_SHOP), Some(5), "by a poll");
    silta.clock.advance(secs(3600));
    assert_eq!(silta.poll().await, 0, "it was read at this version");
}

#[tokio::test]
async fn order_lines_are_sent_as_the_warehouse_spells_them() {
    let silta = start_with_cup("").await;
    let order = silta.place_order(OrderSpec::of(IN_SHOP, 1).with_line("Kup PI-1", 2)).await;
    let reference = format!("shop-{order}");
    let sent = silta.warehouse.find(&reference).expect("sent");
    assert_eq!(sent.lines, [(AT_WAREHOUSE.to_owned(), 3)], "one code, one line");
    // Another spelling in the shop's order is no edit.
    silta.shop.edit_order(order, &json!({ "products": [
        { "product_code": "KUPPI-1", "quantity": 3, "unit_price": null, "vat_rate": null, "download_id": null },
    ] }));
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "done");
}

#[tokio::test]
async fn shipped_lines_count_in_any_spelling() {
    let silta = start_with_cup("").await;
    let order = silta.place_order(OrderSpec::of(IN_SHOP, 2)).await;
    let reference = format!("shop-{order}");
    silta.warehouse.ship_order(&reference);
    silta.send_webhook(silta.warehouse.order_shipped(&reference)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.order(order).unwrap().status, "COMPLETED", "nothing is missing");
}

#[tokio::test]
async fn pieces_in_flight_count_in_any_spelling() {
    let silta = start_with_cup("[connections.stock]\nbasis = \"compensated\"\n").await;
    silta.send_stock_update(AT_WAREHOUSE).await;
    silta.place_order(OrderSpec::of(IN_SHOP, 4)).await;
    silta.send_stock_update(AT_WAREHOUSE).await;
    assert_eq!(silta.warehouse.available(AT_WAREHOUSE), Some(6));
    assert_eq!(silta.shop.quantity(IN_SHOP), Some(10), "the shop takes its four off itself");
}

#[tokio::test]
async fn kits_buffers_and_exclusions_know_every_spelling() {
    let silta = start_with_cup(
        "[connections.products]\nexclude_codes = [\"KORTTI 1\"]\nnot_packed = [\"asennus *\"]\n\
         [connections.products.kits]\n\"SETTI 1\" = { \"kuppi-1\" = 2 }\n\
         [connections.stock.buffers]\n\"Kuppi-1\" = 3\n",
    )
    .await;
    silta.send_stock_update(AT_WAREHOUSE).await;
    assert_eq!(silta.shop.quantity(IN_SHOP), Some(7), "less its buffer");
    let spec = OrderSpec::of("setti1", 1).with_line("kortti1", 1).with_line("ASENNUS-2", 1);
    let order = silta.place_order(spec).await;
    let sent = silta.warehouse.find(&format!("shop-{order}")).expect("sent");
    assert_eq!(sent.lines, [(AT_WAREHOUSE.to_owned(), 2)], "the kit's component alone");
}

#[tokio::test]
async fn sync_compares_codes_in_any_spelling() {
    let silta = start_with_cup("").await;
    silta.warehouse.count_stock(AT_WAREHOUSE, 4);
    for what in ["products", "stock"] {
        let report = silta.run_sync(what, false).await;
        silta.run_until_idle().await;
        let expected =
            if what == "stock" { vec![("stock:kuppi-1 ".into(), "figure_differs".into())] } else { vec![] };
        assert_eq!(differences(&report), expected, "{what}");
    }
    assert_eq!(silta.shop.quantity(IN_SHOP), Some(4));
    assert_eq!(differences(&silta.run_sync("stock", false).await), vec![]);
    // Somebody spells it otherwise at the warehouse: the old spelling is forgotten.
    silta.warehouse.remove_product(AT_WAREHOUSE);
    silta.warehouse.add_product("Kuppi-1", json!({ "code": "Kuppi-1", "name": "Kuppi" }));
    assert_eq!(differences(&silta.run_sync("products", false).await), vec![]);
    let order = silta.place_order(OrderSpec::of(IN_SHOP, 1)).await;
    let sent = silta.warehouse.find(&format!("shop-{order}")).expect("sent");
    assert_eq!(sent.lines, [("Kuppi-1".to_owned(), 1)]);
}

#[tokio::test]
async fn several_products_of_one_code_are_left_to_a_person() {
    let silta = start_with_cup("").await;
    silta.warehouse.add_product("Kuppi-1", json!({ "code": "Kuppi-1", "name": "Toinen" }));
    let report = silta.run_sync("products", false).await;
    assert_eq!(report["differences"][0]["reason"], "code_repeated", "{report}");
    silta.shop.rename_product(1, "Muki");
    silta.send_product_update(1).await;
    assert_eq!(silta.product_task_state(1).await, "dead code_repeated");
    assert_eq!(silta.warehouse_name(AT_WAREHOUSE).as_deref(), Some("Kuppi"), "neither was changed");
    silta.warehouse.count_stock("Kuppi-1", 3);
    silta.send_stock_update("Kuppi-1").await;
    assert_eq!(silta.task_state("stock:Kuppi-1").await, "dead code_repeated");
    assert_eq!(silta.shop.quantity(IN_SHOP), Some(10), "nor a figure written");
    let order = silta.place_order(OrderSpec::of(IN_SHOP, 1)).await;
    assert_eq!(silta.order_task_state(order).await, "dead code_repeated");
    let detail: String = silta.scalar("select detail from attempt order by ended_at desc limit 1").await;
    assert!(detail.contains(r#""KUPPI-1", "Kuppi-1""#), "{detail}");
    assert!(silta.warehouse.orders().is_empty());
    // An order that spells it as one of them does is that one.
    let order = silta.place_order(OrderSpec::of("Kuppi-1", 1)).await;
    assert_eq!(silta.order_task_state(order).await, "done");
}
