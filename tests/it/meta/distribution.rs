//! The schema can be distributed by connection.

use crate::harness::TestSilta;

/// The tables that `deploy/postgresql/distribute.sql` passes to this function.
fn tables_distributed_by(word: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/postgresql/distribute.sql");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix(&format!("select {word}('")));
    lines.map(|line| line.split('\'').next().unwrap().to_owned()).collect()
}

/// Decision 0007: a distributed PostgreSQL can then keep all rows of one connection on one node.
#[tokio::test]
async fn distributed_keys_include_the_connection() {
    let silta = TestSilta::start().await;
    let (distributed, references) =
        (tables_distributed_by("create_distributed_table"), tables_distributed_by("create_reference_table"));
    assert_eq!(
        (distributed.len(), references.as_slice()),
        (16, ["connection", "shipping_rule", "reference_prefix"].map(str::to_owned).as_slice())
    );
    let broken: Vec<String> = sqlx::query_scalar(
        "with distributed as (select name::regclass as id from unnest($1::text[]) as name),
         named as (
             select attrelid, attnum from pg_attribute join distributed on id = attrelid
             where attname = 'connection' and attnotnull
         )
         select format('%s has no connection that is never null', id) from distributed
         where id not in (select attrelid from named)
         union all
         select format('%s does not name the connection', indexrelid::regclass)
         from pg_index join distributed on id = indrelid join named on attrelid = indrelid
         where indisunique and not attnum = any (indkey)
         union all
         select format('%s refers to %s without the connection', conname, confrelid::regclass)
         from pg_constraint join distributed on id = conrelid join named on attrelid = conrelid
         where contype = 'f' and confrelid <> all ($2::text[]::regclass[])
           and not (attnum = any (conkey) and confrelid in (select id from distributed)
                    and (select attnum from named where attrelid = confrelid) = any (confkey))
         union all
         select format('%s of the coordinator refers to %s', conname, confrelid::regclass)
         from pg_constraint where contype = 'f' and confrelid in (select id from distributed)
           and conrelid not in (select id from distributed)",
    )
    .bind(&distributed)
    .bind(&references)
    .fetch_all(&silta.pool)
    .await
    .unwrap();
    assert_eq!(broken, Vec::<String>::new());
}
