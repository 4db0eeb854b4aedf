//! Every table and column has a comment, and every invariant a named constraint.

use crate::harness::TestSilta;

#[tokio::test]
async fn every_table_and_column_has_a_comment() {
    let silta = TestSilta::start().await;
    let uncommented: Vec<String> = sqlx::query_scalar(
        "select c.relname || coalesce('.' || a.attname, '')
         from pg_class c
         left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname <> '_sqlx_migrations'
           and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)",
    )
    .fetch_all(&silta.pool)
    .await
    .unwrap();
    assert_eq!(uncommented, Vec::<String>::new());
}

/// Each row: an invalid write, and the constraint that refuses it.
#[tokio::test]
async fn tasks_and_events_have_named_constraints() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    sqlx::raw_sql(
        "insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
         values ('00000000-0000-0000-0000-000000000001', 'shop', 'order', 'order:1', 'pending', 0, now(), now());
         insert into event (id, connection, source, topic, kind, subject, received_at, fingerprint, body, task_id)
         values (gen_random_uuid(), 'shop', 'poll', 't', 'order', 'order:1', now(), sha256('a'), '',
                 '00000000-0000-0000-0000-000000000001');
         insert into subject_state (connection, subject, reference, seen_at) values ('shop', 'order:1', 'r', now())",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    let task = |columns: &str, values: &str| {
        format!(
            "insert into task (id, connection, kind, subject, priority, due_at, created_at, {columns})
             values (gen_random_uuid(), 'shop', 'stock', 'stock:A', 1, now(), now(), {values})"
        )
    };
    let event = |columns: &str, values: &str| {
        format!(
            "insert into event (id, connection, source, received_at, body, topic, {columns})
             values (gen_random_uuid(), 'shop', 'poll', now(), '', 't', {values})"
        )
    };
    let intent = |columns: &str, values: &str| {
        format!(
            "insert into intent (id, connection, subject, kind, actor, created_at, {columns})
             values (gen_random_uuid(), 'shop', 'order:1', 'hold', 'ops', now(), {values})"
        )
    };
    let table = [
        (
            "insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
             values (gen_random_uuid(), 'shop', 'order', 'order:1', 'in_doubt', 0, now(), now())"
                .to_owned(),
            "task_open_by_subject",
        ),
        (task("state", "'lost'"), "task_state_known"),
        (task("state", "'leased'"), "task_leased_iff_claimed"),
        (task("state, claim_id", "'pending', gen_random_uuid()"), "task_unleased_has_no_claim"),
        (task("state", "'done'"), "task_closed_iff_settled"),
        (task("state, settled_at", "'pending', now()"), "task_closed_iff_settled"),
        (task("state, settled_at", "'dead', now()"), "task_closed_has_reason"),
        (task("state, handled_at, handled_by", "'pending', now(), 'ops'"), "task_handled_is_dead"),
        (task("state, handled_by", "'pending', 'ops'"), "task_handled_has_actor"),
        (task("state, failures", "'pending', -1"), "task_counts_not_negative"),
        (task("state, failures", "'pending', 2"), "task_counts_not_negative"),
        (task("state, revision", "'pending', 0"), "task_revision_valid"),
        (task("state, replay_of", "'pending', gen_random_uuid()"), "task_replay_of_known"),
        (event("fingerprint", "sha256('a')"), "event_fingerprint_unique"),
        (event("fingerprint", "'short'"), "event_fingerprint_is_sha256"),
        (event("fingerprint, kind", "sha256('b'), 'order'"), "event_subject_iff_kind"),
        (event("fingerprint, kind, subject", "sha256('b'), 'order', 'order:1'"), "event_subject_iff_task"),
        (
            "insert into subject_state (connection, subject, reference, seen_at) values ('shop', 'order:2', 'r', now())".to_owned(),
            "subject_state_reference_unique",
        ),
        (intent("undone_at, leaves_at", "now(), now() + interval '1 s'"), "intent_undone_has_actor"),
        (intent("undone_at, undone_by, leaves_at", "now(), 'ops', now()"), "intent_undone_before_it_left"),
        ("update connection set paused_at = now()".to_owned(), "connection_paused_has_actor"),
        (
            "insert into intent (id, connection, subject, kind, actor, created_at)
             values (gen_random_uuid(), 'shop', 'order:1', 'dance', 'ops', now())"
                .to_owned(),
            "intent_kind_known",
        ),
        (
            "insert into intent (id, connection, subject, kind, actor, created_at)
             values (gen_random_uuid(), 'shop', 'order:1', 'send_replacement', 'ops', now())"
                .to_owned(),
            "intent_target_where_needed",
        ),
        (
            "insert into poll (connection, what, cursor, due_at) values ('shop', 'dust', now(), now())".to_owned(),
            "poll_what_known",
        ),
    ];
    assert_refused(&silta, table).await;
}

