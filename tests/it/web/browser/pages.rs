//! Every page in several appearances: no serious accessibility violation, and nothing wider than its window. `pictures.rs`
//! takes pictures of a larger shop.

use serde_json::json;
use silta::dev::sandbox::OrderSpec;

use crate::{
    harness::{CONNECTION, OPERATOR, TestOptions, TestSilta, VIEWER, secs},
    web::browser::{
        operator::ship_order,
        session::{Appearance, Browser, ENGLISH, FINNISH, script},
    },
    web::session::Session,
};

/// Where the vendors reach it: their webhooks are registered.
pub const PUBLIC_URL: &str = "[http]\npublic_url = \"https://silta.example.fi\"\n";

/// Starts Silta with orders in several statuses, some of which need attention.
async fn start_with_data() -> TestSilta {
    let silta = TestSilta::start_with(TestOptions { service: PUBLIC_URL, connection: "" }).await;
    add_small_shop(&silta).await;
    silta
}

/// Some orders in several statuses that came by webhook, and three products.
pub async fn add_small_shop(silta: &TestSilta) {
    silta.warehouse.receive_goods("A", 1000);
    let subscriptions = &silta.subscriptions;
    subscriptions.register(subscriptions.find(CONNECTION).unwrap(), false, "ops").await.unwrap();
    let engraving = json!([{ "name": "Engraving", "value": "To Anna, with love" }]);
    let line = json!({ "product_code": "A", "quantity": 1, "customizations": engraving });
    let engraved = json!({ "products": [line] });
    let mut orders = Vec::new();
    for _ in 0..6 {
        orders.push(silta.place_order(OrderSpec::of("A", 1)).await);
    }
    for order in &orders[..3] {
        ship_order(silta, *order).await;
    }
    for _ in 0..3 {
        silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    }
    silta.place_order(OrderSpec::of("B", 1)).await;
    silta.place_order(OrderSpec::of("A", 1).with_json(engraved)).await;
    for (id, code) in [(71, "A"), (72, "B"), (73, "MUKI/SININEN")] {
        silta.shop.add_product(id, code, code, 3);
    }
    silta.syncer.run_due().await.unwrap(); // reads the whole catalogue
    silta.shop.book_return(orders[0], "A", 1);
    silta.shop.add_shipment(orders[0], &[("A", 1)]);
    silta.send_webhook(silta.shop.order_updated(orders[0])).await;
    silta.run_until_idle().await;
    // One webhook has a wrong signature, and the dead orders raise an alert.
    let request = reqwest::Client::new().post(format!("{}/webhooks/ogoship/{CONNECTION}", silta.api.url));
    request.header("X-OGOship-Hmac-SHA256", "AAAA").body("{}").send().await.unwrap();
    silta.key_usage.flush(&silta.pool).await.unwrap();
    silta.alerts.check_and_notify().await.unwrap();
    silta.clock.advance(secs(60));
    silta.alerts.check_and_notify().await.unwrap();
    silta.run_until_idle().await;
    silta.counts.round().await.unwrap();
}

async fn paths(silta: &TestSilta) -> Vec<(&'static str, String)> {
    let task = silta.api.get("/admin/v1/tasks?state=dead").await;
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
        ("waiting", "/orders?waiting=true"),
        ("parcels", "/orders/shop/1001"),
        ("attention", "/attention"),
        ("cause", "/attention/cause?connection=shop&kind=order&reason=shipping_unmapped"),
        ("tasks", "/tasks"),
        ("events", "/events"),
        ("products", "/products"),
        ("syncs", "/syncs"),
        ("connections", "/connections"),
        ("audit", "/audit"),
        ("problems", "/problems"),
        ("runbook", "/runbook"),
    ]
    .map(|(name, path)| (name, path.to_owned()))
    .into();
    let syncs = silta.api.get("/admin/v1/syncs").await;
    if !id(&syncs).is_empty() {
        paths.push(("sync", format!("/products/syncs/{}", id(&syncs))));
    }
    if !order.is_empty() {
        paths.push(("order", format!("/orders/{CONNECTION}/{order}")));
        paths.push(("task", format!("/tasks/{}", id(&task))));
        paths.push(("dry_run", format!("/tasks/{}/dry-run", id(&task))));
        paths.push(("event", format!("/events/{}", id(&event))));
    }
    paths
}

