//! The schema defends itself.

use crate::harness::TestSilta;

#[tokio::test]
async fn every_table_and_column_has_a_comment() {
    let silta = TestSilta::start().await;
    let bare: Vec<String> = sqlx::query_scalar(
        "select c.relname || coalesce('.' || a.attname, '')
         from pg_class c
         left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname <> '_sqlx_migrations'
           and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)",
    )
    .fetch_all(&silta.pool)
    .await
    .unwrap();
    assert_eq!(bare, Vec::<String>::new());
}

/// Each row: what somebody tries to write past the code, and the constraint that refuses it.
#[tokio::test]
async fn every_invariant_is_defended_by_a_named_constraint() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    sqlx::raw_sql(
        "insert into delivery (id, connection, kind, subject, state, urgency, due_at, created_at)
         values ('00000000-0000-0000-0000-000000000001', 'shop', 'order', 'order:1', 'pending', 0, now(), now());
         insert into event (id, connection, source, topic, kind, subject, received_at, fingerprint, body, delivery_id)
         values (gen_random_uuid(), 'shop', 'sweep', 't', 'order', 'order:1', now(), sha256('a'), '',
                 '00000000-0000-0000-0000-000000000001');
         insert into link (connection, subject, reference, seen_at) values ('shop', 'order:1', 'r', now())",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    let delivery = |columns: &str, values: &str| {
        format!(
            "insert into delivery (id, connection, kind, subject, urgency, due_at, created_at, {columns})
             values (gen_random_uuid(), 'shop', 'stock', 'stock:A', 1, now(), now(), {values})"
        )
    };
    let event = |columns: &str, values: &str| {
        format!(
            "insert into event (id, connection, source, received_at, body, topic, {columns})
             values (gen_random_uuid(), 'shop', 'sweep', now(), '', 't', {values})"
        )
    };
    let table = [
        (
            "insert into delivery (id, connection, kind, subject, state, urgency, due_at, created_at)
             values (gen_random_uuid(), 'shop', 'order', 'order:1', 'in_doubt', 0, now(), now())"
                .to_owned(),
            "delivery_open_by_subject",
        ),
        (delivery("state", "'lost'"), "delivery_state_known"),
        (delivery("state", "'leased'"), "delivery_leased_iff_claimed"),
        (delivery("state, claim_id", "'pending', gen_random_uuid()"), "delivery_unleased_holds_no_claim"),
        (delivery("state", "'delivered'"), "delivery_closed_iff_settled"),
        (delivery("state, settled_at", "'pending', now()"), "delivery_closed_iff_settled"),
        (delivery("state, settled_at", "'dead', now()"), "delivery_closed_says_why"),
        (delivery("state, attempts", "'pending', -1"), "delivery_counts_not_negative"),
        (delivery("state, attempts", "'pending', 2"), "delivery_counts_not_negative"),
        (delivery("state, news", "'pending', 0"), "delivery_news_only_grows"),
        (delivery("state, replay_of", "'pending', gen_random_uuid()"), "delivery_replays_a_delivery"),
        (event("fingerprint", "sha256('a')"), "event_told_once"),
        (event("fingerprint", "'short'"), "event_fingerprint_is_sha256"),
        (event("fingerprint, kind", "sha256('b'), 'order'"), "event_subject_iff_kind"),
        (event("fingerprint, kind, subject", "sha256('b'), 'order', 'order:1'"), "event_subject_owes_a_delivery"),
        (
            "insert into link (connection, subject, reference, seen_at) values ('shop', 'order:2', 'r', now())".to_owned(),
            "link_reference_is_one_subjects",
        ),
        (
            "update link set begun_deed = 'place' where subject = 'order:1'".to_owned(),
            "link_begun_whole",
        ),
        ("update connection set paused_at = now()".to_owned(), "connection_paused_by_someone"),
        (
            "insert into intent values (gen_random_uuid(), 'shop', 'order:1', 'dance', 'ops', now())".to_owned(),
            "intent_action_known",
        ),
        (
            "insert into sweep (connection, what, cursor, due_at) values ('shop', 'dust', now(), now())".to_owned(),
            "sweep_what_known",
        ),
    ];
    are_refused(&silta, table).await;
}

#[tokio::test]
async fn the_catalogue_and_the_brake_are_defended_by_named_constraints_too() {
    let silta = TestSilta::start().await;
    sqlx::raw_sql(
        "insert into link (connection, subject, seen_at) values ('shop', 'order:1', now());
         insert into sync (id, connection, what, dry_run, actor, state, since, created_at)
         values ('00000000-0000-0000-0000-000000000002', 'shop', 'stock', false, 'ops', 'running', now(), now());
         insert into sync_difference (sync_id, place, subject, difference, remedy, mending)
         values ('00000000-0000-0000-0000-000000000002', 1, 'stock:A', 'figure_differs', '', false)",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    let part = |columns: &str, values: &str| {
        format!(
            "insert into part (connection, stored, seen_at, part, product, {columns})
             values ('shop', true, now(), 'product:1', {values})"
        )
    };
    let difference = |place: u32, columns: &str, values: &str| {
        format!(
            "insert into sync_difference (sync_id, place, subject, difference, remedy, {columns})
             values ('00000000-0000-0000-0000-000000000002', {place}, 'stock:A', 'figure_differs', '', {values})"
        )
    };
    let table = [
        (part("reason", "'product:2', 'code_empty'"), "part_is_of_its_product"),
        (part("code, reason", "'product:1', 'A', 'code_empty'"), "part_key_iff_code"),
        (part("code, code_key", "'product:1', 'A', 'a'"), "part_sent_or_held_back"),
        ("insert into in_flight values ('shop', 'order:1', 'A', 0)".to_owned(), "in_flight_pieces_positive"),
        ("insert into in_flight values ('shop', 'order:2', 'A', 1)".to_owned(), "in_flight_of_a_link"),
        ("update link set figure = -1".to_owned(), "link_figure_not_negative"),
        ("update connection set braked_at = now()".to_owned(), "connection_braked_for_a_reason"),
        ("update sync set step = 'rest'".to_owned(), "sync_step_known"),
        ("update sync set approved_at = now()".to_owned(), "sync_approved_by_someone"),
        (difference(2, "mending", "false"), "sync_difference_told_once"),
        (
            difference(3, "part, mending, waits, delivery_id", "'x', true, true, gen_random_uuid()"),
            "sync_difference_waits_or_mends",
        ),
        (difference(4, "part, mending", "'y', true"), "sync_difference_mended_by_a_delivery"),
    ];
    are_refused(&silta, table).await;
}

