//! The workshop: claims, retries, holds, fairness, the end.

use silta::{
    app::shutdown::Shutdown,
    dev::sandbox::{Fault, OrderSpec, Webhook},
    store::{DUE_CHANNEL, NotifyListener, tasks},
};

use crate::harness::{CONNECTION, POLICY, TestSilta, attempt_end, claim, secs, settle_task, wait_until};

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
    assert_eq!(silta.task_state("order:1001").await, ("dead".into(), Some("vendor_failed".into())));
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
    // The figure has been read and is being written, when it changes again.
    silta.sandbox.shop_server.faults.script("GET", "/stock/A", Fault::Slow(secs(0)));
    let mut db = silta.pool.acquire().await.unwrap();
    let held = silta.claim_tasks(1).await.remove(0);
    silta.warehouse.receive_goods("A", 1);
    silta.send_webhook(Webhook::raw_from_warehouse(br#"{"productCode":"A","modified":"now"}"#)).await;
    let in_sync = silta::domain::task::outcome::Outcome::InSync;
    let next =
        silta::domain::task::transition::transition(&held, &attempt_end(&in_sync, silta.now()), &POLICY);
    settle_task(&mut db, &held, &in_sync, &next, silta.now()).await;
    drop(db);
    assert_eq!(
        silta.task_state("stock:A").await.0,
        "pending",
        "in sync as it was read, but that is old by now"
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
    // The attempt has asked, and is about to settle as waiting, when the catalogue is read.
    let held = silta.claim_tasks(1).await;
    silta.syncer.run_due().await.unwrap();
    let until = silta.now() + chrono::Duration::minutes(10);
    let waiting = silta::domain::task::outcome::Outcome::Waiting {
        until,
        reason: silta::domain::task::reason::Reason::CatalogueUnread,
    };
    let next =
        silta::domain::task::transition::transition(&held[0], &attempt_end(&waiting, silta.now()), &POLICY);
    let mut db = silta.pool.acquire().await.unwrap();
    settle_task(&mut db, &held[0], &waiting, &next, silta.now()).await;
    drop(db);
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("product:1").await.0, "done", "and not only in ten minutes");
}

#[tokio::test]
async fn claims_rotate_connections_and_take_high_priority_first() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    sqlx::raw_sql(
        "insert into connection (name) values ('small');
         insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
         select gen_random_uuid(), 'shop', 'stock', 'stock:' || n, 'pending', 1, '2026-01-01', '2026-01-01'
         from generate_series(1, 500) n;
         insert into task (id, connection, kind, subject, state, priority, due_at, created_at) values
         (gen_random_uuid(), 'shop', 'order', 'order:1', 'pending', 0, '2026-01-02', '2026-01-02'),
         (gen_random_uuid(), 'shop', 'order', 'order:2', 'pending', 3, '2026-01-01', '2026-01-01'),
         (gen_random_uuid(), 'small', 'product', 'product:1', 'pending', 2, '2026-01-03', '2026-01-03')",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    let held = silta.claim_tasks(3).await;
    let mut subjects: Vec<_> = held.iter().map(|held| held.subject.to_string()).collect();
    subjects.sort();
    assert_eq!(
        subjects[..2],
        ["order:1", "product:1"],
        "the other connection has its turn, the live order goes first"
    );
    assert!(subjects[2].starts_with("stock:"));
}

#[tokio::test]
async fn two_workers_never_claim_the_same_task() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    sqlx::raw_sql(
        "insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
         select gen_random_uuid(), 'shop', 'stock', 'stock:' || n, 'pending', 1, '2026-01-01', '2026-01-01'
         from generate_series(1, 400) n",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (pool, now) = (silta.pool.clone(), silta.now());
        tasks.spawn(async move {
            let mut ids = Vec::new();
            for _ in 0..10 {
                let mut db = pool.acquire().await.unwrap();
                let held = claim(&mut db, &[CONNECTION.to_owned()], 7, now).await;
                ids.extend(held.into_iter().map(|held| held.id));
            }
            ids
        });
    }
    let ids: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let distinct: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (400, 400));
}

#[tokio::test]
async fn refused_credentials_open_the_circuit_and_count_no_failure() {
    let silta = TestSilta::start().await;
    for _ in 0..5 {
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
    }
    for _ in 0..5 {
        silta.sandbox.shop_server.faults.script("GET", "/shipping-methods", Fault::Status(401));
    }
    silta.run_until_idle().await;
    let held: Option<String> = silta.scalar("select circuit_reason from connection").await;
    assert_eq!(held.as_deref(), Some("credentials_refused"));
    assert_eq!(silta.count("task where failures > 0").await, 0);
    for _ in 0..40 {
        silta.advance(secs(60)).await;
    }
    assert_eq!(silta.warehouse.orders().len(), 5);
    assert_eq!(silta.scalar::<i32>("select faults from connection").await, 0);
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
    let mut ear = NotifyListener::new(silta.pool.clone(), DUE_CHANNEL);
    assert!(ear.ensure_open().await);
    // Twenty megabytes: more than any socket takes from the server while nobody reads.
    let told = "select pg_notify('silta_due', rpad(n::text, 200)) from generate_series(1, 100000) n";
    sqlx::raw_sql(told).execute(&silta.pool).await.unwrap();
    let holds_a_snapshot = async || {
        let sql = "select exists (select from pg_stat_activity
            where datname = current_database() and query ilike 'listen%' and backend_xmin is not null)";
        silta.scalar::<bool>(sql).await
    };
    wait_until("the server waits for its listener", holds_a_snapshot).await;
    let let_go = async || {
        ear.ensure_open().await;
        !holds_a_snapshot().await
    };
    wait_until("a look at the work lets go what was told before it", let_go).await;
}

#[tokio::test]
async fn released_claim_counts_no_attempt() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    let mut db = silta.pool.acquire().await.unwrap();
    let held = silta.claim_tasks(1).await.remove(0);
    tasks::release(&mut db, &held).await.unwrap();
    drop(db);
    let row: (String, i32, i32) =
        sqlx::query_as("select state, failures, attempts from task").fetch_one(&silta.pool).await.unwrap();
    assert_eq!(row, ("pending".into(), 0, 0));
    silta.run_until_idle().await;
}

#[tokio::test]
async fn claim_uses_its_index_with_100k_rows_due_later() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    sqlx::raw_sql(
        "insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
         select gen_random_uuid(), 'shop', 'stock', 'stock:' || n, 'pending', 1, '2030-01-01', '2026-01-01'
         from generate_series(1, 100000) n;
         insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
         select gen_random_uuid(), 'shop', 'stock', 'stock:' || n, 'dead', 'refused', 1, '2026-01-01', '2026-01-01',
                '2026-01-01' from generate_series(1, 50000) n;
         analyze task",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    let plan: Vec<String> = sqlx::query_scalar(
        "explain (costs off) select id from task where connection = 'shop' and priority = 1::smallint
         and state in ('pending', 'in_doubt') and due_at <= '2026-09-01' order by due_at limit 32
         for update skip locked",
    )
    .fetch_all(&silta.pool)
    .await
    .unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("Index Scan using task_due"), "{plan}");
    assert!(plan.contains("due_at <=") && !plan.contains("Sort"), "{plan}");
}
