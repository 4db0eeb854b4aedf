//! The frame of every page: keys, the live mark, its weight, and what stays when a script is off.

use fantoccini::Locator;
use silta::dev::sandbox::OrderSpec;

use crate::{
    harness::{OPERATOR, TestSilta},
    web::{
        browser::session::{Appearance, Browser, ENGLISH, FINNISH, script},
        session::Session,
    },
};

/// Presses keys where no field has the focus.
async fn press(browser: &Browser, keys: &str) {
    for key in keys.chars() {
        browser.wait_for("body").await.send_keys(&key.to_string()).await.unwrap();
    }
}

async fn focused(browser: &Browser) -> String {
    let name =
        script(browser, "return document.activeElement.name || document.activeElement.textContent").await;
    name.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn keys_search_go_to_pages_and_move_between_rows_until_they_are_switched_off() {
    let silta = TestSilta::start().await;
    for _ in 0..2 {
        silta.place_order(OrderSpec::of("A", 1)).await;
    }
    let browser = Browser::signed_in(&silta, ENGLISH).await;
    browser.wait_for("main h1").await;
    press(&browser, "go").await;
    browser.client.wait().for_url(&format!("{}/orders", silta.api.url).parse().unwrap()).await.unwrap();
    browser.wait_for("tbody th a").await;
    press(&browser, "jj").await;
    let last = focused(&browser).await;
    press(&browser, "k").await;
    assert_ne!(focused(&browser).await, last, "the row before");
    press(&browser, "?").await;
    assert_eq!(
        script(&browser, "return document.querySelector('#account').matches(':popover-open')").await,
        true
    );
    press(&browser, "?").await;
    press(&browser, "/").await;
    assert_eq!(focused(&browser).await, "q", "the search has the focus");
    let search = browser.wait_for(".find input").await;
    search.send_keys("go1").await.unwrap();
    assert_eq!(search.prop("value").await.unwrap().as_deref(), Some("go1"), "keys in a field are text");
    browser.open_page("/orders").await;
    browser.click("[popovertarget=account]").await;
    browser.click("[data-shortcuts]").await;
    browser.open_page("/orders").await;
    press(&browser, "gh").await;
    assert!(browser.client.current_url().await.unwrap().path() == "/orders", "switched off");
}

#[tokio::test]
async fn silence_of_the_stream_shows_as_stale_and_the_counts_stay() {
    let silta = TestSilta::start().await;
    let browser = Browser::signed_in(&silta, FINNISH).await;
    assert!(browser.text(".live").await.starts_with("Ajan tasalla klo "));
    // As if half a minute had passed since the stream was heard.
    script(&browser, "heard = Date.now() - 31000; showMark();").await;
    assert!(browser.text(".live.late").await.starts_with("Päivitetty viimeksi klo "));
}

#[tokio::test]
async fn selected_tab_is_in_view_on_phones() {
    let silta = TestSilta::start().await;
    let browser = Browser::signed_in(&silta, Appearance { narrow: true, ..ENGLISH }).await;
    browser.wait_for("main h1").await;
    browser.open_page("/orders?status=returned").await;
    browser.wait_for(".tabs [aria-current]").await;
    let ask = "const tab = document.querySelector('.tabs [aria-current]').getBoundingClientRect(); \
               return tab.left >= 0 && tab.right <= innerWidth";
    assert_eq!(script(&browser, ask).await, true);
}

/// What a browser loads for the first page, uncompressed.
#[tokio::test]
async fn first_page_is_light_and_loads_nothing_from_elsewhere() {
    let silta = TestSilta::start().await;
    let session = Session::with(&silta, OPERATOR).await;
    let page = session.get("/").await.text().await.unwrap();
    let mut bytes = page.len();
    for attribute in ["href=\"/style.css", "src=\"/live.js", "href=\"/favicon.svg"] {
        let path = page.split(attribute).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let path = format!("{}{path}", attribute.split('"').nth(1).unwrap());
        bytes += session.get(&path).await.bytes().await.unwrap().len();
    }
    assert!(bytes < 60_000, "{bytes} bytes");
    assert!(
        !page.contains("src=\"http") && !page.contains("style=\""),
        "nothing from elsewhere, nothing inline"
    );
}

#[tokio::test]
async fn overview_ranges_and_statuses_are_addresses() {
    let silta = TestSilta::start().await;
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    silta.counts.round().await.unwrap();
    let browser = Browser::signed_in(&silta, ENGLISH).await;
    assert!(browser.text("h1").await.starts_with("Orders are moving."));
    browser.client.find(Locator::LinkText("Week")).await.unwrap().click().await.unwrap();
    assert_eq!(browser.text(".head [aria-current]").await, "Week");
    assert_eq!(browser.client.current_url().await.unwrap().query(), Some("range=week"));
    assert!(browser.text(".feed").await.contains(&order.to_string()));
    browser.client.find(Locator::Css("table tbody th")).await.unwrap();
    browser
        .client
        .find(Locator::Css(".states a[href*=not_transferred], .states a"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    assert!(browser.client.current_url().await.unwrap().query().unwrap().contains("status="));
}