#[tokio::test]
async fn catalogue_and_brake_have_named_constraints() {
    let silta = TestSilta::start().await;
    sqlx::raw_sql(
        "insert into subject_state (connection, subject, seen_at) values ('shop', 'order:1', now());
         insert into sync (id, connection, what, dry_run, actor, state, since, created_at)
         values ('00000000-0000-0000-0000-000000000002', 'shop', 'stock', false, 'ops', 'running', now(), now());
         insert into sync_difference (sync_id, position, subject, difference, remedy, fixing)
         values ('00000000-0000-0000-0000-000000000002', 1, 'stock:A', 'figure_differs', '', false)",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    let item = |columns: &str, values: &str| {
        format!(
            "insert into item (connection, stored, seen_at, item, product, {columns})
             values ('shop', true, now(), 'product:1', {values})"
        )
    };
    let line = |columns: &str, values: &str| {
        format!(
            "insert into order_line (connection, subject, code, code_key, quantity, {columns})
             values ('shop', 'order:1', 'A', 'a', 1, {values})"
        )
    };
    let difference = |position: u32, columns: &str, values: &str| {
        format!(
            "insert into sync_difference (sync_id, position, subject, difference, remedy, {columns})
             values ('00000000-0000-0000-0000-000000000002', {position}, 'stock:A', 'figure_differs', '', {values})"
        )
    };
    let table = [
        (
            "insert into warehouse_code (connection, code, code_key, seen_at) values ('shop', ' ', '', now())".to_owned(),
            "warehouse_code_key_not_empty",
        ),
        (item("reason", "'product:2', 'code_empty'"), "item_belongs_to_product"),
        (item("code, reason", "'product:1', 'A', 'code_empty'"), "item_code_key_iff_code"),
        (item("code, code_key", "'product:1', 'A', 'a'"), "item_draft_iff_no_reason"),
        ("insert into in_flight values ('shop', 'order:1', 'A', 0)".to_owned(), "in_flight_pieces_positive"),
        (
            "insert into in_flight values ('shop', 'order:2', 'A', 1)".to_owned(),
            "in_flight_subject_state_known",
        ),
        ("update subject_state set figure = -1".to_owned(), "subject_state_figure_not_negative"),
        (
            "insert into stock_figure (connection, code, code_key, shop, physical, buffer, read_at)
             values ('shop', 'A', 'a', 1, 2, 0, now())"
                .to_owned(),
            "stock_figure_known_together",
        ),
        ("update subject_state set waiting_since = now()".to_owned(), "subject_state_waiting_has_goods"),
        (
            "update subject_state set shipping_mapping = 'guessed'".to_owned(),
            "subject_state_shipping_mapping_known",
        ),
        ("update subject_state set shipping_mapping = 'mapped'".to_owned(), "subject_state_mapped_has_code"),
        (line("position", "-1"), "order_line_position_not_negative"),
        (line("position, shipped_by", "0, 'nobody knows'"), "order_line_shipped_by_known"),
        (line("position, shipped", "0, -1"), "order_line_counts_not_negative"),
        (line("position, returned", "0, -1"), "order_line_counts_not_negative"),
        (
            "insert into order_line (connection, subject, position, code, code_key, quantity)
             values ('shop', 'order:0', 0, 'A', 'a', 1)"
                .to_owned(),
            "order_line_subject_state_known",
        ),
        ("update connection set braked_at = now()".to_owned(), "connection_brake_has_detail"),
        ("update sync set step = 'rest'".to_owned(), "sync_step_known"),
        ("update sync set approved_at = now()".to_owned(), "sync_approved_has_actor"),
        (difference(2, "fixing", "false"), "sync_difference_unique"),
        (
            difference(3, "item, fixing, awaits_approval, task_id", "'x', true, true, gen_random_uuid()"),
            "sync_difference_awaiting_excludes_fixing",
        ),
        (difference(4, "item, fixing", "'y', true"), "sync_difference_fixing_iff_task"),
    ];
    assert_refused(&silta, table).await;
}

