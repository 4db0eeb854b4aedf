//! Claims: turns between connections, priority, exclusive leases, the index.

use silta::{dev::sandbox::OrderSpec, store::tasks};

use crate::harness::{CONNECTION, TestSilta, claim_tasks};

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
    let leased = silta.claim_tasks(3).await;
    let mut subjects: Vec<_> = leased.iter().map(|leased| leased.subject.to_string()).collect();
    subjects.sort();
    assert_eq!(
        subjects[..2],
        ["order:1", "product:1"],
        "each connection gets a turn, the live order comes first"
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
                let leased = claim_tasks(&mut db, &[CONNECTION.to_owned()], 7, now).await;
                ids.extend(leased.into_iter().map(|leased| leased.id));
            }
            ids
        });
    }
    let ids: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let distinct: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (400, 400));
}

#[tokio::test]
async fn released_claim_counts_no_attempt() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    let mut db = silta.pool.acquire().await.unwrap();
    let leased = silta.claim_tasks(1).await.remove(0);
    tasks::return_claim(&mut db, &leased, None).await.unwrap();
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
