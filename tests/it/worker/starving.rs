//! No task starves, however little the vendors' rates leave: the oldest goes first, and waiting for a turn is no attempt.

use std::{sync::Arc, time::Duration};

use silta::{dev::sandbox::OrderSpec, store::claim::ConnectionCapacity};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::fairness::claim_up_to;
use crate::harness::{CONNECTION, TestSilta, secs, wait_until};

/// Opens tasks by hand: each with its kind and key, its priority, and for how many seconds it has been due.
async fn open_tasks(silta: &TestSilta, tasks: &[(&str, i16, i64)]) {
    for (subject, priority, waited) in tasks {
        let due_at = silta.now() - chrono::Duration::seconds(*waited);
        let kind = subject.split_once(':').unwrap().0;
        let sql = "insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
             values (gen_random_uuid(), $1, $2, $3, 'pending', $4, $5, $5)";
        let insert = sqlx::query(sql).bind(CONNECTION).bind(kind).bind(subject).bind(priority).bind(due_at);
        insert.execute(&silta.pool).await.unwrap();
    }
}

/// The subjects that claims of one task each take, one after the other.
async fn claim_one_by_one(silta: &TestSilta, max_background: usize, max_risen: usize) -> Vec<String> {
    let mut subjects = Vec::new();
    loop {
        let connection = CONNECTION.to_owned();
        let capacity = ConnectionCapacity { connection, max_tasks: 1, max_background, max_risen };
        let claimed = claim_up_to(silta, vec![capacity], max_background, 1).await;
        let Some(leased) = claimed.into_iter().next() else { return subjects };
        subjects.push(leased.subject.to_string());
    }
}

/// Each with the seconds it is passed over for too long, if it is.
const TASKS: [(&str, i16, i64); 8] = [
    ("order:1", 0, 0),
    ("order:2", 0, 3600),
    ("stock:A", 1, 9),
    ("stock:B", 1, 12),
    ("product:1", 2, 25),
    ("order:7", 3, 29),
    ("order:8", 3, 31),
    ("order:9", 3, 40),
];

#[tokio::test]
async fn task_that_was_passed_over_for_long_goes_first() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    open_tasks(&silta, &TASKS).await;
    let risen_first =
        ["order:9", "product:1", "stock:B", "order:8", "order:2", "order:1", "stock:A", "order:7"];
    assert_eq!(claim_one_by_one(&silta, 1, 1).await, risen_first);
}

/// However many have been passed over, only a few go first: live orders have the other slots.
#[tokio::test]
async fn large_backlog_that_has_waited_long_does_not_delay_live_orders() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    open_tasks(&silta, &TASKS).await;
    let (connection, max_risen) = (CONNECTION.to_owned(), 1);
    let capacity = ConnectionCapacity { connection, max_tasks: 4, max_background: 3, max_risen };
    let claimed = claim_up_to(&silta, vec![capacity], 3, 4).await;
    let risen: Vec<_> = claimed.iter().filter(|it| it.has_risen).map(|it| it.subject.to_string()).collect();
    let mut all: Vec<_> = claimed.iter().map(|it| it.subject.to_string()).collect();
    all.sort();
    assert_eq!(
        (risen, all.join(" ")),
        (vec!["order:9".to_owned()], "order:1 order:2 order:9 stock:B".into())
    );
    assert_eq!(claim_one_by_one(&silta, 0, 0).await, ["stock:A", "product:1"], "no background slot is free");
    assert_eq!(claim_one_by_one(&silta, 0, 1).await, ["order:8"], "and one that has risen needs none");
    assert_eq!(claim_one_by_one(&silta, 1, 0).await, ["order:7"]);
}

