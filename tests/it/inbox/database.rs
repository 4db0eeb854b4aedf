//! Webhooks while the database is away or restarts.

use silta::dev::sandbox::{Webhook, WebhookSender};

use super::webhook::{MYCASHFLOW_PATH, post_webhook};
use crate::harness::TestSilta;

#[tokio::test]
async fn unreachable_database_gets_503_and_readyz_fails() {
    let silta = TestSilta::start().await;
    assert_eq!(silta.api.get("/readyz").await.status, 200);
    silta.pool.close().await;
    silta.hot_pool.close().await;
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
