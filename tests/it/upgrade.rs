//! From every earlier schema, with data in it, to this one; and each migration leaves what its predecessor's program
//! needs.

use silta::store::MIGRATOR;
use sqlx::{PgPool, migrate::Migrator};

use crate::{
    architecture::{files, root},
    harness::{CONNECTION, Database, TestSilta, secs},
};

/// What a service of some age has written: after which migration it could, and what.
const SEEDS: &[(i64, &str)] = &[
    (1, "insert into connection (name, created_at) values ('shop', '2026-01-01')"),
    (
        2,
        "insert into task (id, connection, kind, subject, state, priority, due_at, created_at) values
         ('00000000-0000-7000-8000-000000000001', 'shop', 'order', 'order:1042', 'pending', 0, '2026-01-02', '2026-01-02');
         insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at) values
         ('00000000-0000-7000-8000-000000000002', 'shop', 'stock', 'stock:A', 'dead', 'refused', 1, '2026-01-02', '2026-01-02', '2026-01-03')",
    ),
    (
        3,
        "insert into event (id, connection, source, topic, kind, subject, received_at, fingerprint, body, task_id) values
         (gen_random_uuid(), 'shop', 'mycashflow', 'order.created', 'order', 'order:1042', '2026-01-02', sha256('one'), '{}',
          '00000000-0000-7000-8000-000000000001')",
    ),
    (
        5,
        "insert into subject_state (connection, subject, reference, warehouse_status, placed_at, seen_at) values
         ('shop', 'order:7', 'shop-7', 'Shipped', '2026-01-02', '2026-01-02')",
    ),
    (6, "insert into intent (id, connection, subject, action, actor, created_at) values
         (gen_random_uuid(), 'shop', 'order:1042', 'release', 'ops', '2026-01-02')"),
    (7, "insert into poll (connection, what, cursor, due_at) values ('shop', 'orders', '2026-01-02', '2026-01-02')"),
    (8, "insert into token (connection, access_token, refresh_token, expires_at, updated_at) values
         ('shop', 'plain', 'plain', '2026-01-02', '2026-01-02')"),
    (9, "insert into audit (id, at, actor, action, connection, detail) values
         (gen_random_uuid(), '2026-01-02', 'ops', 'connection.pause', 'shop', '{}')"),
    (11, "insert into sync (id, connection, what, dry_run, actor, state, since, created_at, finished_at) values
          (gen_random_uuid(), 'shop', 'orders', false, 'ops', 'done', '2026-01-01', '2026-01-02', '2026-01-02')"),
    (15, "insert into shipping_rule (connection, pattern, code, pickup, created_by, created_at) values
          ('shop', 'POSTI', 'Posti', false, 'ops', '2026-01-02')"),
    (17, "insert into key_usage (connection, purpose, key_id, first_seen_at) values ('shop', 'mycashflow_webhook', 'abcd1234', '2026-01-02')"),
];

async fn schema_of(version: i64) -> (std::sync::Arc<Database>, PgPool) {
    let database = Database::empty().await;
    let pool = database.pool();
    for step in MIGRATOR.iter().filter(|migration| migration.version <= version) {
        let until: Vec<_> = MIGRATOR.iter().filter(|it| it.version <= step.version).cloned().collect();
        Migrator::with_migrations(until).run(&pool).await.unwrap();
        for (_, sql) in SEEDS.iter().filter(|(after, _)| *after == step.version) {
            sqlx::raw_sql(*sql).execute(&pool).await.unwrap();
        }
    }
    (database, pool)
}

#[tokio::test]
async fn every_earlier_schema_migrates_with_its_data() {
    let newest = MIGRATOR.iter().map(|migration| migration.version).max().unwrap();
    for version in 1..newest {
        let (database, pool) = schema_of(version).await;
        silta::store::migrate(&pool).await.unwrap_or_else(|error| panic!("from {version}: {error}"));
        let count = async |sql: &str| -> i64 {
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&pool).await.unwrap()
        };
        for (after, table) in
            [(2, "task"), (3, "event"), (5, "link"), (6, "intent"), (9, "audit"), (11, "sync")]
        {
            let expected = if version >= after { 1 + i64::from(table == "task") } else { 0 };
            assert_eq!(
                count(&format!("select count(*) from {table}")).await,
                expected,
                "{table} from {version}"
            );
        }
        assert_eq!(count("select count(*) from token").await, 0, "a plain secret stayed behind");
        pool.close().await;

        // What was owed is still paid, by this program, from that database.
        if version >= 3 {
            let silta = TestSilta::start_on_database(database).await;
            silta.clock.advance(secs(60));
            let (state, reason) = silta.task_state("order:1042").await;
            assert_eq!(state, "pending", "from {version}");
            silta.run_until_idle().await;
            let ended = silta.task_state("order:1042").await;
            assert_ne!(ended.0, "pending", "from {version}: {reason:?}");
            assert_eq!(silta.api.get(&format!("/admin/v1/connections/{CONNECTION}")).await.status, 200);
        }
    }
}

#[tokio::test]
async fn older_process_starts_with_a_newer_schema() {
    let silta = TestSilta::start().await;
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'of a version to come', true, '', 0)",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    silta::store::migrate(&silta.pool).await.unwrap();
    assert_eq!(silta.api.get("/readyz").await.status, 200);
}

/// While processes of the version before still run, what they read and write must stay. So a migration only adds; what
/// takes something away says in its head that it contracts, and since which release nobody needs it.
#[test]
fn migrations_only_add_unless_marked_contracting() {
    for file in files("migrations", "sql") {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&file).unwrap().to_lowercase();
        let statements =
            text.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
        let takes = ["drop table", "drop column", "rename column", "rename to", "set not null"];
        let found: Vec<_> = takes.iter().filter(|it| statements.contains(**it)).collect();
        let is_shipped = name.as_str() < "0016"; // these came before anything was released
        assert!(found.is_empty() || is_shipped || text.contains("-- contracts:"), "{name}: {found:?}");
        if let Some((_, added)) = statements.split_once("add column") {
            for column in added.split("add column").map(|it| it.split([',', ';']).next().unwrap()) {
                let fits = !column.contains("not null") || column.contains("default");
                assert!(fits || is_shipped, "{name}: an older process cannot insert: {column}");
            }
        }
    }
    assert!(root().join("migrations").is_dir());
}
