//! Migrations: every released schema, with data in it, migrates to this one; and each migration leaves what the version
//! before needs.

use std::sync::Arc;

use silta::store::MIGRATOR;
use sqlx::{PgPool, migrate::Migrator};

use crate::{
    harness::{CONNECTION, Database, TestSilta, secs},
    meta::source::files,
};

/// The last migration of the first release, 0.1.0. All files up to it were written as one.
const BASELINE: i64 = 12;

/// Gaps that stay are alerts.
const ALERT_OF_GAPS: i64 = 15;

/// The warehouse's spellings are known, and pieces in flight have the key of their code.
const WAREHOUSE_CODE: i64 = 19;
/// Replacements are confirmed and placed.
const REPLACEMENTS: i64 = 20;

/// Orders wait for products.
const WAITING: i64 = 21;

/// Rejected webhooks are counted since the last accepted one.
const FORGED_WEBHOOKS: i64 = 23;

/// What people look for in an order is stored.
const ORDER_FACTS: i64 = 31;

/// Intents can be taken back.
const UNDO: i64 = 33;

/// Orders and open tasks are counted as they change.
const COUNTS: i64 = 34;

/// What happened is kept by the hour.
const HOURS: i64 = 35;

/// It is known since when a vendor is down.
const VENDOR_DOWN: i64 = 37;

/// What both sides show of each code's stock.
const STOCK_FIGURES: i64 = 39;

/// It is known which codes several items have.
const REPEATED_CODES: i64 = 40;

/// Connections are tested from their page.
const CONNECTION_WORK: i64 = 43;

/// Requests for several orders are known as such.
const BULK_REQUESTS: i64 = 45;

/// What a dead task asked for is marked as handled.
const HANDLED: i64 = 49;

