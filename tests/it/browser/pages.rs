//! Every page in every look: nothing that axe-core calls serious, nothing wider than its window, and a picture of each
//! where `SILTA_SCREENSHOTS` names a directory (`make screenshots`).

use silta::dev::sandbox::OrderSpec;

use super::{Browser, ENGLISH, FINNISH, Look, script, ships};
use crate::harness::{CONNECTION, TestSilta, Usual, secs};

/// A shop in the middle of its day: orders at every status, some that wait for a person.
async fn full() -> TestSilta {
    let silta = TestSilta::start_with(Usual {
        service: "[http]\npublic_url = \"https://silta.example.fi\"\n",
        connection: "",
    })
    .await;
    silta.warehouse.receives_goods("A", 1000);
    let subscriptions = &silta.subscriptions;
    subscriptions.register(subscriptions.of(CONNECTION).unwrap(), false, "ops").await.unwrap();
    let mut orders = Vec::new();
    for _ in 0..6 {
        orders.push(silta.orders(OrderSpec::of("A", 1)).await);
    }
    for order in &orders[..3] {
        ships(&silta, *order).await;
    }
    for _ in 0..3 {
        silta.orders(OrderSpec::of("A", 1).by(3, None)).await;
    }
    silta.orders(OrderSpec::of("B", 1)).await;
    silta.run_until_idle().await;
    // Somebody has the wrong key, and the dead ones are told of.
    let request = reqwest::Client::new().post(format!("{}/webhooks/ogoship/{CONNECTION}", silta.api.url));
    request.header("X-OGOship-Hmac-SHA256", "AAAA").body("{}").send().await.unwrap();
    silta.tally.write(&silta.pool).await.unwrap();
    silta.alerts.look_and_tell().await.unwrap();
    silta.clock.advance(secs(60));
    silta.alerts.look_and_tell().await.unwrap();
    silta.run_until_idle().await;
    silta
}

async fn paths(silta: &TestSilta) -> Vec<(&'static str, String)> {
    let delivery = silta.api.get("/admin/v1/deliveries?state=dead").await;
    let event = silta.api.get("/admin/v1/events").await;
    let id = |answer: &crate::harness::Answer| {
        answer.items().first().map_or_else(String::new, |item| item["id"].as_str().unwrap().to_owned())
    };
    let order = silta.api.get("/admin/v1/orders").await;
    let order =
        order.items().first().map_or_else(String::new, |item| item["order_id"].as_str().unwrap().to_owned());
    let mut paths: Vec<_> = [
        ("overview", "/"),
        ("orders", "/orders"),
        ("needs", "/needs"),
        ("cause", "/needs/cause?connection=shop&kind=order&reason=shipping_unmapped"),
        ("deliveries", "/deliveries"),
        ("events", "/events"),
        ("products", "/products"),
        ("connections", "/connections"),
        ("audit", "/audit"),
    ]
    .map(|(name, path)| (name, path.to_owned()))
    .into();
    if !order.is_empty() {
        paths.push(("order", format!("/orders/{CONNECTION}/{order}")));
        paths.push(("delivery", format!("/deliveries/{}", id(&delivery))));
        paths.push(("rehearsal", format!("/deliveries/{}/rehearsal", id(&delivery))));
        paths.push(("event", format!("/events/{}", id(&event))));
    }
    paths
}

async fn look_at(silta: &TestSilta, look: Look, kind: &str) {
    let browser = Browser::open(silta, look).await;
    browser.goes_to("/").await;
    browser.shoots(&format!("sign-in-{kind}")).await;
    assert_eq!(browser.serious_faults().await, Vec::<String>::new(), "sign-in, {kind}");
    browser.signs_in(crate::harness::OPERATOR).await;
    for (name, path) in paths(silta).await {
        browser.goes_to(&path).await;
        browser.sees("main h1").await;
        assert_eq!(browser.serious_faults().await, Vec::<String>::new(), "{path}, {kind}");
        let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(script(&browser, wider).await, 0, "{path} is wider than its window, {kind}");
        browser.shoots(&format!("{name}-{kind}")).await;
    }
}

#[tokio::test]
async fn every_page_is_accessible_full_and_wide() {
    look_at(&full().await, ENGLISH, "full").await;
}

#[tokio::test]
async fn every_page_is_accessible_in_finnish_dark_and_narrow() {
    look_at(&full().await, Look { dark: true, narrow: true, ..FINNISH }, "dark-narrow").await;
}

#[tokio::test]
async fn every_page_is_accessible_empty_and_dark() {
    look_at(&TestSilta::start().await, Look { dark: true, ..ENGLISH }, "empty-dark").await;
}

#[tokio::test]
async fn a_broken_connection_says_so_at_once() {
    let silta = TestSilta::start().await;
    sqlx::query(
        "update connection set held_until = now() + interval '1 day', held_reason = 'credentials_refused',
                braked_at = now(), brake_detail = '40 of 50'",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    let browser = Browser::signed_in(&silta, ENGLISH).await;
    assert!(browser.text(".verdict.bad").await.contains("does not flow"));
    assert!(browser.text(".card h2").await.contains("held"));
    silta.alerts.look_and_tell().await.unwrap();
    silta.clock.advance(secs(60));
    silta.alerts.look_and_tell().await.unwrap();
    browser.goes_to("/").await;
    assert!(browser.text(".alerts").await.contains("credentials"));
    browser.shoots("overview-broken").await;
    browser.goes_to("/connections").await;
    assert_eq!(browser.serious_faults().await, Vec::<String>::new());
    browser.shoots("connections-broken").await;
}
