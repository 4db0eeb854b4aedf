//! What pages and gauges count: equal to the rows whatever happens, corrected where it is not, and removed with its time.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use silta::{
    background::retention::{Periods, Retention},
    dev::sandbox::OrderSpec,
    domain::{order::OrderStatus, vendor::Vendor},
    store::{
        counts, superseded,
        views::{
            figures::{self, Figures},
            orders, overview, recent_changes, vendors_down,
        },
    },
};

use crate::harness::{TestSilta, secs};

/// The counts as pages read them, without what they count of orders that were not read yet.
async fn kept(silta: &TestSilta) -> (Vec<(String, i64)>, i64) {
    let mut db = silta.pool.acquire().await.unwrap();
    let mut by_status = orders::count_by_status(&mut db, None).await.unwrap();
    by_status.sort();
    let backlog = overview::backlog(&mut db, silta.now()).await.unwrap();
    (by_status, backlog.iter().map(|it| it.open).sum())
}

/// The same, counted.
async fn counted(silta: &TestSilta) -> (Vec<(String, i64)>, i64) {
    let by_status = sqlx::query_as(
        "select status, count(*) from (
             select status from subject_state where status is not null
             union all
             select 'not_transferred' from task
             where kind = 'order' and settled_at is null and not exists (
                 select 1 from subject_state where subject_state.subject = task.subject and status is not null
             )
         ) orders group by 1 order by 1",
    );
    let by_status = by_status.fetch_all(&silta.pool).await.unwrap();
    (by_status, silta.count("task where settled_at is null").await)
}

async fn load_figures(silta: &TestSilta, back: TimeDelta) -> Figures {
    let mut db = silta.pool.acquire().await.unwrap();
    figures::load(&mut db, Some("shop"), silta.now() - back, silta.now()).await.unwrap()
}

/// One of the things that happen to orders; `turn` chooses.
async fn happen(silta: &TestSilta, turn: u64, placed: &mut Vec<u64>) {
    let some = placed.get(usize::try_from(turn / 11).unwrap() % placed.len().max(1)).copied();
    match (turn % 11, some) {
        (0..=2, _) | (_, None) => placed.push(silta.place_order(OrderSpec::of("A", 1)).await),
        (3, _) => placed.push(silta.place_order(OrderSpec::of("A", 1).unpaid()).await),
        (4, _) => {
            // Not read yet.
            let order = silta.shop.place_order(OrderSpec::of("A", 1));
            silta.send_webhook(silta.shop.order_created(order)).await;
            placed.push(order);
        }
        (5, Some(order)) => {
            silta.shop.mark_paid(order);
            silta.send_order_update(order).await;
        }
        (6, Some(order)) => silta.shop.cancel_order(order),
        (7, Some(order)) if silta.warehouse_count(order) > 0 => {
            let statuses = ["Shipped", "Pending", "Returned", "Locked"];
            let status = statuses[usize::try_from(turn / 50).unwrap() % 4];
            silta.warehouse.set_status(&format!("shop-{order}"), status);
        }
        (8, Some(order)) => {
            silta
                .post_order_action(order, ["hold", "release"][usize::try_from(turn / 30).unwrap() % 2])
                .await;
        }
        (9, _) => silta.advance(secs(600)).await,
        (_, Some(order)) => {
            let open = "select id from task where settled_at is null and claim_id is null limit 1";
            if let Some(task) = silta.scalar_optional::<uuid::Uuid>(open).await {
                silta.api.post(&format!("/admin/v1/tasks/{task}/cancel"), json!({})).await;
            }
            silta.send_order_update(order).await;
        }
    }
}

