//! `/readyz`: can this process claim and commit?

use reqwest::Method;
use silta::dev::sandbox::{Webhook, WebhookSender};

use crate::harness::{
    Api, Database, TestSilta, answer,
    process::{self, Process},
    secs, wait_until,
};

#[tokio::test]
async fn readyz_fails_when_it_cannot_claim_or_commit() {
    let silta = TestSilta::start().await;
    let ready = async || {
        silta.clock.advance(secs(1)); // an answer is used for a second
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
    silta.clock.advance(secs(30));
    assert_eq!(ready().await, (503, "the worker has not claimed for 30 seconds".to_owned()));
}

/// Anybody may ask, and each look costs a commit.
#[tokio::test]
async fn readyz_and_metrics_ask_the_database_once_a_second() {
    let silta = TestSilta::start().await;
    let seen_at = async || silta.scalar::<silta::domain::Timestamp>("select max(seen_at) from replica").await;
    let tasks_dead = async || {
        let metrics = silta.api.get("/metrics").await.body.as_str().unwrap().to_owned();
        metrics.contains("silta_tasks_dead 1")
    };
    assert_eq!(silta.api.get("/readyz").await.status, 200);
    let first = seen_at().await;
    assert!(!tasks_dead().await);
    sqlx::query(
        "insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
         values (gen_random_uuid(), 'shop', 'stock', 'stock:Z', 'dead', 'refused', 1, now(), now(), now())",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    silta.clock.advance(std::time::Duration::from_millis(900));
    for _ in 0..5 {
        assert_eq!(silta.api.get("/readyz").await.status, 200);
        assert!(!tasks_dead().await, "it was asked again");
    }
    assert_eq!(seen_at().await, first);
    silta.clock.advance(std::time::Duration::from_millis(100));
    assert_eq!(silta.api.get("/readyz").await.status, 200);
    assert_eq!(seen_at().await, first + secs(1));
    assert!(tasks_dead().await);
}

/// The port is another process's word: taken here, let go, and given to the program.
#[tokio::test]
async fn readiness_and_metrics_move_to_a_listener_of_their_own() {
    let database = Database::fresh().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sandbox = process::sandbox().await;
    let config = process::config_file(&sandbox, "");
    let mut command = std::process::Command::new(process::BINARY);
    command.arg("serve").arg("--config").arg(config.path()).env("DATABASE_URL", database.url());
    command.env("SILTA__HTTP__MONITORING_LISTEN", free.to_string());
    let running = Process::of(command);
    let status = async |url: &str, path: &str| Api::new(url).get(path).await.status;
    let monitoring = format!("http://{free}");
    for (path, here, there) in
        [("/readyz", 404, 200), ("/metrics", 404, 200), ("/livez", 200, 200), ("/admin/v1/audit", 200, 404)]
    {
        assert_eq!(
            (status(&running.url, path).await, status(&monitoring, path).await),
            (here, there),
            "{path}"
        );
    }
    assert!(running.terminate());
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
