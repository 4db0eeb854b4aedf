//! Retention: what is kept how long, and erasure on request.

use std::time::Duration;

use serde_json::{Value, json};
use silta::{
    background::retention::{Periods, Retention},
    dev::sandbox::OrderSpec,
};

use crate::harness::{CONNECTION, TestSilta, secs};

const DAY: u64 = 86_400;

fn retention(silta: &TestSilta, bodies: u64, rows: u64) -> Retention {
    let days = |days| Duration::from_secs(days * DAY);
    let periods = Periods { bodies: days(bodies), rows: days(rows), reports: days(bodies) };
    Retention::new(silta.pool.clone(), silta.clock.clone(), periods)
}

async fn count_bodies(silta: &TestSilta) -> i64 {
    silta.count("event where octet_length(body) > 0").await
}

async fn count_payloads(silta: &TestSilta) -> i64 {
    silta.count("attempt where calls::text like '%\"request\"%'").await
}

#[tokio::test]
async fn retention_redacts_closed_events_and_keeps_open_ones() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    silta.place_order(OrderSpec::of("A", 1)).await;
    let unpaid = silta.place_order(OrderSpec::of("A", 1).unpaid()).await; // skipped is closed too
    silta.sandbox.warehouse_server.set_online(false);
    let open = silta.place_order(OrderSpec::of("A", 1)).await;
    let (events, sent) = (count_bodies(&silta).await, count_payloads(&silta).await);
    assert_eq!((events, sent), (3, 1), "bodies, payloads");

    let ninety_days = retention(&silta, 90, 0);
    silta.clock.advance(secs(89 * DAY));
    assert_eq!(ninety_days.round().await.unwrap().redacted, 0, "not old enough");
    silta.clock.advance(secs(2 * DAY));
    let round = ninety_days.round().await.unwrap();
    // The two closed events, and the attempts of both tasks.
    assert_eq!((round.redacted, round.removed), (5, 0));
    let left: Vec<String> = sqlx::query_scalar("select subject from event where octet_length(body) > 0")
        .fetch_all(&silta.pool)
        .await
        .unwrap();
    assert_eq!(left, [format!("order:{open}")]);
    assert_eq!(count_payloads(&silta).await, 0, "the open task has sent nothing yet");
    assert_eq!(ninety_days.round().await.unwrap().redacted, 0, "once each");

    // The history of a redacted order can still be read.
    let shown = silta.show_order(unpaid).await;
    assert!(!shown["timeline"].as_array().unwrap().is_empty(), "{shown}");

    // The open order is redacted once it is closed.
    silta.sandbox.warehouse_server.set_online(true);
    silta.clock.advance(secs(300));
    silta.advance(secs(300)).await;
    assert_eq!(silta.order_task_state(open).await, "done");
    assert_eq!(count_payloads(&silta).await, 1);
    assert_eq!(ninety_days.round().await.unwrap().redacted, 4);
    assert_eq!((count_bodies(&silta).await, count_payloads(&silta).await), (0, 0));
}

#[tokio::test]
async fn purged_rows_do_not_let_an_old_order_repeat() {
    let silta = TestSilta::start().await;
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    let dead: uuid::Uuid = silta.scalar("select id from task").await;
    silta.api.post(&format!("/admin/v1/tasks/{dead}/replay"), json!({})).await;
    silta.run_until_idle().await;
    let key = silta.api.request(reqwest::Method::POST, "/admin/v1/connections/shop/pause");
    let key = key.bearer_auth(crate::harness::OPERATOR).header("idempotency-key", "k1").json(&json!({}));
    assert_eq!(crate::harness::answer(key).await.status, 200);
    silta.api.post("/admin/v1/connections/shop/resume", json!({})).await;
    silta.clock.advance(secs(401 * DAY));
    let round = retention(&silta, 90, 400).round().await.unwrap();
    assert_eq!(round.removed, 3, "two tasks and an answer to a key");
    for table in ["task", "event", "attempt", "idempotency"] {
        assert_eq!(silta.count(table).await, 0, "{table}");
    }
    assert_eq!(silta.count("subject_state where subject like 'order:%'").await, 1, "the subject state stays");
    assert_eq!(silta.count("audit").await, 3, "the replay, the pause and the resumption stay");
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse_count(order), silta.order_task_state(order).await.as_str()), (1, "done"));
}

#[tokio::test]
async fn purge_skips_locked_rows() {
    let silta = TestSilta::start().await;
    for _ in 0..3 {
        silta.place_order(OrderSpec::of("A", 1)).await;
    }
    silta.clock.advance(secs(401 * DAY));
    let mut admin_db = silta.outside_connection().await;
    sqlx::raw_sql("begin; select 1 from task where subject = 'order:1002' for update")
        .execute(&mut admin_db)
        .await
        .unwrap();
    let round = retention(&silta, 0, 400).round().await.unwrap();
    assert!(round.removed >= 2);
    assert_eq!(silta.count("task").await, 1, "the locked task is skipped");
    sqlx::raw_sql("commit").execute(&mut admin_db).await.unwrap();
    assert_eq!(retention(&silta, 0, 400).round().await.unwrap().removed, 1);
}

/// Starts Silta with one order that was shipped and is completed in the shop.
pub async fn start_with_delivered_order() -> (TestSilta, u64) {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 5);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    silta.warehouse.ship_order(&format!("shop-{order}"));
    silta.send_webhook(silta.warehouse.order_shipped(&format!("shop-{order}"))).await;
    silta.run_until_idle().await;
    (silta, order)
}