#[tokio::test]
async fn counts_equal_the_rows_after_a_random_history() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    silta.warehouse.receive_goods("A", 1000);
    let mut placed = Vec::new();
    let (mut random, mut most_open): (u64, i64) = (7, 0);
    for step in 0..120 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        happen(&silta, random >> 33, &mut placed).await;
        let (by_status, open) = counted(&silta).await;
        most_open = most_open.max(open);
        assert_eq!(kept(&silta).await, (by_status, open), "after step {step}");
        if step % 7 == 0 {
            silta.counts.round().await.unwrap();
            assert_eq!(kept(&silta).await, counted(&silta).await, "folded after step {step}");
        }
    }
    let mut db = silta.pool.acquire().await.unwrap();
    assert_eq!(counts::recount(&mut db).await.unwrap(), [], "nothing to correct");
    sqlx::raw_sql("delete from in_flight; delete from subject_state where status = 'delivered'")
        .execute(&silta.pool)
        .await
        .unwrap();
    assert_eq!(kept(&silta).await, counted(&silta).await, "rows that were removed");
    let (by_status, _) = counted(&silta).await;
    assert!(by_status.len() >= 3 && most_open > 0, "{by_status:?}, {most_open} open");
}

#[tokio::test]
async fn wrong_count_is_corrected_by_the_check() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    silta.warehouse.receive_goods("A", 10);
    silta.place_order(OrderSpec::of("A", 1)).await;
    // Past the counts, as by a program of before.
    sqlx::raw_sql(
        "insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
         values (gen_random_uuid(), 'shop', 'stock', 'stock:B', 'pending', 1, now(), now());
         insert into order_count values ('shop', 'returned', 3)
         on conflict on constraint order_count_pkey do update set count = order_count.count + 3",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    assert_ne!(kept(&silta).await, counted(&silta).await);
    silta.counts.check().await.unwrap();
    assert_eq!(kept(&silta).await, counted(&silta).await);
    let mut db = silta.pool.acquire().await.unwrap();
    assert_eq!(counts::recount(&mut db).await.unwrap(), [], "once is enough");
}

#[tokio::test]
async fn hours_tell_what_came_in_was_sent_and_shipped_and_how_long_it_took() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 10);
    let first = silta.place_order(OrderSpec::of("A", 1)).await;
    silta.place_order(OrderSpec::of("A", 1).unpaid()).await;
    silta.counts.round().await.unwrap();
    let sum = |figures: &Figures| {
        let add = |pick: fn(&figures::OrderHour) -> i64| figures.hours.iter().map(pick).sum::<i64>();
        [add(|hour| hour.came_in), add(|hour| hour.placed), add(|hour| hour.shipped)]
    };
    let day = load_figures(&silta, TimeDelta::hours(23)).await;
    assert_eq!((sum(&day), day.hours.len()), ([2, 1, 0], 24));
    assert_eq!(day.waits.count, 1, "the order that was placed");
    assert!(day.waits.median.unwrap() <= Duration::from_millis(500), "{:?}: at once", day.waits);

    silta.clock.advance(secs(3600));
    silta.warehouse.set_status(&format!("shop-{first}"), "Shipped");
    silta.send_order_update(first).await;
    silta.counts.round().await.unwrap();
    let day = load_figures(&silta, TimeDelta::hours(23)).await;
    assert_eq!(sum(&day), [2, 1, 1]);
    let [before, last] = &day.hours[22..] else { panic!("24 hours") };
    assert_eq!(([before.came_in, last.came_in], [before.shipped, last.shipped]), ([2, 0], [0, 1]));
    let [shop, warehouse] = &day.vendors[..] else { panic!("two vendors") };
    assert_eq!([shop.vendor, warehouse.vendor], [Vendor::MyCashflow, Vendor::Ogoship]);
    assert!(shop.succeeded > 2 && warehouse.succeeded > 2, "{day:?}");
    assert_eq!((shop.failed, shop.times.count), (0, shop.succeeded));

    silta.warehouse.set_status(&format!("shop-{first}"), "Returned");
    silta.send_order_update(first).await;
    silta.counts.round().await.unwrap();
    let ended = load_figures(&silta, TimeDelta::hours(23)).await;
    let ends = [OrderStatus::Delivered, OrderStatus::Returned].map(|status| ended.finished(status));
    assert_eq!(
        (sum(&ended), ends),
        ([2, 1, 1], [Some(0), Some(1)]),
        "shipped and returned, and counted once"
    );

    let mut db = silta.pool.acquire().await.unwrap();
    let recent = recent_changes::list(&mut db, None, 10).await.unwrap();
    let recent: Vec<_> =
        recent.iter().map(|it| (it.order_id.as_str(), it.status.as_str(), it.is_placed)).collect();
    assert_eq!(recent[..2], [("1001", "returned", false), ("1001", "delivered", false)]);
    assert!(recent.iter().any(|it| it.0 == "1001" && it.2), "it was placed: {recent:?}");
}