async fn assert_refused(silta: &TestSilta, table: impl IntoIterator<Item = (String, &str)>) {
    for (sql, constraint) in table {
        let error =
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone())).execute(&silta.pool).await.expect_err(&sql);
        let refused_by = error.as_database_error().and_then(sqlx::error::DatabaseError::constraint);
        assert_eq!(refused_by, Some(constraint), "{sql}: {error}");
    }
}

#[tokio::test]
async fn dashboard_tables_have_named_constraints() {
    let silta = TestSilta::start().await;
    let replay = |values: &str| {
        format!(
            "insert into replay (id, actor, filter, created_at, tasks, opened, cancelled_at)
             values (gen_random_uuid(), 'ops', '{{}}', now(), {values})"
        )
    };
    let rule =
        |values: &str| format!("insert into shipping_rule values ('shop', {values}, false, 'ops', now())");
    let session = |values: &str| {
        format!("insert into session values ({values}, 'ops', '', '', now(), now() - interval '1 second')")
    };
    let work = |values: &str| format!("insert into connection_work values ('shop', {values})");
    let unended = "gen_random_uuid(), 'ops', now(), now() + interval '1 minute'";
    let table = [
        (work(&format!("'dance', {unended}")), "connection_work_kind_known"),
        (work("'test', gen_random_uuid(), 'ops', now(), now()"), "connection_work_ends_after_start"),
        (work(&format!("'test', {unended}, now()")), "connection_work_finished_has_checks"),
        (
            work(&format!("'test', {unended}")).replace("'shop'", "'other'"),
            "connection_work_connection_known",
        ),
        (session("'short'"), "session_digest_is_sha256"),
        (session("repeat('0', 64)"), "session_expires_after_start"),
        (replay("'{}', array[gen_random_uuid()], null"), "replay_opened_subset_of_tasks"),
        (replay("'{}', '{}', now()"), "replay_cancelled_has_actor"),
        (rule("'', 'X'"), "shipping_rule_pattern_length"),
        (rule("'A', ''"), "shipping_rule_code_length"),
    ];
    assert_refused(&silta, table).await;
}

