//! A shopkeeper's day in a browser: find an order and see its lines, map a shipping method, take a request back, sync one
//! product, say what a foreign order is, confirm a replacement, approve a stock fall.

use fantoccini::Locator;
use serde_json::json;
use silta::dev::sandbox::OrderSpec;

use crate::{
    harness::{TestSilta, secs},
    web::browser::session::{Appearance, Browser, ENGLISH, FINNISH},
};

async fn rows(browser: &Browser) -> usize {
    browser.client.find_all(Locator::Css("tbody tr")).await.unwrap().len()
}

/// Maps the method of three orders where it stands, looks at the preview, and watches them go.
async fn maps_a_method_and_releases(appearance: Appearance, delivered: &str) {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await);
    }
    let browser = Browser::signed_in(&silta, appearance).await;
    browser.open_page("/attention").await;
    browser.type_into(".cause input[name=code]", "Posti Parcel").await;
    browser.click(".cause form.rule button").await;
    // The preview names the orders, and has changed nothing.
    let preview = browser.text(".well").await;
    assert!(orders.iter().all(|order| preview.contains(&order.to_string())), "{preview}");
    assert_eq!(silta.count("shipping_rule").await, 0);
    browser.click("button[name=release][value=all]").await;
    // The click does not wait for the answer: the orders are released once their page is there.
    assert!(browser.text(".lead b").await.ends_with("/ 3"));
    silta.run_until_idle().await;
    // The page refreshes itself until all are done.
    let all = Locator::XPath("//b[normalize-space()='3 / 3']");
    browser.client.wait().for_element(all).await.unwrap();
    for order in &orders {
        assert_eq!(silta.warehouse_count(*order), 1);
        super::operator::ship_order(&silta, *order).await;
    }
    silta.run_until_idle().await;
    browser.open_page("/orders?status=delivered").await;
    assert_eq!(rows(&browser).await, 3);
    assert!(browser.text("tbody .st").await.to_lowercase().contains(delivered));
    browser.open_page("/attention").await;
    browser.wait_for(".flash.ok").await;
    assert_eq!(silta.lost_and_doubled(), (0, 0));
}

#[tokio::test]
async fn shopkeeper_maps_a_method_and_releases_its_orders() {
    maps_a_method_and_releases(ENGLISH, "delivered").await;
}

#[tokio::test]
async fn shopkeeper_maps_a_method_and_releases_its_orders_in_finnish() {
    maps_a_method_and_releases(FINNISH, "toimitettu").await;
}

/// Finds a stuck order by its number, sees its lines, maps its method where it stands, and watches it go.
#[tokio::test]
async fn shopkeeper_finds_an_order_and_remedies_it_where_it_stands() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    let _other = silta.place_order(OrderSpec::of("A", 1)).await;
    let order = silta.place_order(OrderSpec::of("A", 3).with_shipping_method(3, None)).await;
    let browser = Browser::signed_in(&silta, ENGLISH).await;
    browser.type_into("form.find input[name=q]", &format!("{order}\u{e007}")).await;
    browser.wait_for(".tabs").await; // the list
    assert_eq!(rows(&browser).await, 1);
    browser.click("tbody th a").await;
    let lines = browser.text("section[aria-labelledby=lines]").await;
    assert!(lines.contains("3 pcs") && lines.contains("Warehouse"), "{lines}");
    browser.type_into(".remedy-here input[name=code]", "Posti Parcel").await;
    browser.click(".remedy-here form.rule button").await;
    let preview = browser.text(".well").await;
    assert!(preview.contains("Save, and release 1 order"), "{preview}");
    browser.click("button[name=release][value=all]").await;
    assert!(browser.text(".lead b").await.ends_with("/ 1"));
    silta.run_until_idle().await;
    let all = Locator::XPath("//b[normalize-space()='1 / 1']");
    browser.client.wait().for_element(all).await.unwrap();
    let path = format!("/orders/shop/{order}");
    browser.open_page(&path).await;
    assert!(browser.text("h1 .st").await.to_lowercase().contains("waiting for collection"));
    super::operator::ship_order(&silta, order).await;
    silta.run_until_idle().await;
    browser.open_page(&path).await;
    assert!(browser.text("h1 .st").await.to_lowercase().contains("delivered"));
    assert_eq!((silta.warehouse_count(order), silta.lost_and_doubled()), (1, (0, 0)));
}

/// Says that the warehouse's order is this one, where it waits.
#[tokio::test]
async fn shopkeeper_says_what_a_foreign_order_is() {
    let silta = TestSilta::start().await;
    silta.warehouse.add_foreign_order("shop-1001", "A", 5);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.order_task_state(order).await, "dead not_ours_at_warehouse");
    let browser = Browser::signed_in(&silta, FINNISH).await;
    browser.open_page("/attention").await;
    let choice = browser.text(".adoption").await;
    assert!(choice.contains("Mikä se on?") && choice.contains("Se on jokin muu"), "{choice}");
    browser.click(".adoption form:first-of-type button").await;
    browser.wait_for(".cols").await; // the order's own page
    assert!(browser.text(".flash.ok").await.contains("Varaston tilaus on tämä"));
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse.count("shop-1001"), silta.warehouse.orders().len()), (1, 1));
    assert_eq!(silta.show_order(order).await["actions"][0]["kind"], "adopt");
    browser.open_page("/attention").await;
    assert!(browser.client.find(Locator::Css(".adoption")).await.is_err(), "nothing is asked any more");
}

