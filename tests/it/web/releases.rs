//! What waited for a switch or a shipping rule is offered once that is there, with a count and one button.

use serde_json::{Value, json};
use silta::{app::App, dev::sandbox::OrderSpec};

use crate::{
    harness::{OPERATOR, TestSilta, VIEWER},
    web::session::Session,
};

impl TestSilta {
    /// What waits for this reason: how many, whether it is ready, whether it may be released.
    async fn waiting_for(&self, reason: &str) -> Option<(i64, bool, bool)> {
        let listed = self.api.get("/admin/v1/releases").await;
        let found = listed.items().iter().find(|it| it["reason"] == reason).cloned()?;
        let flag = |key: &str| found[key].as_bool().unwrap();
        Some((found["count"].as_i64().unwrap(), flag("ready"), flag("can_release")))
    }

    async fn release(&self, reason: &str) -> crate::harness::Answer {
        self.api.post("/admin/v1/releases", json!({ "connection": "shop", "reason": reason })).await
    }

    /// Another process, whose configuration is the newest from now on.
    async fn reconfigured(&self, settings: &[(&str, &str)]) -> App {
        let app = self.second_process(settings);
        app.prepare().await.unwrap();
        app.adopt_configuration().await.unwrap();
        app
    }
}

#[tokio::test]
async fn orders_that_waited_for_the_switch_are_offered_and_sent() {
    let silta = TestSilta::start_with_settings(&[("orders.transfer", "manual")]).await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(silta.place_order(OrderSpec::of("A", 1)).await);
    }
    let unpaid = silta.place_order(OrderSpec::of("A", 1).unpaid()).await;
    let sent = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.post_order_action(sent, "transfer").await, 201);
    assert_eq!(
        silta.waiting_for("manual_transfer").await,
        Some((4, false, false)),
        "not the one that was sent"
    );
    assert_eq!(silta.release("manual_transfer").await.status, 409, "a transfer by hand overrides every rule");

    let automatic = silta.reconfigured(&[]).await;
    assert_eq!(silta.waiting_for("manual_transfer").await, Some((4, true, true)));
    let session = Session::with(&silta, OPERATOR).await;
    for path in ["/", "/attention", "/connections"] {
        let page = session.get(path).await.text().await.unwrap();
        assert!(page.contains("4 orders") && page.contains("waited and may go now"), "{path}: {page}");
        assert!(page.contains("action=\"/releases\""), "{path}");
    }
    let viewer = Session::with(&silta, VIEWER).await.get("/").await.text().await.unwrap();
    assert!(viewer.contains("4 orders") && !viewer.contains("action=\"/releases\""), "{viewer}");

    let shown = session
        .get("/attention/cause?connection=shop&kind=order&reason=manual_transfer&state=skipped")
        .await
        .text()
        .await
        .unwrap();
    assert!(orders.iter().all(|order| shown.contains(&format!("Order {order}"))), "{shown}");
    let fields = [("connection", "shop"), ("reason", "manual_transfer"), ("which", "all")];
    let answer = session.submit("/releases", &fields).await;
    assert!(answer.headers()["location"].to_str().unwrap().starts_with("/replays/"));
    automatic.worker.run_until_idle().await.unwrap();
    assert!(orders.iter().all(|order| silta.warehouse_count(*order) == 1));
    assert_eq!(
        (silta.order_task_state(unpaid).await.as_str(), silta.warehouse_count(unpaid)),
        ("skipped not_paid", 0)
    );
    assert_eq!((silta.warehouse_count(sent), silta.waiting_for("manual_transfer").await), (1, None));
    assert_eq!(silta.release("manual_transfer").await.status, 409, "nothing waits any more");
    assert_eq!(silta.count("audit where action = 'tasks.release'").await, 1);
}

#[tokio::test]
async fn orders_that_waited_for_a_rule_are_offered_and_sent() {
    let silta = TestSilta::start().await;
    let order = silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    assert_eq!(silta.waiting_for("shipping_unmapped").await, Some((1, false, false)));
    let rule = json!({ "pattern": "Lentokone", "code": "Air" });
    let path = "/admin/v1/connections/shop/shipping-rules";
    let answer = silta.api.put(path, rule).await;
    assert!(answer.status < 300, "{}", answer.body);
    assert_eq!(silta.waiting_for("shipping_unmapped").await, Some((1, true, true)));
    let page = Session::with(&silta, OPERATOR).await.get("/connections").await.text().await.unwrap();
    assert!(page.contains("There is a rule now for the shipping method"), "{page}");
    assert_eq!(silta.release("shipping_unmapped").await.status, 201);
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse_count(order), silta.waiting_for("shipping_unmapped").await), (1, None));
}

#[tokio::test]
async fn products_and_figures_that_are_manual_are_released_by_a_person() {
    let silta = TestSilta::start_with_settings(&[
        ("orders.transfer", "off"),
        ("products.upload", "manual"),
        ("stock.update", "manual"),
    ])
    .await;
    for (id, code) in [(1, "A"), (2, "B"), (3, "C")] {
        silta.shop.add_product(id, code, "Kahvi", 5);
        silta.send_product_update(id).await;
    }
    assert_eq!(silta.waiting_for("manual_upload").await, Some((3, false, true)));
    let session = Session::with(&silta, OPERATOR).await;
    let page = session.get("/attention").await.text().await.unwrap();
    let path =
        "/attention/cause?connection=shop&amp;kind=product&amp;reason=manual%5Fupload&amp;state=skipped";
    assert!(page.contains(path), "{page}");
    let cause = session.get(&path.replace("&amp;", "&")).await.text().await.unwrap();
    let one = cause.split("name=\"id\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let selected = [("connection", "shop"), ("reason", "manual_upload"), ("which", "selected"), ("id", one)];
    session.submit("/releases", &selected).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.codes(), ["A"]);
    assert_eq!(silta.release("manual_upload").await.status, 201);
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.codes(), ["A", "B", "C"]);
    assert_eq!(silta.waiting_for("manual_upload").await, None);

    let off = silta.release("transfer_off").await;
    assert_eq!(off.status, 409);
    assert!(off.text("/detail").contains("orders.transfer"), "{}", off.body);
    let none: Value = silta.release("not_paid").await.body;
    assert_eq!(none["code"], "not_found");
}