#[tokio::test]
async fn waiting_for_its_turn_is_no_attempt_and_the_age_counts_from_the_opening() {
    let silta = TestSilta::start_with_settings(&[("ogoship.requests_per_second", "2")]).await;
    let opened_at = silta.now();
    for number in 0..20 {
        silta.shop.add_product(number, &format!("S-{number}"), "Kahvi", 0);
        silta.warehouse.receive_goods(&format!("S-{number}"), 5);
        silta.send_webhook(silta.warehouse.stock_changed(&format!("S-{number}"))).await;
    }
    // The clock stands still: two go at once, and those of three more seconds wait in line. The others are put off.
    silta.run_until_idle().await;
    let calls = i64::try_from(silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/stock")).unwrap();
    assert!((4..=8).contains(&calls), "{calls}");
    assert_eq!(silta.count("attempt").await, calls, "an attempt made a call");
    assert!(silta.count("task where state = 'pending' and attempts = 0").await >= 12);
    let has_moved =
        "task where state = 'pending' and attempts = 0 and (failures, snoozes, due_at) <> (0, 0, created_at)";
    assert_eq!(silta.count(has_moved).await, 0);
    assert_eq!(silta.count("task where snoozes > 0").await, 0);
    assert!(silta.count("task where reason = 'rate_limited'").await > 0, "and it says what it waits for");

    silta.clock.advance(secs(1800));
    let metrics = silta.api.get("/metrics").await.body.as_str().unwrap().to_owned();
    assert!(metrics.contains("silta_oldest_due_seconds{connection=\"shop\"} 1800\n"), "{metrics}");
    assert!(metrics.contains("silta_deferrals_total{kind=\"stock\"}"), "{metrics}");
    let shown = silta.api.get("/admin/v1/connections/shop").await;
    let since: silta::domain::Timestamp = shown.text("/backlog/oldest_due_at").parse().unwrap();
    assert_eq!(since, opened_at);
    silta.alerts.check_and_notify().await.unwrap();
    assert_eq!(silta.count("alert where kind = 'backlog_old' and closed_at is null").await, 1);
    for _ in 0..20 {
        silta.advance(secs(20)).await;
    }
    assert_eq!(
        silta.count("task where state = 'done' and attempts = 2").await,
        20,
        "written, and seen to be equal"
    );
}

/// Lets the clock go on as time does until it is dropped.
fn let_the_clock_run(silta: &TestSilta) -> AbortOnDropHandle<()> {
    let clock = silta.clock.clone();
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut last = tokio::time::Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        loop {
            let now = ticks.tick().await;
            clock.advance(now - last);
            last = now;
        }
    }))
}

/// Live orders that never end use every slot that the shop's rate feeds, on a fast machine and on a slow one; those that a
/// poll found are older, and must not wait for the end.
#[tokio::test]
async fn orders_found_by_a_poll_are_sent_while_live_ones_use_the_whole_rate() {
    let silta = TestSilta::start_with_settings(&[("mycashflow.requests_per_second", "5")]).await;
    silta.poll().await;
    silta.clock.advance(secs(3600));
    silta.shop.add_product(1, "A", "A", 1000);
    silta.warehouse.receive_goods("A", 1000);
    let found: Vec<_> = (0..2).map(|_| silta.shop.place_order(OrderSpec::of("A", 1))).collect();
    silta.poll().await;
    silta.clock.advance(secs(31));

    let mut live = Vec::new();
    let place = async |silta: &TestSilta| {
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
        order
    };
    for _ in 0..15 {
        live.push(place(&silta).await);
    }
    let running = let_the_clock_run(&silta);
    let stop = CancellationToken::new();
    let (worker, soft) = (silta.worker.clone(), stop.clone());
    let working = tokio::spawn(async move { worker.run(soft.clone(), soft).await });
    let silta = Arc::new(silta);
    let is_sent = |order: &u64| silta.warehouse.count(&format!("shop-{order}")) == 1;
    while !found.iter().all(is_sent) {
        assert!(live.len() < 60, "{} of 2 sent", found.iter().filter(|it| is_sent(it)).count());
        let waiting = || live.iter().filter(|it| !is_sent(it)).count();
        wait_until("an order is sent", async || waiting() < 15 || found.iter().all(is_sent)).await;
        live.push(place(&silta).await);
    }
    stop.cancel();
    working.await.unwrap();
    drop(running);
    let next = silta.second_worker();
    for _ in 0..20 {
        silta.clock.advance(secs(20));
        next.run_until_idle().await.unwrap();
    }
    assert_eq!(silta.lost_and_doubled(), (0, 0), "{} live ones", live.len());
}
