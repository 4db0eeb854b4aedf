//! What viewers see: ids, codes, states, quantities, amounts and times, and nothing that somebody put into words.

use serde_json::Value;
use silta::dev::sandbox::{Fault, OrderSpec, Webhook};

use crate::{
    harness::{OPERATOR, TestSilta, VIEWER, answer, secs},
    ops::retention::start_with_delivered_order,
    web::session::Session,
};

/// What the warehouse says of an order; the request had none of it.
const REFUSAL: &str = r#"{ "message": "Aino of Salakatu 7 was here before" }"#;

/// Names, streets and phone numbers under keys that nobody promised.
const ODD: &str = r#"{"topic":"order.created","data":{"id":7777,"CUSTOMER_NAME":"Aino Asiakas","Phone":401234567,
    "note":"{\"street\":\"Salakatu 7\"}","customer":{"code":"Aino"},"Aino Asiakas":1,
    "rows":[{"code":"A","quantity":2,"extra":{"deep":["Salakatu 7"]}}]}}"#;

const PERSONAL: [&str; 5] = ["Aino", "Asiakas", "Salakatu", "401234567", "was here"];

/// One order that the warehouse refused in words, and one that it keeps with a comment.
async fn start_with_talkative_vendors() -> TestSilta {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    silta.warehouse.receive_goods("A", 10);
    silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::Refuse(422, REFUSAL));
    let refused = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.order_task_state(refused).await, "dead refused");
    silta.clock.advance(secs(61));
    silta.send_webhook(Webhook::raw_from_shop(ODD.as_bytes())).await;
    silta.alerts.check_and_notify().await.unwrap();
    silta.clock.advance(secs(61));
    silta.alerts.check_and_notify().await.unwrap();
    silta
}

async fn id(silta: &TestSilta, sql: &str) -> String {
    silta.scalar_text::<uuid::Uuid>(sql).await.to_string()
}

#[tokio::test]
async fn viewer_is_shown_nothing_personal() {
    let silta = start_with_talkative_vendors().await;
    let event = id(&silta, "select id from event where octet_length(body) > 200").await;
    let task = id(&silta, "select id from task where reason = 'refused'").await;
    let cause = "connection=shop&kind=order&reason=refused";
    let pages = [
        "/".to_owned(),
        "/orders".to_owned(),
        "/orders/shop/1001".to_owned(),
        "/attention".to_owned(),
        format!("/attention/cause?{cause}"),
        "/tasks".to_owned(),
        format!("/tasks/{task}"),
        "/events".to_owned(),
        format!("/events/{event}"),
        "/audit".to_owned(),
    ];
    let viewer = Session::with(&silta, VIEWER).await;
    for path in pages {
        let page = viewer.get(&path).await.text().await.unwrap();
        let found: Vec<_> = PERSONAL.iter().filter(|word| page.contains(**word)).collect();
        assert!(found.is_empty(), "{path} shows {found:?}");
    }
    let answers = [
        "orders".to_owned(),
        "orders/shop/1001".to_owned(),
        "orders/shop/1001/call-log/ogoship".to_owned(),
        format!("tasks/{task}"),
        format!("events/{event}"),
        "alerts".to_owned(),
        "attention".to_owned(),
    ];
    for path in answers {
        let request = silta.api.request(reqwest::Method::GET, &format!("/admin/v1/{path}"));
        let shown = answer(request.bearer_auth(VIEWER)).await;
        assert_eq!(shown.status, 200, "{path}");
        let text = shown.body.to_string();
        let found: Vec<_> = PERSONAL.iter().filter(|word| text.contains(**word)).collect();
        assert!(found.is_empty(), "{path} shows {found:?}");
    }
}

/// Two orders that the warehouse refused in different words are one cause for a viewer, who sees no words.
#[tokio::test]
async fn viewers_badge_counts_what_the_viewers_page_lists() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    silta.warehouse.receive_goods("A", 10);
    for answer in [r#"{ "message": "no phone" }"#, r#"{ "message": "no name" }"#] {
        silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::Refuse(422, answer));
        silta.place_order(OrderSpec::of("A", 1)).await;
    }
    for (token, causes) in [(VIEWER, 1), (OPERATOR, 2)] {
        let session = Session::with(&silta, token).await;
        let page = session.get("/attention").await.text().await.unwrap();
        assert_eq!(page.matches("<section class=\"card cause\">").count(), causes);
        let counts = session.get("/live").await.chunk().await.unwrap().unwrap();
        let counts = String::from_utf8_lossy(&counts).into_owned();
        assert!(counts.contains(&format!("\"attention\":{causes},")), "{counts}");
    }
}

