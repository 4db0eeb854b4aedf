//! An operator at the dashboard in a browser.

use fantoccini::Locator;
use silta::dev::sandbox::OrderSpec;

use crate::{
    harness::{CONNECTION, OPERATOR, TestSilta, VIEWER},
    web::browser::session::{Appearance, Browser, ENGLISH, FINNISH},
};

/// Starts Silta with this many orders that are dead because no rule matches their shipping method.
async fn start_with_unmapped_orders(many: usize) -> (TestSilta, Vec<u64>) {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    let mut orders = Vec::new();
    for _ in 0..many {
        orders.push(silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await);
    }
    (silta, orders)
}

async fn fix_shipping_method_and_replay_orders(appearance: Appearance, delivered: &str) {
    let (silta, orders) = start_with_unmapped_orders(3).await;
    let browser = Browser::open(&silta, appearance).await;
    browser.open_page("/attention").await;
    // Sign-in comes first and then leads to the requested page.
    browser.type_into("#token", "unknown token").await;
    browser.click(".sign-in button").await;
    browser.wait_for(".error").await;
    browser.type_into("#token", OPERATOR).await;
    browser.click(".sign-in button").await;
    browser.click(".causes h2 a").await;
    // The affected orders are listed before anything is done.
    assert_eq!(browser.client.find_all(Locator::Css("tbody tr")).await.unwrap().len(), 3);
    browser.type_into("input[name=code]", "Posti Parcel").await;
    browser.click("form.card button.primary").await;
    browser.wait_for(".flash.ok").await;
    browser.click("button[value=all]").await;
    assert!(browser.text(".lead b").await.starts_with("0 / 3"));
    silta.run_until_idle().await;
    // The page refreshes itself until all are done.
    let all = Locator::XPath("//b[normalize-space()='3 / 3']");
    browser.client.wait().for_element(all).await.unwrap();
    for order in &orders {
        assert_eq!(silta.warehouse_count(*order), 1);
        ship_order(&silta, *order).await;
    }
    silta.run_until_idle().await;
    browser.open_page("/orders?status=delivered").await;
    assert_eq!(browser.client.find_all(Locator::Css("tbody tr")).await.unwrap().len(), 3);
    assert_eq!(browser.text("tbody .state").await, delivered);
    browser.open_page("/attention").await;
    browser.wait_for(".flash.ok").await;
    assert_eq!(silta.lost_and_doubled(), (0, 0));
}

#[tokio::test]
async fn operator_fixes_a_cause_and_replays_its_orders() {
    fix_shipping_method_and_replay_orders(ENGLISH, "delivered").await;
}

#[tokio::test]
async fn operator_fixes_a_cause_and_replays_its_orders_in_finnish() {
    fix_shipping_method_and_replay_orders(FINNISH, "toimitettu").await;
}

#[tokio::test]
async fn viewer_sees_every_page_without_buttons() {
    let (silta, _) = start_with_unmapped_orders(1).await;
    let browser = Browser::open(&silta, ENGLISH).await;
    browser.sign_in(VIEWER).await;
    for path in
        ["/attention/cause?reason=shipping_unmapped", "/connections", "/products", "/tasks?state=dead"]
    {
        browser.open_page(path).await;
        browser.wait_for(".note").await;
        let buttons = browser.client.find_all(Locator::Css("main form[method=post]")).await.unwrap();
        assert_eq!(buttons.len(), 0, "{path}");
    }
}

#[tokio::test]
async fn counts_update_without_a_reload() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    let browser = Browser::signed_in(&silta, ENGLISH).await;
    browser.wait_for("h1").await;
    silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    let badge = Locator::XPath("//span[@class='badge' and not(@hidden) and normalize-space()='1']");
    browser.client.wait().for_element(badge).await.unwrap();
}

/// The warehouse ships an order and sends its webhook.
pub async fn ship_order(silta: &TestSilta, order: u64) {
    let reference = format!("{CONNECTION}-{order}");
    assert!(silta.warehouse.ship_order(&reference));
    silta.send_webhook(silta.warehouse.order_shipped(&reference)).await;
}
