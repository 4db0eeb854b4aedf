//! What is kept for how long, and what is forgotten on request.

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

async fn bodies(silta: &TestSilta) -> i64 {
    silta.count("event where octet_length(body) > 0").await
}

async fn payloads(silta: &TestSilta) -> i64 {
    silta.count("attempt where calls::text like '%\"request\"%'").await
}

#[tokio::test]
async fn bodies_and_payloads_are_blanked_after_a_set_time_once_closed_and_what_is_open_keeps_everything() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    silta.orders(OrderSpec::of("A", 1)).await;
    let waits = silta.orders(OrderSpec::of("A", 1).unpaid()).await; // skipped: closed as well
    silta.sandbox.warehouse_server.set_online(false);
    let open = silta.orders(OrderSpec::of("A", 1)).await;
    let (told, sent) = (bodies(&silta).await, payloads(&silta).await);
    assert!(told >= 3 && sent >= 1, "{told} bodies, {sent} payloads");

    let kept = retention(&silta, 90, 0);
    silta.clock.advance(secs(89 * DAY));
    assert_eq!(kept.round().await.unwrap().blanked, 0, "not old enough");
    silta.clock.advance(secs(2 * DAY));
    let round = kept.round().await.unwrap();
    assert!(round.blanked > 0 && round.removed == 0, "{round:?}");
    let left: Vec<String> = sqlx::query_scalar("select subject from event where octet_length(body) > 0")
        .fetch_all(&silta.pool)
        .await
        .unwrap();
    assert_eq!(left, [format!("order:{open}")]);
    assert_eq!(payloads(&silta).await, 0, "the open one has sent nothing yet");
    assert_eq!(kept.round().await.unwrap().blanked, 0, "once each");

    // That they were, and what became of them, is still to be read.
    let life = silta.order(waits).await;
    assert!(!life["story"].as_array().unwrap().is_empty(), "{life}");

    // The open one is met again, once it is closed.
    silta.sandbox.warehouse_server.set_online(true);
    silta.clock.advance(secs(300));
    silta.passes(secs(300)).await;
    assert_eq!(silta.stands(open).await, "delivered");
    assert!(payloads(&silta).await > 0);
    assert!(kept.round().await.unwrap().blanked > 0);
    assert_eq!((bodies(&silta).await, payloads(&silta).await), (0, 0));
}

#[tokio::test]
async fn closed_rows_go_after_their_time_and_a_repeat_of_an_old_order_still_doubles_nothing() {
    let silta = TestSilta::start().await;
    let order = silta.orders(OrderSpec::of("A", 1)).await;
    let dead: uuid::Uuid = silta.scalar("select id from delivery").await;
    silta.api.post(&format!("/admin/v1/deliveries/{dead}/replay"), json!({})).await;
    silta.run_until_idle().await;
    let key = silta.api.request(reqwest::Method::POST, "/admin/v1/connections/shop/pause");
    let key = key.bearer_auth(crate::harness::OPERATOR).header("idempotency-key", "k1").json(&json!({}));
    assert_eq!(crate::harness::answer(key).await.status, 200);
    silta.api.post("/admin/v1/connections/shop/resume", json!({})).await;
    silta.clock.advance(secs(401 * DAY));
    let round = retention(&silta, 90, 400).round().await.unwrap();
    assert!(round.removed >= 3, "two deliveries and an answer to a key: {round:?}");
    for table in ["delivery", "event", "attempt", "idempotency"] {
        assert_eq!(silta.count(table).await, 0, "{table}");
    }
    assert_eq!(silta.count("link where subject like 'order:%'").await, 1, "what is remembered stays");
    assert!(silta.count("audit").await > 0, "and who did what");
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!((silta.there(order), silta.stands(order).await.as_str()), (1, "delivered"));
}

#[tokio::test]
async fn purging_never_blocks_and_is_never_blocked() {
    let silta = TestSilta::start().await;
    for _ in 0..3 {
        silta.orders(OrderSpec::of("A", 1)).await;
    }
    silta.clock.advance(secs(401 * DAY));
    let mut outside = silta.outside().await;
    sqlx::raw_sql("begin; select 1 from delivery where subject = 'order:1002' for update")
        .execute(&mut outside)
        .await
        .unwrap();
    let round = retention(&silta, 0, 400).round().await.unwrap();
    assert!(round.removed >= 2);
    assert_eq!(silta.count("delivery").await, 1, "the locked one is passed by");
    sqlx::raw_sql("commit").execute(&mut outside).await.unwrap();
    assert_eq!(retention(&silta, 0, 400).round().await.unwrap().removed, 1);
}

#[tokio::test]
async fn an_orders_personal_data_is_erased_on_request_and_the_erasure_is_audited() {
    let silta = TestSilta::start().await;
    silta.warehouse.receives_goods("A", 5);
    let order = silta.orders(OrderSpec::of("A", 1)).await;
    silta.warehouse.ships(&format!("shop-{order}"));
    silta.hears(silta.warehouse.order_shipped(&format!("shop-{order}"))).await;
    silta.run_until_idle().await;
    let other = silta.orders(OrderSpec::of("A", 1)).await;
    assert!(silta.order(order).await["tracking_code"].is_string());

    assert_eq!(silta.asks(order, "erase").await, 200);
    let erased = silta.order(order).await;
    assert!(erased["tracking_code"].is_null() && erased["tracking_url"].is_null(), "{erased}");
    assert_eq!(erased["status"], "delivered", "what became of it stays");
    let sql =
        format!("select count(*) from event where subject = 'order:{order}' and octet_length(body) > 0");
    assert_eq!(silta.scalar_of::<i64>(&sql).await, 0);
    let sql = format!(
        "select count(*) from attempt join delivery on delivery.id = delivery_id
         where subject = 'order:{order}' and calls::text like '%\"request\"%'"
    );
    assert_eq!(silta.scalar_of::<i64>(&sql).await, 0);
    let sql = format!("select count(*) from link where subject = 'order:{order}' and sent is not null");
    assert_eq!(silta.scalar_of::<i64>(&sql).await, 0);
    assert!(bodies(&silta).await > 0 && payloads(&silta).await > 0, "order {other} has its own");

    let audit = silta.api.get("/admin/v1/audit").await;
    let line = audit.items().iter().find(|line| line["action"] == "order.erase").expect("audited");
    assert_eq!((line["actor"].as_str(), line["subject"].as_str()), (Some("ops"), Some("order:1001")));
    assert!(line["detail"]["events"].as_i64() > Some(0), "{line}");

    let answer = silta.api.post(&format!("/admin/v1/orders/{CONNECTION}/4711/erase"), Value::Null).await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn an_order_that_is_still_on_its_way_is_not_erased() {
    let silta = TestSilta::start().await;
    silta.sandbox.warehouse_server.set_online(false);
    let order = silta.orders(OrderSpec::of("A", 1)).await;
    let answer = silta.api.post(&format!("/admin/v1/orders/{CONNECTION}/{order}/erase"), Value::Null).await;
    assert_eq!((answer.status, answer.text("/code")), (409, "conflict"));
    assert!(bodies(&silta).await > 0);
    silta.sandbox.warehouse_server.set_online(true);
    silta.passes(secs(300)).await;
    assert_eq!(silta.asks(order, "erase").await, 200);
}