#[tokio::test]
async fn personal_data_is_erased_on_request_and_audited() {
    let (silta, order) = start_with_delivered_order().await;
    let other = silta.place_order(OrderSpec::of("A", 1)).await;
    assert!(silta.show_order(order).await["tracking_code"].is_string());

    assert_eq!(silta.post_order_action(order, "erase").await, 200);
    let erased = silta.show_order(order).await;
    assert!(erased["tracking_code"].is_null() && erased["tracking_url"].is_null(), "{erased}");
    assert_eq!(erased["status"], "delivered", "the status stays");
    let sql =
        format!("select count(*) from event where subject = 'order:{order}' and octet_length(body) > 0");
    assert_eq!(silta.scalar_text::<i64>(&sql).await, 0);
    let sql = format!(
        "select count(*) from attempt join task on task.id = task_id
         where subject = 'order:{order}' and calls::text like '%\"request\"%'"
    );
    assert_eq!(silta.scalar_text::<i64>(&sql).await, 0);
    let sql = format!("select count(*) from action where subject = 'order:{order}' and sent is not null");
    assert_eq!(silta.scalar_text::<i64>(&sql).await, 0);
    assert_eq!(
        (count_bodies(&silta).await, count_payloads(&silta).await),
        (2, 2),
        "order {other} has its own"
    );

    let audit = silta.api.get("/admin/v1/audit").await;
    let line = audit.items().iter().find(|line| line["action"] == "order.erase").expect("audited");
    assert_eq!((line["actor"].as_str(), line["subject"].as_str()), (Some("ops"), Some("order:1001")));
    assert_eq!(line["detail"], json!({ "events": 2, "attempts": 4 }));

    let answer = silta.api.post(&format!("/admin/v1/orders/{CONNECTION}/4711/erase"), Value::Null).await;
    assert_eq!(answer.status, 404);
}

/// A webhook that could not be read belongs to no task; its body names the order.
#[tokio::test]
async fn unread_webhooks_that_name_an_order_are_erased_with_it() {
    let (silta, order) = start_with_delivered_order().await;
    silta.sandbox.shop.place_order(OrderSpec::of("A", 1));
    let naming = [
        format!(r#"{{"hello":{{"nr":{order},"name":"Aino"}}}}"#),
        format!(r#"{{"hello":"SHOP-{order} of Aino"}}"#),
        format!(r#"{{"hello":"\u2116{order} of Aino"}}"#),
        format!(r#"{{"hello":"№{order} of Aino"}}"#),
    ];
    let others =
        [format!(r#"{{"hello":"{order}7 of Maija"}}"#), format!(r#"{{"hello":"5{order} of Maija"}}"#)];
    for body in naming.iter().chain(&others) {
        silta.send_webhook(silta::dev::sandbox::Webhook::raw_from_warehouse(body.as_bytes())).await;
    }
    assert_eq!(silta.count("event where task_id is null").await, 6);
    assert_eq!(silta.post_order_action(order, "erase").await, 200);
    let kept: String =
        silta.scalar("select string_agg(encode(body, 'escape'), '') from event where task_id is null").await;
    assert!(!kept.contains("Aino") && kept.matches("Maija").count() == 2, "{kept}");

    // An order that nothing else is known of.
    let body = r#"{"hello":"4242 of Aino"}"#;
    silta.send_webhook(silta::dev::sandbox::Webhook::raw_from_warehouse(body.as_bytes())).await;
    let answer = silta.api.post(&format!("/admin/v1/orders/{CONNECTION}/4242/erase"), Value::Null).await;
    assert_eq!((answer.status, &answer.body["events"]), (200, &json!(1)));
    silta.run_until_idle().await;
}

/// Retention removes tasks long before what was sent: that is what there is to erase.
#[tokio::test]
async fn order_without_tasks_is_erased() {
    let (silta, order) = start_with_delivered_order().await;
    silta.clock.advance(secs(401 * DAY));
    retention(&silta, 0, 400).round().await.unwrap();
    assert_eq!(silta.count("task").await, 0);
    let kept = "(select 1 from subject_state where tracking_code is not null
                 union all select 1 from action where sent is not null) kept";
    assert!(silta.count(kept).await >= 2, "there is something to erase");

    assert_eq!(silta.post_order_action(order, "erase").await, 200);
    assert_eq!(silta.count(kept).await, 0);
    let audit = silta.api.get("/admin/v1/audit").await;
    assert!(audit.items().iter().any(|line| line["action"] == "order.erase"), "audited");
    let answer = silta.api.post(&format!("/admin/v1/orders/{CONNECTION}/4711/erase"), Value::Null).await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn open_order_is_not_erased() {
    let silta = TestSilta::start().await;
    silta.sandbox.warehouse_server.set_online(false);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    let answer = silta.api.post(&format!("/admin/v1/orders/{CONNECTION}/{order}/erase"), Value::Null).await;
    assert_eq!((answer.status, answer.text("/code")), (409, "conflict"));
    assert_eq!(count_bodies(&silta).await, 1);
    silta.sandbox.warehouse_server.set_online(true);
    silta.advance(secs(300)).await;
    assert_eq!(silta.post_order_action(order, "erase").await, 200);
}