#[tokio::test]
async fn ledger_and_references_have_named_constraints() {
    let silta = TestSilta::start().await;
    let action = |kind: &str, columns: &str, values: &str| {
        format!(
            "insert into action (
                 connection, subject, number, task_id, attempt, claim_id, idempotency_key, begun_at, kind, {columns}
             )
             values ('shop', 'order:1', 1, gen_random_uuid(), 1, gen_random_uuid(), '', now(), '{kind}', {values})"
        )
    };
    let place = |columns: &str, values: &str| {
        action("place", &format!("reference, {columns}"), &format!("'shop-1', {values}"))
    };
    let twice = format!("{}; {}", place("repeat, state", "1, 'begun'"), place("repeat, state", "2, 'begun'"));
    let prefix = |merchant: &str, prefix: &str| {
        format!("insert into reference_prefix values ({merchant}, '{prefix}', 'shop', now())")
    };
    let table = [
        (twice, "action_pkey"),
        (place("repeat, state", "6, 'begun'"), "action_repeats_bounded"),
        (action("complete", "repeat, state", "6, 'begun'"), "action_repeats_bounded"),
        (place("repeat, state", "0, 'begun'"), "action_repeats_bounded"),
        (place("repeat, state, ended_at", "1, 'lost', now()"), "action_state_known"),
        (place("repeat, state", "1, 'applied'"), "action_ended_unless_begun"),
        (place("repeat, state, ended_at", "1, 'begun', now()"), "action_ended_unless_begun"),
        (place("repeat, state, ended_at", "1, 'resolved_applied', now()"), "action_resolved_has_actor"),
        (place("repeat, state, reads", "1, 'begun', -1"), "action_reads_not_negative"),
        (action("dance", "repeat, state", "1, 'begun'"), "action_kind_known"),
        (action("place", "repeat, state", "1, 'begun'"), "action_order_has_reference"),
        (action("create", "repeat, state", "1, 'begun'"), "action_target_where_needed"),
        (
            action("place_replacement", "target, reference, repeat, state", "'7', 'shop-1-R6', 6, 'begun'"),
            "action_repeats_bounded",
        ),
        (
            action("place_replacement", "target, repeat, state", "'7', 1, 'begun'"),
            "action_order_has_reference",
        ),
        (prefix("'shop'", "a-"), "reference_prefix_merchant_is_sha256"),
        (
            format!("{}; {}", prefix("repeat('a', 64)", "a-"), prefix("repeat('a', 64)", "A-")),
            "reference_prefix_in_any_case",
        ),
    ];
    assert_refused(&silta, table).await;
}

#[tokio::test]
async fn orders_and_sync_have_named_constraints() {
    let silta = TestSilta::start().await;
    sqlx::raw_sql(
        "insert into subject_state (connection, subject, reference, seen_at) values ('shop', 'order:1', 'r', now());
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
        (
            "update subject_state set status = 'lost' where subject = 'order:1'".to_owned(),
            "subject_state_status_known",
        ),
        ("update connection set circuit_vendor = 'posti'".to_owned(), "connection_circuit_vendor_known"),
        (
            "insert into call_hour (connection, vendor, hour, times) values ('shop', 'posti', now(), '{}')"
                .to_owned(),
            "call_hour_vendor_known",
        ),
        (
            "insert into poll_gap values
                ('shop', 'orders', now(), now() - interval '1 second', now(), 0, now())"
                .to_owned(),
            "poll_gap_ends_after_start",
        ),
        (
            "insert into poll_gap values ('shop', 'orders', now(), now(), now(), -1, now())".to_owned(),
            "poll_gap_attempts_not_negative",
        ),
        (
            "insert into polled_change values ('shop', 'orders', 'order:1', 'v', 0, now())".to_owned(),
            "polled_change_times_positive",
        ),
        (sync("orders", "state", "'running'"), "sync_one_running"),
        (sync("dust", "state", "'running'"), "sync_what_known"),
        (sync("stock", "state, finished_at", "'asleep', now()"), "sync_state_known"),
        ("update sync set since = '1999-12-31'".to_owned(), "sync_since_possible"),
        (sync("stock", "state", "'done'"), "sync_finished_iff_not_running"),
        (sync("stock", "state, finished_at", "'failed', now()"), "sync_failed_has_error"),
        (sync("stock", "state, claim_id", "'running', gen_random_uuid()"), "sync_leased_iff_claimed"),
        (sync("stock", "state, done", "'running', -1"), "sync_done_not_negative"),
        (
            "insert into sync_difference (sync_id, position, subject, difference, remedy, fixing)
             values ('00000000-0000-0000-0000-000000000002', 0, 'order:1', 'same', '', false)"
                .to_owned(),
            "sync_difference_position_positive",
        ),
    ];
    assert_refused(&silta, table).await;
}
