//! Lists that no index narrows look at a window of rows for each page, and every row is on one of the pages.

use silta::domain::Timestamp;

use crate::harness::TestSilta;

/// More closed tasks, with an event each, than one page looks at; the oldest alone are of a product and an unusual topic.
async fn fill(silta: &TestSilta) {
    sqlx::raw_sql(
        "create function pg_temp.id_of(n int) returns uuid language sql immutable as $$
             select (lpad(to_hex(1789000000000 + n), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid
         $$;
         insert into task (id, connection, kind, subject, state, priority, due_at, created_at, settled_at)
         select pg_temp.id_of(n), 'shop', kind, kind || ':' || n, 'done', 1, at, at, at
         from generate_series(1, 20100) as n,
             lateral (select case when n <= 3 then 'product' else 'stock' end as kind,
                             to_timestamp(1789000000 + n / 1000.0) as at) as made;
         insert into event (id, connection, source, topic, kind, subject, received_at, fingerprint, body, task_id)
         select id, connection, 'poll', case when kind = 'product' then 'rare' else 'usual' end, kind, subject,
                created_at, sha256(uuid_send(id)), '', id
         from task",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
}

/// Follows a list to its end; returns how many rows it has and on how many pages.
async fn follow(silta: &TestSilta, path: &str) -> (usize, usize) {
    let (mut rows, mut pages, mut cursor) = (0, 0, String::new());
    loop {
        let page = silta.api.get(&format!("{path}{cursor}")).await;
        assert_eq!(page.status, 200, "{path}");
        rows += page.items().len();
        pages += 1;
        assert!(pages < 10, "{path} does not end");
        match page.body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (rows, pages),
        }
    }
}

#[tokio::test]
async fn rows_beyond_the_window_are_on_a_later_page() {
    let silta = TestSilta::start().await;
    fill(&silta).await;
    assert_eq!(follow(&silta, "/admin/v1/tasks?kind=product").await, (3, 2));
    assert_eq!(follow(&silta, "/admin/v1/events?topic=rare").await, (3, 2));
    assert_eq!(follow(&silta, "/admin/v1/events?topic=never").await, (0, 2));
    // Those with an index need one page.
    assert_eq!(follow(&silta, "/admin/v1/tasks?kind=product&state=dead").await, (0, 1));
    assert_eq!(follow(&silta, "/admin/v1/tasks?reason=refused").await, (0, 1));
    assert_eq!(follow(&silta, "/admin/v1/tasks?subject=product:2").await, (1, 1));
    assert_eq!(follow(&silta, "/admin/v1/events?subject=product:2").await, (1, 1));
    assert_eq!(follow(&silta, "/admin/v1/events?source=operator").await, (0, 1));
}

#[tokio::test]
async fn stretch_of_time_has_exactly_its_rows() {
    let silta = TestSilta::start().await;
    fill(&silta).await;
    // A second of a thousand rows, beside the ids that its time could have.
    let text = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap().format("%FT%TZ").to_string();
    let span = format!("since={}&until={}", text(1_789_000_005), text(1_789_000_006));
    for list in ["tasks", "events"] {
        assert_eq!(follow(&silta, &format!("/admin/v1/{list}?limit=200&{span}")).await, (1000, 5), "{list}");
    }
}
