//! What heaps up, and somebody who looks at an old state of the database for a long time (a dump, a forgotten session).

use silta::{
    domain::{
        Timestamp,
        task::{outcome::Outcome, transition::settle},
    },
    store::{
        claim::{self, Room, Wanted},
        tasks::{self, Fenced},
    },
};
use sqlx::PgConnection;

use crate::harness::{CONNECTION, POLICY, TestSilta, secs, settles};

const BATCH: i64 = 400;

/// So many deliveries are told of, claimed and settled, each its own commit, as a worker does it; then time passes.
async fn goes_by(silta: &TestSilta, db: &mut PgConnection, batch: i64) {
    let sql = "insert into delivery (id, connection, kind, subject, state, urgency, due_at, created_at)
         select gen_random_uuid(), 'shop', 'stock', 'stock:' || $1 || '-' || n, 'pending', 1, $2, $2
         from generate_series(1, $3) n";
    sqlx::query(sql).bind(batch).bind(silta.now()).bind(BATCH).execute(&mut *db).await.unwrap();
    loop {
        let held = claims(silta, db, silta.now() - secs(2)).await;
        if held.is_empty() {
            break;
        }
        for held in held {
            let next = settle(&held, &Outcome::InStep, None, &POLICY, silta.now(), 0.0);
            settles(db, &held, &Outcome::InStep, &next, silta.now()).await;
        }
    }
    silta.clock.advance(secs(10));
}

async fn claims(
    silta: &TestSilta,
    db: &mut PgConnection,
    since: Timestamp,
) -> Vec<silta::domain::task::state::Leased> {
    let fences: Vec<_> = (0..32).map(|_| silta::runtime::clock::Entropy::from_os().fence()).collect();
    let rooms = [Room { connection: CONNECTION.into(), most: 32 }];
    let now = silta.now();
    let wanted = Wanted {
        fences: &fences,
        worker: "w",
        rooms: &rooms,
        background: 24,
        since,
        now,
        leased_until: now + secs(60),
    };
    claim::claim_due(db, &wanted).await.unwrap()
}

/// Pages of the table and its indexes that were looked at so far.
async fn pages(silta: &TestSilta, db: &mut PgConnection) -> i64 {
    sqlx::query("select pg_stat_force_next_flush()").execute(&mut *db).await.unwrap();
    let sql = "select (heap_blks_hit + idx_blks_hit + heap_blks_read + idx_blks_read)::bigint
         from pg_statio_user_tables where relname = 'delivery'";
    sqlx::query_scalar(sql).fetch_one(&mut silta.outside().await).await.unwrap()
}

/// A statement of another session, the pages of which are counted before this returns and not at some time after.
async fn told_at_once(silta: &TestSilta, sql: &'static str) {
    let mut db = silta.outside().await;
    sqlx::raw_sql(sql).execute(&mut db).await.unwrap();
    sqlx::query("select pg_stat_force_next_flush()").execute(&mut db).await.unwrap();
}

/// Nobody else looks at the table while its pages are counted.
async fn keeps_autovacuum_out(silta: &TestSilta) {
    let sql = "alter table delivery set (autovacuum_enabled = false)";
    sqlx::raw_sql(sql).execute(&silta.pool).await.unwrap();
}

/// Those that a claim of nothing looks at.
async fn cost_of_a_claim(silta: &TestSilta, db: &mut PgConnection, since: Timestamp) -> i64 {
    let before = pages(silta, db).await;
    assert!(claims(silta, db, since).await.is_empty());
    pages(silta, db).await - before
}

/// Those that the fence looks at, of a delivery just claimed.
async fn cost_of_the_fence(silta: &TestSilta, db: &mut PgConnection) -> i64 {
    let sql = "insert into delivery (id, connection, kind, subject, state, urgency, due_at, created_at)
         values (gen_random_uuid(), 'shop', 'stock', 'stock:fence', 'pending', 1, $1, $1)";
    sqlx::query(sql).bind(silta.now()).execute(&mut *db).await.unwrap();
    let held = claims(silta, db, silta.now() - secs(2)).await.remove(0);
    let before = pages(silta, db).await;
    for _ in 0..10 {
        assert_eq!(tasks::still_ours(db, &held).await.unwrap(), Fenced::Written);
    }
    let after = pages(silta, db).await;
    tasks::release(db, &held).await.unwrap();
    sqlx::query("delete from delivery where subject = 'stock:fence'").execute(db).await.unwrap();
    (after - before) / 10
}