/// Data of a running service: from which version on it can exist, and the statements that write it. A migration that
/// adds a table or changes a column adds its row here.
const DATA: &[(i64, &str)] = &[
    (
        BASELINE,
        "insert into connection (name, created_at) values ('shop', '2026-01-01');
     insert into task (id, connection, kind, subject, state, priority, due_at, created_at) values
         ('00000000-0000-7000-8000-000000000001', 'shop', 'order', 'order:1042', 'pending', 0, '2026-01-02', '2026-01-02');
     insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at) values
         ('00000000-0000-7000-8000-000000000002', 'shop', 'stock', 'stock:A', 'dead', 'refused', 1, '2026-01-02',
          '2026-01-02', '2026-01-03');
     insert into event (id, connection, source, topic, kind, subject, received_at, fingerprint, body, task_id) values
         (gen_random_uuid(), 'shop', 'mycashflow', 'order.created', 'order', 'order:1042', '2026-01-02', sha256('one'),
          '{}', '00000000-0000-7000-8000-000000000001');
     insert into subject_state (connection, subject, reference, warehouse_status, placed_at, seen_at) values
         ('shop', 'order:7', 'shop-7', 'Shipped', '2026-01-02', '2026-01-02');
     insert into in_flight (connection, subject, code, pieces) values ('shop', 'order:7', 'Kuppi 1', 2);
     insert into intent (id, connection, subject, kind, actor, created_at) values
         (gen_random_uuid(), 'shop', 'order:1042', 'release', 'ops', '2026-01-02');
     insert into poll (connection, what, cursor, due_at) values ('shop', 'orders', '2026-01-02', '2026-01-02');
     insert into audit (id, at, actor, action, connection, detail) values
         (gen_random_uuid(), '2026-01-02', 'ops', 'connection.pause', 'shop', '{}');
     insert into sync (id, connection, what, dry_run, actor, state, since, created_at, finished_at) values
         (gen_random_uuid(), 'shop', 'orders', false, 'ops', 'done', '2026-01-01', '2026-01-02', '2026-01-02'),
         (gen_random_uuid(), 'shop', 'orders', false, 'ops', 'running', '0109-01-01', '2026-01-02', null);
     insert into shipping_rule (connection, pattern, code, pickup, created_by, created_at) values
         ('shop', 'POSTI', 'Posti', false, 'ops', '2026-01-02');
     insert into key_usage (connection, purpose, key_id, first_seen_at) values
         ('shop', 'mycashflow_webhook', 'abcd1234', '2026-01-02')",
    ),
    (
        ALERT_OF_GAPS,
        "insert into alert (id, connection, kind, seen_at, notified_at, closed_at, count, detail) values
             (gen_random_uuid(), 'shop', 'list_gap', '2026-01-02', '2026-01-02', '2026-01-03', 1, 'orders')",
    ),
    (
        WAREHOUSE_CODE,
        "insert into warehouse_code (connection, code, code_key, seen_at) values ('shop', 'A 1', 'a1', '2026-01-02')",
    ),
    (
        REPLACEMENTS,
        "insert into action (
             connection, subject, number, kind, target, repeat, task_id, attempt, claim_id, idempotency_key, reference,
             state, begun_at, ended_at
         )
         values ('shop', 'order:7', 1, 'place_replacement', '71', 1, gen_random_uuid(), 1, gen_random_uuid(), 'k',
                 'shop-7-R1', 'applied', '2026-01-02', '2026-01-02');
         update subject_state set returned = '[]', added_shipments = '[]', parcel_state = 'Delivered'",
    ),
    (
        WAITING,
        "update subject_state set waiting_since = '2026-01-02', waiting_for = '[]';
         insert into alert (id, connection, kind, seen_at, notified_at, closed_at, count, detail) values
             (gen_random_uuid(), 'shop', 'waiting_for_products', '2026-01-02', '2026-01-02', '2026-01-03', 1, 'A (1)')",
    ),
    (
        FORGED_WEBHOOKS,
        "insert into rejected_webhook (connection, source, hint, first_at, last_at, count, since_accepted)
         values ('shop', 'ogoship', 'not_examined', '2026-01-02', '2026-01-03', 5, 2);
         insert into signature_detection (connection, source, wanted_until, requested_by, unsigned_headers)
         values ('shop', 'mycashflow', '2026-01-02', 'ops', '{x-forged}')",
    ),
    (
        ORDER_FACTS,
        "update subject_state set ordered_at = '2026-01-02', total = 19.90, shipping_method = 'Posti',
             shipping_mapping = 'mapped', warehouse_shipping = 'P14', line_count = 1, pieces = 2, changed_at = '2026-01-02'
         where subject = 'order:7';
         insert into order_line (connection, subject, position, code, code_key, quantity, shipped_by)
         select connection, subject, 0, 'A', 'a', 2, 'warehouse' from subject_state where subject = 'order:7'",
    ),
    (
        UNDO,
        "update intent set leaves_at = '2026-01-03', undone_at = '2026-01-02', undone_by = 'ops' where kind = 'release'",
    ),
    (
        COUNTS,
        "update subject_state set status = 'delivered';
         insert into open_task_change (connection, kind, change) values ('shop', 'order', 0);
         insert into recent_order_change (connection, number, subject, status, is_placed, changed_at)
         values ('shop', 0, 'order:7', 'delivered', true, '2026-01-02')",
    ),
    (
        HOURS,
        "insert into order_hour (connection, hour, waits) values ('shop', '2026-01-02', '{1}');
         insert into call_hour (connection, vendor, hour, times) values ('shop', 'ogoship', '2026-01-02', '{1}')",
    ),
    (
        VENDOR_DOWN,
        "update connection set circuit_opened_at = '2026-01-02', circuit_vendor = 'ogoship'",
    ),
    (
        STOCK_FIGURES,
        "insert into stock_figure (connection, code, code_key, shop, physical, available, buffer, target, read_at) values
             ('shop', 'A 1', 'a1', 3, 9, 7, 2, 5, '2026-01-02')",
    ),
    (REPEATED_CODES, "insert into repeated_code (connection, code_key) values ('shop', 'a1')"),
    (
        CONNECTION_WORK,
        "insert into connection_work (connection, kind, id, requested_by, requested_at, ends_by) values
             ('shop', 'test', gen_random_uuid(), 'ops', '2026-01-02', '2026-01-03');
         update signature_detection set requested_at = '2026-01-02'",
    ),
    (BULK_REQUESTS, "update intent set bulk_id = gen_random_uuid() where kind = 'release'"),
    (HANDLED, "update task set handled_at = '2026-01-04', handled_by = 'ops' where state = 'dead'"),
];

