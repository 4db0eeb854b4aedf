//! The worker's loop: retries, wake-ups, pause, shutdown.

use silta::{
    app::shutdown::Shutdown,
    dev::sandbox::{Fault, OrderSpec, Webhook},
    store::{DUE_CHANNEL, NotifyListener},
};

use crate::harness::{POLICY, TestSilta, attempt_end, secs, settle_task, wait_until};

#[tokio::test]
async fn failing_task_backs_off_and_ends_dead() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    for _ in 0..6 {
        silta.sandbox.shop_server.faults.script("GET", "/orders/1001", Fault::Status(500));
    }
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    for _ in 0..40 {
        silta.advance(secs(20)).await;
    }
    assert_eq!(silta.task_state("order:1001").await, "dead vendor_failed");
    let waits: Vec<f64> = sqlx::query_scalar(
        "select extract(epoch from started_at - lag(started_at) over (order by number))::float8
         from attempt order by number offset 1",
    )
    .fetch_all(&silta.pool)
    .await
    .unwrap();
    assert_eq!(waits.len(), 5);
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0] * 1.2), "{waits:?}");
}

#[tokio::test]
async fn retry_after_is_honoured_and_counts_no_failure() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.sandbox.shop_server.faults.script("GET", "/orders/1001", Fault::TooMany(40));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    let (wait, attempts): (f64, i32) =
        sqlx::query_as("select extract(epoch from due_at - created_at)::float8, failures from task")
            .fetch_one(&silta.pool)
            .await
            .unwrap();
    assert_eq!((wait, attempts), (40.0, 0));
    silta.clock.advance(secs(41));
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn event_during_an_attempt_makes_the_task_due_again() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 5);
    silta.send_webhook(silta.warehouse.stock_changed("A")).await;
    // The stock changes again between the read and the write of the attempt.
    silta.sandbox.shop_server.faults.script("GET", "/stock/A", Fault::Slow(secs(0)));
    let mut db = silta.pool.acquire().await.unwrap();
    let leased = silta.claim_tasks(1).await.remove(0);
    silta.warehouse.receive_goods("A", 1);
    silta.send_webhook(Webhook::raw_from_warehouse(br#"{"productCode":"A","modified":"now"}"#)).await;
    let in_sync = silta::domain::task::outcome::Outcome::InSync;
    let next =
        silta::domain::task::transition::transition(&leased, &attempt_end(&in_sync, silta.now()), &POLICY);
    settle_task(&mut db, &leased, &in_sync, &next, silta.now()).await;
    drop(db);
    assert_eq!(
        silta.task_state("stock:A").await,
        "pending",
        "the outcome was in sync, but for an older revision"
    );
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity("A"), Some(6));
}

#[tokio::test]
async fn catalogue_read_during_an_attempt_wakes_the_waiting_task() {
    let silta = TestSilta::start().await;
    sqlx::query("update connection set catalogue_read_at = null").execute(&silta.pool).await.unwrap();
    silta.shop.add_product(1, "A", "A", 0);
    silta.send_webhook(silta.shop.product_updated(1)).await;
    // The catalogue is read after the attempt asked for it and before it settles as waiting.
    let leased = silta.claim_tasks(1).await;
    silta.syncer.run_due().await.unwrap();
    let until = silta.now() + chrono::Duration::minutes(10);
    let waiting = silta::domain::task::outcome::Outcome::Waiting {
        until,
        reason: silta::domain::task::reason::Reason::CatalogueUnread,
    };
    let next =
        silta::domain::task::transition::transition(&leased[0], &attempt_end(&waiting, silta.now()), &POLICY);
    let mut db = silta.pool.acquire().await.unwrap();
    settle_task(&mut db, &leased[0], &waiting, &next, silta.now()).await;
    drop(db);
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("product:1").await, "done", "it runs at once, not in ten minutes");
}

#[tokio::test]
async fn paused_connection_stores_webhooks_and_sends_nothing() {
    let silta = TestSilta::start().await;
    let paused = silta.api.post("/admin/v1/connections/shop/pause", serde_json::json!({})).await;
    assert_eq!((paused.status, paused.text("/health")), (200, "paused"));
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    assert_eq!(silta.run_until_idle().await, 0);
    assert_eq!(silta.api.post("/admin/v1/connections/shop/pause", serde_json::json!({})).await.status, 409);

    assert_eq!(silta.api.post("/admin/v1/connections/shop/resume", serde_json::json!({})).await.status, 200);
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn loop_wakes_for_a_webhook_and_shutdown_drains_attempts() {
    let silta = TestSilta::start().await;
    let shutdown = Shutdown::default();
    let worker = silta.worker.clone();
    let (soft, hard) = (shutdown.soft.clone(), shutdown.hard.clone());
    let running = tokio::spawn(async move { worker.run(soft, hard).await });
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::Slow(secs(0)));
    silta.send_webhook(silta.shop.order_created(order)).await;
    wait_until("an attempt is settled", async || silta.count("attempt").await > 0).await;
    shutdown.soft.cancel();
    running.await.unwrap();
    assert_eq!(silta.count("task where state = 'leased'").await, 0);
    silta.second_worker().run_until_idle().await.unwrap();
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn slow_listener_does_not_block_vacuum() {
    let silta = TestSilta::start().await;
    let mut listener = NotifyListener::new(silta.pool.clone(), DUE_CHANNEL);
    assert!(listener.ensure_open().await);
    // 20 MB: more than the socket buffers hold while the listener does not read.
    let notify = "select pg_notify('silta_due', rpad(n::text, 200)) from generate_series(1, 100000) n";
    sqlx::raw_sql(notify).execute(&silta.pool).await.unwrap();
    let holds_snapshot = async || {
        let sql = "select exists (select from pg_stat_activity
            where datname = current_database() and query ilike 'listen%' and backend_xmin is not null)";
        silta.scalar::<bool>(sql).await
    };
    wait_until("the server waits for its listener", holds_snapshot).await;
    let is_released = async || {
        listener.ensure_open().await;
        !holds_snapshot().await
    };
    wait_until("reading the queue releases the snapshot", is_released).await;
}