async fn are_refused(silta: &TestSilta, table: impl IntoIterator<Item = (String, &str)>) {
    for (sql, constraint) in table {
        let error =
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone())).execute(&silta.pool).await.expect_err(&sql);
        let refused_by = error.as_database_error().and_then(sqlx::error::DatabaseError::constraint);
        assert_eq!(refused_by, Some(constraint), "{sql}: {error}");
    }
}

#[tokio::test]
async fn the_front_room_is_defended_by_named_constraints_too() {
    let silta = TestSilta::start().await;
    let replay = |values: &str| {
        format!(
            "insert into replay (id, actor, filter, created_at, deliveries, opened, cancelled_at)
             values (gen_random_uuid(), 'ops', '{{}}', now(), {values})"
        )
    };
    let rule =
        |values: &str| format!("insert into shipping_rule values ('shop', {values}, false, 'ops', now())");
    let session = |values: &str| {
        format!("insert into session values ({values}, 'ops', '', '', now(), now() - interval '1 second')")
    };
    let table = [
        (session("'short'"), "session_digest_is_sha256"),
        (session("repeat('0', 64)"), "session_ends_after_it_begins"),
        (replay("'{}', array[gen_random_uuid()], null"), "replay_opened_are_among_its_deliveries"),
        (replay("'{}', '{}', now()"), "replay_cancelled_by_someone"),
        (rule("'', 'X'"), "shipping_rule_pattern_length"),
        (rule("'A', ''"), "shipping_rule_code_length"),
    ];
    are_refused(&silta, table).await;
}

#[tokio::test]
async fn orders_and_their_comparison_are_defended_by_named_constraints_too() {
    let silta = TestSilta::start().await;
    sqlx::raw_sql(
        "insert into link (connection, subject, reference, seen_at) values ('shop', 'order:1', 'r', now());
         insert into sync (id, connection, what, dry_run, actor, state, since, created_at)
         values ('00000000-0000-0000-0000-000000000002', 'shop', 'orders', false, 'ops', 'running', now(), now())",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    let sync = |what: &str, columns: &str, values: &str| {
        format!(
            "insert into sync (id, connection, what, dry_run, actor, since, created_at, {columns})
             values (gen_random_uuid(), 'shop', '{what}', false, 'ops', now(), now(), {values})"
        )
    };
    let table = [
        ("update link set status = 'lost' where subject = 'order:1'".to_owned(), "link_status_known"),
        (
            "insert into sweep_gap values ('shop', 'orders', now(), now() - interval '1 second', now())"
                .to_owned(),
            "sweep_gap_ends_after_it_starts",
        ),
        (sync("orders", "state", "'running'"), "sync_one_running"),
        (sync("dust", "state", "'running'"), "sync_what_known"),
        (sync("stock", "state, finished_at", "'asleep', now()"), "sync_state_known"),
        (sync("stock", "state", "'done'"), "sync_finished_iff_not_running"),
        (sync("stock", "state, finished_at", "'failed', now()"), "sync_failed_for_a_reason"),
        (sync("stock", "state, claim_id", "'running', gen_random_uuid()"), "sync_leased_iff_claimed"),
        (sync("stock", "state, done", "'running', -1"), "sync_done_not_negative"),
        (
            "insert into sync_difference values
             ('00000000-0000-0000-0000-000000000002', 0, 'order:1', 'same', null, null, '', false)"
                .to_owned(),
            "sync_difference_place_from_one",
        ),
    ];
    are_refused(&silta, table).await;
}

/// What `deploy/postgresql/distribute.sql` says of tables, by the word that it says of them.
fn told_of(word: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/postgresql/distribute.sql");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix(&format!("select {word}('")));
    lines.map(|line| line.split('\'').next().unwrap().to_owned()).collect()
}

/// Decision 0007: so that a distributed PostgreSQL can keep all that is one connection's in one place.
#[tokio::test]
async fn every_key_of_a_distributed_table_names_the_connection() {
    let silta = TestSilta::start().await;
    let (distributed, references) = (told_of("create_distributed_table"), told_of("create_reference_table"));
    assert_eq!(
        (distributed.len(), references.as_slice()),
        (11, ["connection".to_owned(), "shipping_rule".to_owned()].as_slice())
    );
    let broken: Vec<String> = sqlx::query_scalar(
        "with distributed as (select told::regclass as id from unnest($1::text[]) as told),
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