/// Rows of each table in [`DATA`], to be found after every migration.
const ROWS: [(&str, i64); 6] =
    [("task", 2), ("event", 1), ("subject_state", 1), ("intent", 1), ("audit", 1), ("sync", 2)];

/// A database of this version with its data.
async fn database_of(version: i64) -> (Arc<Database>, PgPool) {
    let database = Database::empty().await;
    let pool = database.pool();
    for step in MIGRATOR.iter().filter(|migration| migration.version <= version) {
        let until: Vec<_> = MIGRATOR.iter().filter(|it| it.version <= step.version).cloned().collect();
        Migrator::with_migrations(until).run(&pool).await.unwrap();
        for (_, sql) in DATA.iter().filter(|(after, _)| *after == step.version) {
            sqlx::raw_sql(*sql).execute(&pool).await.unwrap();
        }
    }
    (database, pool)
}

#[tokio::test]
async fn every_earlier_schema_migrates_with_its_data() {
    let newest = MIGRATOR.iter().map(|migration| migration.version).max().unwrap();
    for version in BASELINE..=newest {
        let (database, pool) = database_of(version).await;
        silta::store::migrate(&pool).await.unwrap_or_else(|error| panic!("from {version}: {error}"));
        for (table, expected) in ROWS {
            let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
            let rows: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
            assert_eq!(rows, expected, "{table} from {version}");
        }
        // A connection of before keeps when it was first configured.
        let kept: Option<bool> = sqlx::query_scalar("select shop_connected_at = created_at from connection")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(kept, Some(true), "from {version}");
        let key: Option<String> =
            sqlx::query_scalar("select code_key from in_flight").fetch_one(&pool).await.unwrap();
        assert_eq!(key.as_deref(), Some("kuppi1"), "from {version}");
        pool.close().await;

        // The open task of that version is run by this one. The sandbox shop does not have its order.
        let silta = TestSilta::start_on_database(database).await;
        silta.clock.advance(secs(60));
        assert_eq!(silta.task_state("order:1042").await, "pending", "from {version}");
        silta.run_until_idle().await;
        assert_eq!(silta.task_state("order:1042").await, "skipped unknown_in_shop", "from {version}");
        assert_eq!(silta.api.get(&format!("/admin/v1/connections/{CONNECTION}")).await.status, 200);
    }
}

#[tokio::test]
async fn older_process_starts_with_a_newer_schema() {
    let silta = TestSilta::start().await;
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'of a later version', true, '', 0)",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    silta::store::migrate(&silta.pool).await.unwrap();
    assert_eq!(silta.api.get("/readyz").await.status, 200);
}

/// While processes of the version before still run, what they read and write must stay. So a migration only adds. One
/// that removes something says `-- contracts:` in its header, and since which release nothing needs it.
#[test]
fn migrations_only_add_unless_marked_contracting() {
    let removals = ["drop table", "drop column", "rename column", "rename to", "set not null"];
    for file in files("migrations", "sql") {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let version: i64 = name.split('_').next().unwrap().parse().unwrap();
        let text = std::fs::read_to_string(&file).unwrap().to_lowercase();
        let statements: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
        let statements = statements.join("\n");
        let found: Vec<_> = removals.iter().filter(|it| statements.contains(**it)).collect();
        assert!(found.is_empty() || text.contains("-- contracts:"), "{name}: {found:?}");
        let added = statements.split("add column").skip(1).map(|it| it.split([',', ';']).next().unwrap());
        for column in added.filter(|_| version > BASELINE) {
            let is_optional = !column.contains("not null") || column.contains("default");
            assert!(is_optional, "{name}: an older process cannot insert without {column}");
        }
    }
}
