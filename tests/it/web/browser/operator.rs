//! An operator at the dashboard in a browser.

use fantoccini::Locator;
use silta::dev::sandbox::OrderSpec;

use crate::{
    harness::{CONNECTION, TestOptions, TestSilta, VIEWER},
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

/// Presses the button, and watches the checks come without a reload; wide, narrow, dark and in Finnish.
#[tokio::test]
async fn operator_tests_a_connection() {
    let silta = TestSilta::start_with(TestOptions {
        service: "[http]\npublic_url = \"https://silta.invalid\"\n",
        connection: "[connections.stock]\nupdate = \"manual\"\n",
    })
    .await;
    silta.warehouse.receive_goods("A", 1000);
    for (id, code) in [(71, "A"), (72, "A"), (73, "B")] {
        silta.shop.add_product(id, code, code, 3);
    }
    silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    let appearances = [
        ("wide", ENGLISH),
        ("phone", Appearance { narrow: true, ..ENGLISH }),
        ("dark", Appearance { dark: true, ..FINNISH }),
    ];
    for (name, appearance) in appearances {
        let browser = Browser::signed_in(&silta, appearance).await;
        browser.wait_for("h1").await;
        browser.open_page("/connections?connection=shop").await;
        browser.click("form:has(input[value=test]) button").await;
        // It refreshes itself until the result is there.
        browser.wait_for(".todo .st.stop").await;
        assert!(browser.text(".todo").await.contains("http.public_url"));
        let open_all = "for (const it of document.querySelectorAll('main details')) it.open = true";
        browser.client.execute(open_all, Vec::new()).await.unwrap();
        assert_eq!(browser.accessibility_faults().await, Vec::<String>::new(), "{name}");
        browser.screenshot_page(&format!("connection-test-{name}")).await;
        // A picture has 3,000 lines at most: the other half by itself.
        let other_half = "document.querySelector('.halves > div').hidden = true";
        browser.client.execute(other_half, Vec::new()).await.unwrap();
        browser.screenshot_page(&format!("connection-switches-{name}")).await;
    }
    let browser = Browser::signed_in(&silta, ENGLISH).await;
    browser.wait_for("h1").await;
    browser.open_page("/connections?connection=shop").await;
    browser.click("details:has(input[value=register]) summary").await;
    assert!(
        browser.text("details:has(input[value=register]) .flash").await.contains("This changes both sides")
    );
    browser.click("details:has(input[value=register]) form button").await;
    browser.wait_for("section[aria-label='Registration of webhooks: shop'] .todo").await;
    assert_eq!((silta.shop.subscriptions().len(), silta.warehouse.subscriptions().len()), (1, 2));
    browser.screenshot_page("connection-registered").await;
}

/// The warehouse ships an order and sends its webhook.
pub async fn ship_order(silta: &TestSilta, order: u64) {
    let reference = format!("{CONNECTION}-{order}");
    assert!(silta.warehouse.ship_order(&reference));
    silta.send_webhook(silta.warehouse.order_shipped(&reference)).await;
}
