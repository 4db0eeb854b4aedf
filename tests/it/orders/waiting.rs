//! Orders that wait for products: listed with since when and for which, an alert after a set time, and the choices.

use serde_json::{Value, json};
use silta::dev::sandbox::OrderSpec;

use crate::{
    harness::{OPERATOR, TestSilta, secs},
    ops::channel::start_with_channels,
    orders::placed::{REFERENCE, poll_and_run, start_with_order},
    web::session::Session,
};

/// An order of a code that the warehouse lacks and one that it has.
async fn place_waiting_order(silta: &TestSilta) -> u64 {
    for (id, code, pieces) in [(1, "A", 0), (2, "B", 9)] {
        silta.shop.add_product(id, code, code, pieces);
        silta.warehouse.receive_goods(code, pieces);
    }
    let order = silta.place_order(OrderSpec::of("A", 2).with_line("B", 1)).await;
    for code in ["A", "B"] {
        silta.send_webhook(silta.warehouse.stock_changed(code)).await;
    }
    silta.run_until_idle().await;
    order
}

async fn list(silta: &TestSilta) -> Vec<Value> {
    silta.api.get("/admin/v1/orders?waiting=true").await.items().to_vec()
}

#[tokio::test]
async fn waiting_order_is_listed_with_since_when_and_for_which_products() {
    let silta = TestSilta::start().await;
    let order = place_waiting_order(&silta).await;
    let since = silta.now();
    let listed = list(&silta).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["order_id"], order.to_string());
    let goods = json!([
        { "code": "A", "quantity": 2, "shop_stock": 0 },
        { "code": "B", "quantity": 1, "shop_stock": 8 },
    ]);
    assert_eq!((&listed[0]["status"], &listed[0]["waiting_for"]), (&json!("waiting_for_products"), &goods));
    let at =
        |row: &Value| row["waiting_since"].as_str().unwrap().parse::<silta::domain::Timestamp>().unwrap();
    assert_eq!(at(&listed[0]), since);
    // A later read does not make it wait anew.
    silta.clock.advance(secs(7200));
    silta.post_order_action(order, "refresh").await;
    assert_eq!(at(&list(&silta).await[0]), since);

    silta.warehouse.receive_goods("A", 10);
    poll_and_run(&silta).await;
    assert_eq!(list(&silta).await, Vec::<Value>::new());
    assert_eq!(silta.show_order(order).await["waiting_since"], Value::Null);
    assert_eq!(silta.api.get("/admin/v1/orders?waiting=perhaps").await.status, 400);
}

#[tokio::test]
async fn part_that_waits_is_listed_though_the_rest_has_left() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.split_order(REFERENCE, "B");
    silta.warehouse.ship_order(REFERENCE);
    poll_and_run(&silta).await;
    let listed = list(&silta).await;
    assert_eq!((listed.len(), &listed[0]["status"]), (1, &json!("delivered")));
    assert_eq!(listed[0]["waiting_for"][0]["code"], "B");
    let choices = silta.show_order(order).await["choices"].clone();
    assert!(
        choices[2]["text"].as_str().unwrap().contains("myOGO"),
        "a part is not cancelled here: {choices}"
    );
}

#[tokio::test]
async fn order_that_waits_too_long_raises_an_alert_until_the_goods_arrive() {
    let (silta, alerts) = start_with_channels("waiting_longer_than = \"2d\"").await;
    place_waiting_order(&silta).await;
    let open = async || {
        alerts.check_and_notify().await.unwrap();
        let listed = silta.api.get("/admin/v1/alerts?open=true").await;
        let waiting = listed.items().iter().find(|it| it["kind"] == "waiting_for_products").cloned();
        waiting.map(|it| (it["count"].as_i64().unwrap(), it["detail"].as_str().unwrap().to_owned()))
    };
    silta.clock.advance(secs(47 * 3600));
    assert_eq!(open().await, None);
    silta.clock.advance(secs(2 * 3600));
    assert_eq!(open().await, Some((1, "A (1), B (1)".to_owned())));
    let metrics = silta.api.get("/metrics").await.body.as_str().unwrap().to_owned();
    assert!(metrics.contains("silta_orders_waiting_seconds{connection=\"shop\"} 176400"), "{metrics}");
    silta.warehouse.receive_goods("A", 10);
    poll_and_run(&silta).await;
    assert_eq!(open().await, None);
}

#[tokio::test]
async fn choices_say_what_each_does_and_cancelling_is_done_by_silta() {
    let silta = TestSilta::start().await;
    let order = place_waiting_order(&silta).await;
    let shown = silta.show_order(order).await;
    let choices: Vec<_> = shown["choices"].as_array().unwrap().iter().map(|it| &it["choice"]).collect();
    assert_eq!(choices, ["wait", "split", "cancel"]);
    let session = Session::with(&silta, OPERATOR).await;
    let page = session.get(&format!("/orders/shop/{order}")).await.text().await.unwrap();
    for text in ["Waiting for products", "2 × ", "This is done in myOGO", "refund it there"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let list = session.get("/orders?waiting=true").await.text().await.unwrap();
    assert!(list.contains("Waiting since") && list.contains("/orders/shop/1001"), "{list}");

    assert_eq!(silta.post_order_action(order, "cancel").await, 201);
    silta.advance(secs(600)).await;
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().status, "Cancelled");
    assert_eq!(silta.count("subject_state where waiting_since is not null").await, 0);
    assert_eq!(silta.show_order(order).await["choices"], json!([]));
}
