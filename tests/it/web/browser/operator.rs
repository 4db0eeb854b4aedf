//! An operator at the dashboard in a browser.

use fantoccini::Locator;
use silta::dev::sandbox::OrderSpec;

use crate::{
    harness::{CONNECTION, TestSilta, VIEWER},
    web::browser::session::{Browser, ENGLISH},
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
    let badge =
        Locator::XPath("//span[contains(@class, 'count') and not(@hidden) and normalize-space()='1']");
    browser.client.wait().for_element(badge).await.unwrap();
}

/// A new order is counted above the open list, and no row moves until the reader asks for it.
#[tokio::test]
async fn open_list_of_orders_says_how_many_came_and_shows_them_when_asked() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    silta.place_order(OrderSpec::of("A", 1)).await;
    let browser = Browser::signed_in(&silta, ENGLISH).await;
    browser.open_page("/orders").await;
    browser.wait_for("tbody tr").await;
    let new = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(browser.text("a[data-count=orders]:not([hidden])").await, "1 new order: show it");
    assert_eq!(browser.client.find_all(Locator::Css("tbody tr")).await.unwrap().len(), 1);
    browser.click("a[data-count=orders]").await;
    let row = Locator::LinkText(&new.to_string());
    browser.client.wait().for_element(row).await.unwrap();
}

/// The warehouse ships an order and sends its webhook.
pub async fn ship_order(silta: &TestSilta, order: u64) {
    let reference = format!("{CONNECTION}-{order}");
    assert!(silta.warehouse.ship_order(&reference));
    silta.send_webhook(silta.warehouse.order_shipped(&reference)).await;
}
