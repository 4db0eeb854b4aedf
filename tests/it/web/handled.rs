//! An order that asks for work outside Silta is marked as handled, and comes back when it changes.

use reqwest::StatusCode;
use serde_json::json;
use silta::dev::sandbox::OrderSpec;
use uuid::Uuid;

use crate::{
    harness::{OPERATOR, TestSilta, VIEWER, secs},
    web::{orders::page, session::Session},
};

const HANDLED: [(&str, &str); 2] = [("ask", "handled"), ("from", "order")];

/// An order that is cancelled in the shop while the warehouse collects it, and its task.
async fn start_with_late_cancellation() -> (TestSilta, u64, Uuid) {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 9);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    silta.warehouse.collect_order(&format!("shop-{order}"));
    silta.shop.cancel_order(order);
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "dead too_late_to_cancel");
    let task = silta.scalar("select id from task where state = 'dead'").await;
    (silta, order, task)
}

async fn causes(silta: &TestSilta) -> usize {
    silta.api.get("/admin/v1/attention").await.items().len()
}

#[tokio::test]
async fn handled_order_leaves_needs_attention_until_it_changes() {
    let (silta, order, task) = start_with_late_cancellation().await;
    let session = Session::with(&silta, OPERATOR).await;
    let (path, ask) = (format!("/orders/shop/{order}"), format!("/tasks/{task}"));
    for at in ["/attention", &path] {
        let shown = page(&session, at).await;
        for part in ["Mark as handled", "comes back if it changes again", "value=\"handled\""] {
            assert!(shown.contains(part), "{part} at {at}: {shown}");
        }
    }
    let marked = session.submit(&ask, &HANDLED).await;
    assert_eq!(marked.headers()["location"], format!("{path}?done=handled"));
    let shown = page(&session, &format!("{path}?done=handled")).await;
    assert!(shown.contains("The order is marked as handled.") && shown.contains("Marked by ops"), "{shown}");
    let heading = shown.split("</h1>").next().and_then(|before| before.split("<h1>").nth(1)).unwrap();
    assert!(heading.contains("handled") && !heading.contains("stopped"), "{heading}");
    assert!(!shown.contains("value=\"handled\"") && shown.contains("Marked as handled by ops."), "{shown}");
    assert_eq!(causes(&silta).await, 0);
    assert!(!page(&session, "/attention").await.contains(&path));
    assert!(!page(&session, "/tasks?state=dead").await.contains("value=\"all\""), "none is tried again");
    let retried = session.submit("/replays", &[("state", "dead"), ("which", "all")]).await;
    let replay = page(&session, retried.headers()["location"].to_str().unwrap()).await;
    assert!(replay.contains("0 / 0"), "{replay}");
    assert_eq!(silta.count("audit where action = 'task.handle' and actor = 'ops'").await, 1);
    assert!(page(&session, "/audit").await.contains("Marked the order as handled"));
    let item = silta.show_order(order).await;
    assert_eq!((item["handled_by"].as_str(), item["task_state"].as_str()), (Some("ops"), Some("dead")));

    // Once is enough, and a sync of all orders finds nothing new.
    assert_eq!(session.submit(&ask, &HANDLED).await.status(), StatusCode::CONFLICT);
    silta.api.post("/admin/v1/connections/shop/syncs", json!({ "what": "orders" })).await;
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    assert_eq!(causes(&silta).await, 0);

    silta.warehouse.ship_order(&format!("shop-{order}"));
    silta.clock.advance(secs(400));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.order_task_state(order).await, "dead shipped_though_cancelled");
    assert_eq!(causes(&silta).await, 1);
    let shown = page(&session, &path).await;
    assert!(shown.contains("value=\"handled\"") && !shown.contains("is marked as handled"), "{shown}");
    // A page of before must not answer what it did not show.
    assert_eq!(session.submit(&ask, &HANDLED).await.status(), StatusCode::CONFLICT);
    assert_eq!(causes(&silta).await, 1);
}

#[tokio::test]
async fn only_operators_mark_an_order_and_only_from_our_pages() {
    let (silta, order, task) = start_with_late_cancellation().await;
    let ask = format!("/tasks/{task}");
    let viewer = Session::with(&silta, VIEWER).await;
    assert!(!page(&viewer, &format!("/orders/shop/{order}")).await.contains("value=\"handled\""));
    assert_eq!(viewer.submit(&ask, &HANDLED).await.status(), StatusCode::FORBIDDEN);
    let mut session = Session::with(&silta, OPERATOR).await;
    session.csrf = "of another session".to_owned();
    assert_eq!(session.submit(&ask, &HANDLED).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!((causes(&silta).await, silta.count("audit").await), (1, 0));
    let answer = silta.api.post(&format!("/admin/v1/tasks/{task}/handle"), json!({})).await;
    assert_eq!((answer.status, causes(&silta).await), (200, 0), "{}", answer.body);
    let finnish = Session::with(&silta, OPERATOR).await.in_finnish();
    let shown = page(&finnish, &format!("/orders/shop/{order}")).await;
    assert!(shown.contains("Se on merkitty hoidetuksi") && shown.contains("hoidettu"), "{shown}");
}

#[tokio::test]
async fn order_that_silta_itself_goes_on_with_is_not_marked() {
    let silta = TestSilta::start().await;
    let order = silta.place_order(OrderSpec::of("A", 1).to_country("Suomi")).await;
    assert_eq!(silta.order_task_state(order).await, "dead address_incomplete");
    let task: Uuid = silta.scalar("select id from task where state = 'dead'").await;
    let session = Session::with(&silta, OPERATOR).await;
    assert!(!page(&session, &format!("/orders/shop/{order}")).await.contains("value=\"handled\""));
    assert_eq!(session.submit(&format!("/tasks/{task}"), &HANDLED).await.status(), StatusCode::CONFLICT);
    assert_eq!(causes(&silta).await, 1);
}