/// An operator releases the orders of a cause that is named by the warehouse's words.
#[tokio::test]
async fn audit_shows_viewers_no_words_of_a_vendor() {
    let silta = start_with_talkative_vendors().await;
    let detail: String = silta.scalar("select detail from attempt where reason = 'refused'").await;
    let filter = serde_json::json!({ "state": "dead", "reason": "refused", "detail": detail });
    let replay =
        silta.api.post("/admin/v1/replays", serde_json::json!({ "filter": filter, "limit": 5 })).await;
    assert_eq!((replay.status, &replay.body["count"]), (201, &serde_json::json!(1)), "{}", replay.body);
    let id = replay.text("/id");
    for path in ["audit".to_owned(), format!("replays/{id}")] {
        let request = silta.api.request(reqwest::Method::GET, &format!("/admin/v1/{path}"));
        let shown = answer(request.bearer_auth(VIEWER)).await.body.to_string();
        assert!(shown.contains("refused") && !shown.contains("was here"), "{shown}");
        assert!(silta.api.get(&format!("/admin/v1/{path}")).await.body.to_string().contains("was here"));
    }
    let page = Session::with(&silta, VIEWER).await.get("/audit").await.text().await.unwrap();
    assert!(page.contains("replays.create") && !page.contains("was here"), "{page}");
}

#[tokio::test]
async fn viewer_is_shown_codes_and_an_operator_the_vendors_words() {
    let silta = start_with_talkative_vendors().await;
    let event = id(&silta, "select id from event where octet_length(body) > 200").await;
    let [viewer, operator] = [Session::with(&silta, VIEWER).await, Session::with(&silta, OPERATOR).await];
    let page = viewer.get(&format!("/events/{event}")).await.text().await.unwrap();
    for shown in ["7777", "order.created", "&quot;quantity&quot;: 2", "•"] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    let page = operator.get("/orders/shop/1001").await.text().await.unwrap();
    assert!(page.contains("was here before"), "{page}");
    let alerts = silta.api.get("/admin/v1/alerts").await.body.to_string();
    assert!(alerts.contains("was here before"), "{alerts}");
}

/// A viewer could try out all postal codes where the mark of a value were always the same.
#[tokio::test]
async fn marks_of_a_payload_are_other_ones_on_each_page() {
    let silta = TestSilta::start().await;
    let body = r#"{"topic":"order.created","data":{"id":1001,"customer":{"zip":"00100"}}}"#;
    silta.send_webhook(Webhook::raw_from_shop(body.as_bytes())).await;
    silta.run_until_idle().await;
    let event = id(&silta, "select id from event").await;
    let session = Session::with(&silta, OPERATOR).await;
    let mut marks = Vec::new();
    for _ in 0..3 {
        let page = session.get(&format!("/events/{event}")).await.text().await.unwrap();
        assert!(!page.contains("00100"));
        marks.push(page.split('•').nth(1).expect("a mark")[..4].to_owned());
    }
    marks.dedup();
    assert!(marks.len() > 1, "{marks:?}");
}

#[tokio::test]
async fn viewer_is_not_shown_the_warehouses_comments_and_links() {
    let (silta, order) = start_with_delivered_order().await;
    let sql = "update subject_state set warehouse_comments = 'Aino was here' where subject like 'order:%'";
    sqlx::query(sql).execute(&silta.pool).await.unwrap();
    let path = format!("/admin/v1/orders/shop/{order}");
    let shown = answer(silta.api.request(reqwest::Method::GET, &path).bearer_auth(VIEWER)).await.body;
    assert_eq!((&shown["warehouse_comments"], &shown["tracking_url"]), (&Value::Null, &Value::Null));
    assert!(shown["tracking_code"].is_string() && !shown.to_string().contains("Aino"), "{shown}");
    let shown = silta.show_order(order).await;
    assert!(shown["tracking_url"].is_string() && shown["summary"].as_str().unwrap().contains("Aino"));
}
