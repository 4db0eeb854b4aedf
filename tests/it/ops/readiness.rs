//! `/readyz`: can this process claim and commit?

use reqwest::Method;
use silta::dev::sandbox::{Webhook, WebhookSender};

use crate::harness::{TestSilta, answer, secs, wait_until};

#[tokio::test]
async fn readyz_fails_when_it_cannot_claim_or_commit() {
    let silta = TestSilta::start().await;
    let ready = async || {
        let answer = silta.api.get("/readyz").await;
        (answer.status, answer.body["detail"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(ready().await.0, 200);
    assert_eq!(silta.count("replica where seen_at = started_at").await, 1, "readiness is proved by a commit");

    // A read-only standby, or a server with a full disk, answers reads and refuses writes.
    let name: String = silta.scalar("select current_database()").await;
    let read_only = |on: bool| format!("alter database {name} set default_transaction_read_only = {on}");
    let mut admin_db = silta.outside_connection().await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(read_only(true))).execute(&mut admin_db).await.unwrap();
    terminate_connections(&mut admin_db).await;
    let _ = ready().await; // uses up the terminated connections
    wait_until("new connections are read-only", async || {
        ready().await.1.contains("nothing can be committed")
    })
    .await;
    assert_eq!(silta.api.get("/livez").await.status, 200);
    let webhook = Webhook::raw_from_shop(br#"{"topic":"order.created","data":{"id":1}}"#);
    let (header, signature) = WebhookSender::signature(&webhook);
    let request = silta.api.request(Method::POST, "/webhooks/mycashflow/shop/sandbox-token-4f1d");
    let refused = answer(request.header(header, signature).body(webhook.body)).await;
    assert_eq!((refused.status, refused.text("/code")), (503, "unavailable"));
    let restore = format!("set default_transaction_read_only = off; {}", read_only(false));
    sqlx::raw_sql(sqlx::AssertSqlSafe(restore)).execute(&mut admin_db).await.unwrap();
    terminate_connections(&mut admin_db).await;
    wait_until("ready again", async || ready().await.0 == 200).await;

    // The claim loop has been silent for half a minute.
    let stop = tokio_util::sync::CancellationToken::new();
    let (worker, soft) = (silta.worker.clone(), stop.clone());
    let running = tokio::spawn(async move { worker.run(soft.clone(), soft).await });
    let an_hour_later = silta.now() + chrono::Duration::hours(1);
    wait_until("the loop claims", async || !silta.worker.heartbeat().is_alive(an_hour_later)).await;
    assert_eq!(ready().await.0, 200);
    stop.cancel();
    running.await.unwrap();
    silta.clock.advance(secs(31));
    assert_eq!(ready().await, (503, "the worker has not claimed for 30 seconds".to_owned()));
}

async fn terminate_connections(db: &mut sqlx::PgConnection) {
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()",
    )
    .execute(db)
    .await
    .unwrap();
}