/// Sends two orders by hand, and takes them back before they leave.
#[tokio::test]
async fn shopkeeper_takes_a_request_for_several_orders_back() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    for _ in 0..2 {
        silta.place_order(OrderSpec::of("A", 1).unpaid()).await;
    }
    let browser = Browser::signed_in(&silta, ENGLISH).await;
    browser.open_page("/orders").await;
    for order in [1001, 1002] {
        browser.click(&format!("input[name=order][value='shop/{order}']")).await;
    }
    browser.click(".bulk button[value=transfer]").await;
    browser.wait_for("input[name=confirmed]").await; // the preview
    browser.click("section.card form button.main").await;
    let said = browser.text(".flash.wait").await;
    assert!(said.contains("2 orders are on their way") && said.contains("Undo"), "{said}");
    silta.run_until_idle().await;
    browser.click(".flash.wait form button").await;
    let said = browser.text(".flash.ok").await;
    assert!(said.contains("2 orders were taken back"), "{said}");
    silta.advance(secs(60)).await;
    assert_eq!(silta.warehouse.orders().len(), 0);
}

#[tokio::test]
async fn shopkeeper_syncs_one_product_of_the_list() {
    let silta = TestSilta::start_with_settings(&[("stock.update", "manual")]).await;
    for (id, code, name) in [(1, "A", "Kahvi"), (2, "B", "Tee")] {
        silta.shop.add_product(id, code, name, 0);
        silta.warehouse.receive_goods(code, 9);
        silta.send_product_update(id).await;
    }
    let browser = Browser::signed_in(&silta, ENGLISH).await;
    browser.open_page("/products?show=differs").await;
    assert_eq!(rows(&browser).await, 2);
    browser.click("button[name=item][value='product:1']").await;
    browser.wait_for(".flash.ok").await;
    silta.run_until_idle().await;
    assert_eq!(["A", "B"].map(|code| silta.shop.quantity(code)), [Some(9), Some(0)], "this one alone");
    browser.open_page("/products?show=differs").await;
    assert_eq!(rows(&browser).await, 1);
    // All of them: first a preview, then the sync with its report.
    browser.click(".head button.main").await;
    browser.wait_for(".well").await;
    browser.click(".well button.main").await;
    browser.wait_for("[data-refresh]").await; // the sync's own page
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    browser.open_page("/products").await;
    assert_eq!(browser.text(".tabs a:nth-child(2) b").await, "0");
    assert_eq!(silta.shop.quantity("B"), Some(9), "a person has asked for all of them");
}

#[tokio::test]
async fn shopkeeper_confirms_a_replacement_where_it_waits() {
    let silta = TestSilta::start().await;
    for code in ["A", "B"] {
        silta.warehouse.receive_goods(code, 10);
    }
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    super::operator::ship_order(&silta, order).await;
    silta.run_until_idle().await;
    silta.shop.add_shipment(order, &[("B", 1)]);
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "dead replacement_unconfirmed");
    let browser = Browser::signed_in(&silta, ENGLISH).await;
    browser.open_page("/attention").await;
    browser.click(".cause .well form button").await;
    browser.wait_for(".cols").await; // the order's own page
    assert!(browser.text(".flash.wait").await.contains("The replacement is on its way"));
    silta.run_until_idle().await;
    silta.advance(secs(60)).await; // until it cannot be taken back any more
    assert_eq!(silta.warehouse.find("shop-1001-R1").unwrap().lines, [("B".to_owned(), 1)]);
}

#[tokio::test]
async fn shopkeeper_approves_a_stock_fall_after_its_preview() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    for id in 1..=8 {
        let code = format!("C-{id}");
        silta.shop.add_product(id, &code, &format!("Tuote {id}"), 10);
        silta.warehouse.add_product(&code, json!({ "code": code, "name": format!("Tuote {id}") }));
        silta.warehouse.receive_goods(&code, 10);
    }
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    for id in 1..=8 {
        silta.warehouse.count_stock(&format!("C-{id}"), 0);
        silta.send_stock_update(&format!("C-{id}")).await;
    }
    let in_stock = || (1..=8).filter(|id| silta.shop.quantity(&format!("C-{id}")) == Some(10)).count();
    let waiting = in_stock();
    assert!(waiting > 0, "the brake is on");
    let browser = Browser::signed_in(&silta, ENGLISH).await;
    browser.open_page("/attention").await;
    assert_eq!(rows(&browser).await, waiting);
    browser.click(".brake a.main").await;
    browser.wait_for(".well").await;
    assert_eq!(in_stock(), waiting, "a preview changes nothing");
    browser.click(".well button.main").await;
    browser.wait_for(".flash.ok").await;
    silta.advance(secs(60)).await;
    assert_eq!(in_stock(), 0);
}
