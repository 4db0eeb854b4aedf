//! The cost of a claim in pages read, beside many other rows and under a long snapshot (a dump, a forgotten session).

use silta::{
    domain::{
        Timestamp,
        task::{outcome::Outcome, transition::transition},
    },
    store::{
        claim::{self, ClaimRequest, ConnectionCapacity},
        tasks::{self, Fenced},
    },
};
use sqlx::PgConnection;

use crate::harness::{CONNECTION, POLICY, TestSilta, attempt_end, secs, settle_task};

const BATCH: i64 = 400;

/// Opens, claims and settles a batch of tasks with one commit each, as a worker does; then advances the clock.
async fn run_batch(silta: &TestSilta, db: &mut PgConnection, batch: i64) {
    let sql = "insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
         select gen_random_uuid(), 'shop', 'stock', 'stock:' || $1 || '-' || n, 'pending', 1, $2, $2
         from generate_series(1, $3) n";
    sqlx::query(sql).bind(batch).bind(silta.now()).bind(BATCH).execute(&mut *db).await.unwrap();
    loop {
        let leased = claim_due_tasks(silta, db, silta.now() - secs(2)).await;
        if leased.is_empty() {
            break;
        }
        for leased in leased {
            let next = transition(&leased, &attempt_end(&Outcome::InSync, silta.now()), &POLICY);
            settle_task(db, &leased, &Outcome::InSync, &next, silta.now()).await;
        }
    }
    silta.clock.advance(secs(10));
}

async fn claim_due_tasks(
    silta: &TestSilta,
    db: &mut PgConnection,
    since: Timestamp,
) -> Vec<silta::domain::task::state::LeasedTask> {
    let claim_ids: Vec<_> = (0..32).map(|_| silta::runtime::clock::Entropy::from_os().fence()).collect();
    let capacities = [ConnectionCapacity {
        connection: CONNECTION.into(),
        max_tasks: 32,
        max_background: 32,
        max_risen: 0,
    }];
    let now = silta.now();
    let request = ClaimRequest {
        claim_ids: &claim_ids,
        worker: "w",
        capacities: &capacities,
        background: 24,
        is_trial: false,
        since,
        now,
        leased_until: now + secs(60),
    };
    claim::claim_due(db, &request).await.unwrap()
}

/// Pages of the table and its indexes read so far.
async fn pages_read(silta: &TestSilta, db: &mut PgConnection) -> i64 {
    sqlx::query("select pg_stat_force_next_flush()").execute(&mut *db).await.unwrap();
    let sql = "select (heap_blks_hit + idx_blks_hit + heap_blks_read + idx_blks_read)::bigint
         from pg_statio_user_tables where relname = 'task'";
    sqlx::query_scalar(sql).fetch_one(&mut silta.outside_connection().await).await.unwrap()
}

/// Runs a statement in another session and flushes its page counts before returning.
async fn run_and_flush_stats(silta: &TestSilta, sql: &'static str) {
    let mut db = silta.outside_connection().await;
    sqlx::raw_sql(sql).execute(&mut db).await.unwrap();
    sqlx::query("select pg_stat_force_next_flush()").execute(&mut db).await.unwrap();
}

/// Keeps autovacuum away from the table while its pages are counted.
async fn disable_autovacuum(silta: &TestSilta) {
    let sql = "alter table task set (autovacuum_enabled = false)";
    sqlx::raw_sql(sql).execute(&silta.pool).await.unwrap();
}

/// Pages read by a claim that finds nothing.
async fn claim_cost(silta: &TestSilta, db: &mut PgConnection, since: Timestamp) -> i64 {
    let before = pages_read(silta, db).await;
    assert!(claim_due_tasks(silta, db, since).await.is_empty());
    pages_read(silta, db).await - before
}

/// Pages read by one check of the fence of a task just claimed.
async fn fence_cost(silta: &TestSilta, db: &mut PgConnection) -> i64 {
    let sql = "insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
         values (gen_random_uuid(), 'shop', 'stock', 'stock:fence', 'pending', 1, $1, $1)";
    sqlx::query(sql).bind(silta.now()).execute(&mut *db).await.unwrap();
    let leased = claim_due_tasks(silta, db, silta.now() - secs(2)).await.remove(0);
    let before = pages_read(silta, db).await;
    for _ in 0..10 {
        assert_eq!(tasks::verify_claim(db, &leased).await.unwrap(), Fenced::Written);
    }
    let after = pages_read(silta, db).await;
    tasks::return_claim(db, &leased, None).await.unwrap();
    sqlx::query("delete from task where subject = 'stock:fence'").execute(db).await.unwrap();
    (after - before) / 10
}