#[tokio::test]
async fn failed_calls_are_counted_by_vendor() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 10);
    silta.sandbox.warehouse_server.faults.script("GET", "/orders", silta::dev::sandbox::Fault::Status(500));
    silta.place_order(OrderSpec::of("A", 1)).await;
    silta.advance(secs(60)).await;
    silta.counts.round().await.unwrap();
    let day = load_figures(&silta, TimeDelta::hours(1)).await;
    assert_eq!((day.vendors[0].failed, day.vendors[1].failed), (0, 1), "{day:?}");
}

#[tokio::test]
async fn old_hours_are_removed_with_the_rows_of_their_time() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 10);
    silta.place_order(OrderSpec::of("A", 1)).await;
    silta.counts.round().await.unwrap();
    let count = || async { (silta.count("order_hour").await, silta.count("call_hour").await) };
    assert_eq!(count().await, (1, 2));
    let day = Duration::from_secs(86_400);
    let periods = Periods { bodies: Duration::ZERO, rows: 400 * day, reports: Duration::ZERO };
    let retention = Retention::new(silta.pool.clone(), silta.clock.clone(), periods);
    silta.clock.advance(399 * day);
    retention.round().await.unwrap();
    assert_eq!(count().await, (1, 2), "not old enough");
    silta.clock.advance(2 * day);
    retention.round().await.unwrap();
    assert_eq!(count().await, (0, 0));
}

#[tokio::test]
async fn vendor_that_is_down_is_named_with_since_when_and_what_waits() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 100);
    silta.sandbox.warehouse_server.set_online(false);
    for _ in 0..8 {
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
    }
    let since = silta.now();
    silta.run_until_idle().await;
    silta.clock.advance(secs(600));
    silta.run_until_idle().await;
    let mut db = silta.pool.acquire().await.unwrap();
    let down = vendors_down::list(&mut db).await.unwrap();
    assert_eq!(down.len(), 1, "{down:?}");
    assert_eq!((down[0].vendor.as_deref(), down[0].reason.as_str()), (Some("ogoship"), "vendor_down"));
    assert_eq!((down[0].since, down[0].orders_waiting, down[0].holds_back_writes), (Some(since), 8, false));
    drop(db);

    silta.sandbox.warehouse_server.set_online(true);
    silta.advance(secs(3600)).await;
    let mut db = silta.pool.acquire().await.unwrap();
    assert_eq!(vendors_down::list(&mut db).await.unwrap(), []);
}

#[tokio::test]
async fn dead_letters_are_the_same_before_and_after_marking() {
    let silta = TestSilta::start().await;
    // Each subject: what its tasks came to, in order.
    let subjects = [
        vec!["dead"],
        vec!["dead", "done"],
        vec!["dead", "cancelled"],
        vec!["dead", "dead"],
        vec!["dead", "cancelled", "skipped", "cancelled"],
        vec!["done", "dead"],
    ];
    for (number, states) in subjects.iter().enumerate() {
        for state in states {
            sqlx::query(
                "insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
                 values (gen_random_uuid(), 'shop', 'order', 'order:' || $1, $2, 'refused', 0, now(), now(), now())",
            )
            .bind(number.to_string())
            .bind(state)
            .execute(&silta.pool)
            .await
            .unwrap();
        }
    }
    let dead = async || -> Vec<String> {
        let sql = "select subject from dead_letter order by subject";
        sqlx::query_scalar(sql).fetch_all(&silta.pool).await.unwrap()
    };
    let expected = ["order:0", "order:2", "order:3", "order:5"];
    assert_eq!(dead().await, expected);
    let mut db = silta.pool.acquire().await.unwrap();
    assert_eq!(superseded::mark(&mut db).await.unwrap(), 3, "of the second, the fourth and the fifth");
    assert_eq!(superseded::mark(&mut db).await.unwrap(), 0, "once each");
    assert_eq!(dead().await, expected);
}
