//! What shoppers choose or write for a line: operators see it, the warehouse gets it where the merchant wants that, and
//! nobody else sees it.

use reqwest::Method;
use serde_json::{Value, json};
use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestSilta, VIEWER, answer, secs};

const REFERENCE: &str = "shop-1001";
/// A shopper's own words.
const ENGRAVING: &str = "To Anna with love";

fn engraved(text: &str) -> Value {
    let engraving = json!([{ "id": 5, "name": "Engraving", "value": text }]);
    json!({ "products": [
        { "product_code": "A", "quantity": 2, "customizations": engraving },
        { "product_code": "A", "quantity": 1, "customizations": [] },
    ] })
}

type Settings = &'static [(&'static str, &'static str)];

async fn start(settings: Settings) -> (TestSilta, u64) {
    let mut silta = TestSilta::start_with_settings(settings).await;
    silta.leave_unfinished();
    silta.warehouse.receive_goods("A", 100);
    let order = silta.place_order(OrderSpec::of("A", 1).with_json(engraved(ENGRAVING))).await;
    (silta, order)
}

async fn edit(silta: &TestSilta, order: u64, products: &Value) -> String {
    silta.clock.advance(secs(61));
    silta.shop.edit_order(order, products);
    silta.send_order_update(order).await;
    silta.order_task_state(order).await
}

#[tokio::test]
async fn customizations_reach_the_warehouse_only_by_setting() {
    let cases: [(Settings, Option<&str>); 3] = [
        (&[], None),
        (&[("orders.comments", "true")], None),
        (&[("orders.customizations", "true")], Some("2 × A: Engraving: To Anna with love")),
    ];
    for (settings, comments) in cases {
        let (silta, _) = start(settings).await;
        let sent = silta.warehouse.find(REFERENCE).expect("it was sent");
        assert_eq!(sent.sent["comments"].as_str(), comments, "{settings:?}");
        assert_eq!(sent.lines, [("A".to_owned(), 3)]);
    }
}

#[tokio::test]
async fn edited_customization_counts_only_where_it_is_sent() {
    for (settings, state) in [
        (&[][..], "done"),
        (&[("orders.customizations", "true")], "dead old_version_at_warehouse"),
        (
            &[("orders.customizations", "true"), ("products.exclude_codes", "B")],
            "dead old_version_at_warehouse",
        ),
    ] {
        let (silta, order) = start(settings).await;
        assert_eq!(edit(&silta, order, &engraved("To Maija")).await, state, "{settings:?}");
    }
}

/// The warehouse does not have those goods, so it does not get their texts.
#[tokio::test]
async fn customization_of_other_goods_stays_in_the_shop() {
    let settings = [("orders.customizations", "true"), ("products.exclude_codes", "OMA")];
    let mut silta = TestSilta::start_with_settings(&settings).await;
    silta.leave_unfinished();
    let with = |text: &str| {
        json!({ "products": [
            { "product_code": "A", "quantity": 1 },
            { "product_code": "OMA", "quantity": 1, "customizations": text },
        ] })
    };
    let order = silta.place_order(OrderSpec::of("A", 1).with_json(with(ENGRAVING))).await;
    assert_eq!(silta.warehouse.find(REFERENCE).expect("it was sent").sent["comments"], Value::Null);
    assert_eq!(edit(&silta, order, &with("To Maija")).await, "done");
}

#[tokio::test]
async fn operators_see_customizations_and_nobody_else_does() {
    let (silta, order) = start(&[("orders.customizations", "true")]).await;
    let shown = silta.show_order(order).await;
    let expected = json!([{ "code": "A", "text": "Engraving: To Anna with love" }]);
    assert_eq!(shown["customizations"], expected);

    let path = format!("/admin/v1/orders/shop/{order}");
    let as_viewer = silta.api.request(Method::GET, &path).bearer_auth(VIEWER);
    let to_viewer = answer(as_viewer).await.body;
    assert_eq!(to_viewer["customizations"], Value::Null);
    let call_log = silta.api.get(&format!("{path}/call-log/ogoship")).await.body;
    let listed = silta.api.get("/admin/v1/orders").await.body;
    let tasks: Vec<String> = vec![silta.scalar_text("select string_agg(calls::text, '') from attempt").await];
    for text in [to_viewer.to_string(), call_log.to_string(), listed.to_string(), tasks.concat()] {
        assert!(!text.contains("Anna"), "{text}");
    }
    let ledger: String = silta.scalar_text("select string_agg(action::text, '') from action").await;
    assert!(!ledger.contains("Anna"), "{ledger}");
}

#[tokio::test]
async fn customization_goes_with_the_shoppers_change_and_with_an_erasure() {
    let (silta, order) = start(&[]).await;
    assert_eq!(edit(&silta, order, &engraved("")).await, "done");
    assert_eq!(silta.show_order(order).await["customizations"], Value::Null);
    assert_eq!(edit(&silta, order, &engraved(ENGRAVING)).await, "done");
    assert_eq!(silta.show_order(order).await["customizations"][0]["code"], "A");
    assert_eq!(silta.post_order_action(order, "erase").await, 200);
    assert_eq!(silta.show_order(order).await["customizations"], Value::Null);
    let stored: String =
        silta.scalar_text("select string_agg(subject_state::text, '') from subject_state").await;
    assert!(!stored.contains("Anna"), "{stored}");
}