async fn table_size(db: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select pg_table_size('task') + pg_indexes_size('task')").fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn long_snapshot_does_not_slow_the_claim_or_bloat_for_good() {
    let silta = TestSilta::start().await;
    disable_autovacuum(&silta).await;
    let mut hot = silta.hot_pool.acquire().await.unwrap();
    let db: &mut PgConnection = &mut hot;
    run_batch(&silta, db, 0).await;
    sqlx::raw_sql("vacuum task").execute(&mut *db).await.unwrap();
    let since = |silta: &TestSilta| silta.now() - secs(2);
    let baseline = claim_cost(&silta, db, since(&silta)).await;
    let before = table_size(db).await;

    let mut holder = silta.outside_connection().await;
    sqlx::raw_sql("begin isolation level repeatable read; select count(*) from task")
        .execute(&mut holder)
        .await
        .unwrap();
    for batch in 1..=6 {
        run_batch(&silta, db, batch).await;
        sqlx::raw_sql("vacuum task").execute(&mut *db).await.unwrap(); // cannot remove anything under the snapshot
    }
    let with_watermark = claim_cost(&silta, db, since(&silta)).await;
    let without_watermark = claim_cost(&silta, db, Timestamp::UNIX_EPOCH).await;
    assert!(
        with_watermark * 4 <= baseline * 5,
        "{with_watermark} pages under the snapshot, {baseline} without"
    );
    // The first claim after a vacuum is planned anew, which looks at each index once.
    assert!(without_watermark > with_watermark * 2, "{without_watermark} pages without the watermark");
    let fence = fence_cost(&silta, db).await;
    assert!(fence <= 6, "{fence} pages to check the fence, which is found by id");
    let bytes_during = (table_size(db).await - before) / (6 * BATCH);

    sqlx::raw_sql("commit").execute(&mut holder).await.unwrap();
    sqlx::raw_sql("vacuum task").execute(&mut *db).await.unwrap();
    let after = table_size(db).await;
    for batch in 10..=12 {
        run_batch(&silta, db, batch).await;
        sqlx::raw_sql("vacuum task").execute(&mut *db).await.unwrap();
    }
    let bytes_after = (table_size(db).await - after) / (3 * BATCH);
    assert!(bytes_during < 4000, "{bytes_during} bytes a task under the snapshot");
    assert!(
        bytes_after < bytes_during / 2,
        "{bytes_after} bytes a task after it, {bytes_during} under it: the space is reused"
    );
}

/// Rows that accumulate in the task table.
const LARGE_INSERTS: [&str; 3] = [
    "insert into task (id, connection, kind, subject, state, priority, due_at, created_at, settled_at)
     select gen_random_uuid(), 'shop', 'stock', 'stock:closed-' || n, 'done', 1, $1, $1, $1
     from generate_series(1, 1000000) n",
    "insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
     select gen_random_uuid(), 'shop', 'stock', 'stock:future-' || n, 'pending', 1, $1 + interval '1 day', $1
     from generate_series(1, 1000000) n",
    "insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
     select gen_random_uuid(), 'shop', 'stock', 'stock:dead-' || n, 'dead', 'refused', 1, $1, $1, $1
     from generate_series(1, 100000) n",
];

const MANY_REVISIONS: &str = "update task set revision = revision + 1
    where connection = 'shop' and subject = 'stock:future-1' and state in ('pending', 'leased', 'in_doubt');";

#[tokio::test]
async fn claim_cost_is_independent_of_other_rows() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    disable_autovacuum(&silta).await;
    let mut hot = silta.hot_pool.acquire().await.unwrap();
    let db: &mut PgConnection = &mut hot;
    run_batch(&silta, db, 0).await;
    run_and_flush_stats(&silta, "vacuum analyze task").await;
    let since = silta.now() - secs(2);
    let baseline = claim_cost(&silta, db, since).await;
    for statement in LARGE_INSERTS.into_iter().chain([MANY_REVISIONS]) {
        if statement == MANY_REVISIONS {
            for _ in 0..100 {
                let thousand = sqlx::AssertSqlSafe(MANY_REVISIONS.repeat(1000));
                sqlx::raw_sql(thousand).execute(&mut *db).await.unwrap();
            }
        } else {
            sqlx::query(statement).bind(silta.now()).execute(&mut *db).await.unwrap();
        }
        run_and_flush_stats(&silta, "analyze task").await;
        let cost = claim_cost(&silta, db, since).await;
        assert!(
            cost <= baseline + 8,
            "{cost} pages, {baseline} alone: one level more in each index, after\n{statement}"
        );
    }
}