async fn size(db: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select pg_table_size('delivery') + pg_indexes_size('delivery')")
        .fetch_one(db)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_held_snapshot_neither_slows_the_claim_nor_bloats_the_table_for_longer_than_it_lasts() {
    let silta = TestSilta::start().await;
    keeps_autovacuum_out(&silta).await;
    let mut hot = silta.hot.acquire().await.unwrap();
    let db: &mut PgConnection = &mut hot;
    goes_by(&silta, db, 0).await;
    sqlx::raw_sql("vacuum delivery").execute(&mut *db).await.unwrap();
    let since = |silta: &TestSilta| silta.now() - secs(2);
    let alone = cost_of_a_claim(&silta, db, since(&silta)).await;
    let before = size(db).await;

    let mut holder = silta.outside().await;
    sqlx::raw_sql("begin isolation level repeatable read; select count(*) from delivery")
        .execute(&mut holder)
        .await
        .unwrap();
    for batch in 1..=6 {
        goes_by(&silta, db, batch).await;
        sqlx::raw_sql("vacuum delivery").execute(&mut *db).await.unwrap(); // which may take nothing away
    }
    let with_floor = cost_of_a_claim(&silta, db, since(&silta)).await;
    let without = cost_of_a_claim(&silta, db, Timestamp::UNIX_EPOCH).await;
    assert!(with_floor * 4 <= alone * 5, "{with_floor} pages under the snapshot, {alone} without");
    assert!(without > with_floor * 3, "{without} pages from the beginning: what the floor is for");
    let fence = cost_of_the_fence(&silta, db).await;
    assert!(fence <= 6, "{fence} pages to ask the fence: it is found by its id, not among dead leases");
    let each = (size(db).await - before) / (6 * BATCH);

    sqlx::raw_sql("commit").execute(&mut holder).await.unwrap();
    sqlx::raw_sql("vacuum delivery").execute(&mut *db).await.unwrap();
    let after = size(db).await;
    for batch in 10..=12 {
        goes_by(&silta, db, batch).await;
        sqlx::raw_sql("vacuum delivery").execute(&mut *db).await.unwrap();
    }
    let later = (size(db).await - after) / (3 * BATCH);
    assert!(each < 4000, "{each} bytes for each delivery while it lasts");
    assert!(
        later < each / 2,
        "{later} bytes for each after it, {each} while it lasted: the room is used again"
    );
}

/// What heaps up in a table of deliveries: a million, and news of one subject, a hundred thousand times.
const HEAPS: [&str; 3] = [
    "insert into delivery (id, connection, kind, subject, state, urgency, due_at, created_at, settled_at)
     select gen_random_uuid(), 'shop', 'stock', 'stock:closed-' || n, 'delivered', 1, $1, $1, $1
     from generate_series(1, 1000000) n",
    "insert into delivery (id, connection, kind, subject, state, urgency, due_at, created_at)
     select gen_random_uuid(), 'shop', 'stock', 'stock:future-' || n, 'pending', 1, $1 + interval '1 day', $1
     from generate_series(1, 1000000) n",
    "insert into delivery (id, connection, kind, subject, state, reason, urgency, due_at, created_at, settled_at)
     select gen_random_uuid(), 'shop', 'stock', 'stock:dead-' || n, 'dead', 'refused', 1, $1, $1, $1
     from generate_series(1, 100000) n",
];
const NEWS: &str = "update delivery set news = news + 1
    where connection = 'shop' and subject = 'stock:future-1' and state in ('pending', 'leased', 'in_doubt');";

#[tokio::test]
async fn a_claim_costs_the_same_beside_what_is_closed_future_dead_or_told_again() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    keeps_autovacuum_out(&silta).await;
    let mut hot = silta.hot.acquire().await.unwrap();
    let db: &mut PgConnection = &mut hot;
    goes_by(&silta, db, 0).await;
    told_at_once(&silta, "vacuum analyze delivery").await;
    let since = silta.now() - secs(2);
    let alone = cost_of_a_claim(&silta, db, since).await;
    for heap in HEAPS.into_iter().chain([NEWS]) {
        if heap == NEWS {
            for _ in 0..100 {
                let thousand = sqlx::AssertSqlSafe(NEWS.repeat(1000));
                sqlx::raw_sql(thousand).execute(&mut *db).await.unwrap();
            }
        } else {
            sqlx::query(heap).bind(silta.now()).execute(&mut *db).await.unwrap();
        }
        told_at_once(&silta, "analyze delivery").await;
        let beside = cost_of_a_claim(&silta, db, since).await;
        assert!(
            beside <= alone + 8,
            "{beside} pages, {alone} alone: one level more in each index, after\n{heap}"
        );
    }
}
