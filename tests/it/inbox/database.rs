//! Webhooks while the database is away or restarts.

use std::time::{Duration, Instant};

use silta::dev::sandbox::{Webhook, WebhookSender};
use sqlx::{Connection, PgConnection};

use super::webhook::{MYCASHFLOW_PATH, post_webhook};
use crate::harness::{TestSilta, secs, server, wait_until};

#[tokio::test]
async fn unreachable_database_gets_503_and_readyz_fails() {
    let silta = TestSilta::start().await;
    assert_eq!(silta.api.get("/readyz").await.status, 200);
    silta.pool.close().await;
    silta.hot_pool.close().await;
    silta.clock.advance(secs(1));
    let webhook = Webhook::raw_from_shop(br#"{"id":1}"#);
    let (header, signature) = WebhookSender::signature(&webhook);
    let refused = post_webhook(&silta, MYCASHFLOW_PATH, (header, &signature), &webhook.body).await;
    assert_eq!((refused.status, refused.text("/code")), (503, "unavailable"));
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(silta.api.get("/readyz").await.status, 503);
    assert_eq!(silta.api.get("/livez").await.status, 200);
}

#[tokio::test]
async fn database_restart_loses_no_webhook() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    // Open several pool connections, then terminate them all, as a restart does.
    let open_connections = open_pool_connections(&silta, 6).await;
    drop(open_connections);
    let mut admin_db = silta.outside_connection().await;
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()",
    )
    .execute(&mut admin_db)
    .await
    .unwrap();
    let body = br#"{"topic":"order.created","data":{"id":1}}"#;
    assert_eq!(silta.send_webhook(Webhook::raw_from_shop(body)).await["duplicate"], false);
    let stored: i64 =
        sqlx::query_scalar("select count(*) from event").fetch_one(&mut admin_db).await.unwrap();
    assert_eq!(stored, 1);
}

/// Nobody waits for a database that is known to be away, and the first one for two seconds at most.
#[tokio::test(flavor = "multi_thread")]
async fn webhook_waits_briefly_for_a_database_that_is_away() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let webhook = Webhook::raw_from_shop(br#"{"topic":"order.created","data":{"id":1}}"#);
    let (header, signature) = WebhookSender::signature(&webhook);
    let send = async || {
        let begun = Instant::now();
        let answer = post_webhook(&silta, MYCASHFLOW_PATH, (header, &signature), &webhook.body).await;
        (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned(), begun.elapsed())
    };
    let name: String = silta.scalar("select current_database()").await;
    let mut admin_db = PgConnection::connect_with(&server().options("postgres")).await.unwrap();
    let allow = async |db: &mut PgConnection, is_allowed: bool| {
        let sql = format!("alter database {name} allow_connections {is_allowed}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *db).await.unwrap();
        let sql = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
        sqlx::query(sql).bind(&name).execute(db).await.unwrap();
    };
    allow(&mut admin_db, false).await;

    let (status, code, waited) = send().await;
    assert_eq!((status, code.as_str()), (503, "unavailable"));
    assert!(waited < Duration::from_millis(2500), "{waited:?}");
    let mut at_once = 0;
    for _ in 0..20 {
        let (status, _, waited) = send().await;
        assert_eq!(status, 503);
        at_once += usize::from(waited < Duration::from_millis(200));
    }
    assert!(at_once >= 15, "{at_once} of 20 were answered at once");

    allow(&mut admin_db, true).await;
    wait_until("webhooks are accepted again", async || send().await.0 == 200).await;
}

/// The same where every wait would last: all connections are taken.
#[tokio::test(flavor = "multi_thread")]
async fn webhook_does_not_wait_where_one_has_waited_in_vain() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let webhook = Webhook::raw_from_shop(br#"{"topic":"order.created","data":{"id":1}}"#);
    let (header, signature) = WebhookSender::signature(&webhook);
    let send = async || {
        let begun = Instant::now();
        let answer = post_webhook(&silta, MYCASHFLOW_PATH, (header, &signature), &webhook.body).await;
        (answer.status, begun.elapsed())
    };
    let mut taken = Vec::new();
    for _ in 0..silta.hot_pool.options().get_max_connections() {
        taken.push(silta.hot_pool.acquire().await.unwrap());
    }
    let (status, waited) = send().await;
    assert!(status == 503 && waited < Duration::from_millis(2500), "{status} after {waited:?}");
    let mut at_once = 0;
    for _ in 0..20 {
        let (status, waited) = send().await;
        assert_eq!(status, 503);
        at_once += usize::from(waited < Duration::from_millis(200));
    }
    assert!(at_once >= 15, "{at_once} of 20 were answered at once");
    drop(taken);
    wait_until("webhooks are accepted again", async || send().await.0 == 200).await;
}

/// Whether a signature is wrong is unknown while the stored keys cannot be read: the sender must repeat it.
#[tokio::test]
async fn signature_of_an_unread_key_is_not_called_wrong() {
    let silta = TestSilta::start().await;
    silta.pool.close().await;
    silta.hot_pool.close().await;
    silta.clock.advance(secs(1));
    let webhook = Webhook::raw_from_shop(br#"{"id":1}"#);
    let (header, _) = WebhookSender::signature(&webhook);
    for _ in 0..2 {
        let answer = post_webhook(&silta, MYCASHFLOW_PATH, (header, "feed"), &webhook.body).await;
        assert_eq!((answer.status, answer.text("/code")), (503, "unavailable"));
    }
}

async fn open_pool_connections(
    silta: &TestSilta,
    count: usize,
) -> Vec<sqlx::pool::PoolConnection<sqlx::Postgres>> {
    let mut open_connections = Vec::new();
    for _ in 0..count {
        open_connections.push(silta.pool.acquire().await.unwrap());
    }
    open_connections
}