/// What is wrong with the page that a browser shows.
pub async fn faults(browser: &Browser) -> Vec<String> {
    let mut faults = browser.accessibility_faults().await;
    let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    let wider = script(browser, wider).await;
    if wider != 0 {
        faults.push(format!("wider than its window by {wider} px"));
    }
    // What is folded away may scroll.
    let cut = "return [...document.querySelectorAll('.scroll')].filter(table => !table.closest('details, article') \
               && table.scrollWidth > table.clientWidth).map(table => table.ariaLabel)";
    let cut = script(browser, cut).await;
    if cut != json!([]) {
        faults.push(format!("tables that do not fit: {cut}"));
    }
    faults
}

async fn check_pages(silta: &TestSilta, appearance: Appearance, kind: &str) {
    check_pages_as(silta, OPERATOR, appearance, kind).await;
}

async fn check_pages_as(silta: &TestSilta, token: &str, appearance: Appearance, kind: &str) {
    let browser = Browser::open(silta, appearance).await;
    browser.open_page("/").await;
    assert_eq!(browser.accessibility_faults().await, Vec::<String>::new(), "sign-in, {kind}");
    browser.sign_in(token).await;
    for (_, path) in paths(silta).await {
        browser.open_page(&path).await;
        browser.wait_for("main h1").await;
        assert_eq!(faults(&browser).await, Vec::<String>::new(), "{path}, {kind}");
    }
}

#[tokio::test]
async fn pages_with_data_are_accessible() {
    check_pages(&start_with_data().await, ENGLISH, "full").await;
}

#[tokio::test]
async fn pages_in_finnish_dark_and_narrow_are_accessible() {
    check_pages(&start_with_data().await, Appearance { dark: true, narrow: true, ..FINNISH }, "dark-narrow")
        .await;
}

#[tokio::test]
async fn viewers_pages_are_accessible() {
    check_pages_as(&start_with_data().await, VIEWER, ENGLISH, "viewer").await;
}

#[tokio::test]
async fn empty_dark_pages_are_accessible() {
    check_pages(&TestSilta::start().await, Appearance { dark: true, ..ENGLISH }, "empty-dark").await;
}

#[tokio::test]
async fn overview_shows_a_broken_connection() {
    let silta = TestSilta::start().await;
    sqlx::query(
        "update connection set circuit_open_until = now() + interval '1 day', circuit_reason = 'credentials_refused',
                braked_at = now(), brake_detail = '40 of 50'",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    let browser = Browser::signed_in(&silta, ENGLISH).await;
    assert!(browser.text("h1").await.contains("Orders are not moving"));
    assert!(browser.text(".flash.stop").await.contains("credentials"), "why");
    silta.alerts.check_and_notify().await.unwrap();
    silta.clock.advance(secs(60));
    silta.alerts.check_and_notify().await.unwrap();
    browser.open_page("/").await;
    assert!(
        browser.text(".todo").await.to_lowercase().contains("stock brake on"),
        "among what a person decides, and there alone"
    );
    browser.open_page("/connections").await;
    assert_eq!(browser.accessibility_faults().await, Vec::<String>::new());
}

/// The value of an attribute in a tag, as it is written.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()
}

/// What the W3C's validator and axe ask for, and what `scripts/pages.sh` gives to the former: with `SILTA_PAGES`, every page is
/// written into that directory.
#[tokio::test]
async fn pages_have_valid_times_named_regions_and_an_icon() {
    let silta = start_with_data().await;
    let session = Session::with(&silta, OPERATOR).await;
    let icon = session.get("/favicon.ico").await;
    assert_eq!(
        (icon.status().as_u16(), &icon.headers()["content-type"]),
        (200, &"image/svg+xml".parse().unwrap())
    );
    let mut pages = paths(&silta).await;
    pages.extend([("sign-in", "/sign-in".to_owned()), ("missing", "/orders/shop/999999".to_owned())]);
    for (name, path) in pages {
        let html = session.get(&path).await.text().await.unwrap();
        if let Some(directory) = std::env::var_os("SILTA_PAGES") {
            std::fs::create_dir_all(&directory).unwrap();
            std::fs::write(std::path::Path::new(&directory).join(format!("{name}.html")), &html).unwrap();
        }
        assert!(html.contains("<link rel=\"icon\""), "{path}");
        for tag in html.split('<').filter_map(|tag| tag.split('>').next()) {
            if let Some(time) = attribute(tag, "datetime") {
                let is_valid = time.len() == 20 && time.ends_with('Z') && !time.contains('.');
                assert!(is_valid && chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{path}: {time}");
            }
            if attribute(tag, "tabindex").is_some() {
                assert!(attribute(tag, "role").is_some(), "{path}: {tag}");
                assert!(attribute(tag, "aria-label").is_some_and(|label| !label.is_empty()), "{path}: {tag}");
            }
        }
    }
}
