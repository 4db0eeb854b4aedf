//! The rate limit of a vendor, shared by all replicas.

use std::{collections::BTreeSet, sync::Arc};

use silta::{dev::sandbox::Fault, runtime::clock::OffsetClock, worker::Worker};

use crate::harness::{TestOptions, TestSilta, secs};

#[tokio::test]
async fn rate_limit_is_shared_by_replicas_and_429_lowers_it() {
    let silta = TestSilta::start_with_env(
        TestOptions::default(),
        &[("SILTA__CONNECTIONS__SHOP__OGOSHIP__REQUESTS_PER_SECOND", "10")],
    )
    .await;
    for number in 0..40 {
        silta.shop.add_product(number, &format!("S-{number}"), "Kahvi", 0);
        silta.warehouse.receive_goods(&format!("S-{number}"), 5);
        silta.send_webhook(silta.warehouse.stock_changed(&format!("S-{number}"))).await;
    }
    let calls = || silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/stock");
    // Three replicas with a stopped clock: ten may call at once, and those of three more seconds wait.
    let replicas: Vec<_> =
        (0..3).map(|_| silta.second_worker_with("ogoship.requests_per_second", "10")).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for replica in replicas {
        tasks.spawn(async move { replica.run_until_idle().await.unwrap() });
    }
    tasks.join_all().await;
    assert!((35..=41).contains(&calls()), "{} calls where one replica alone would have made 40", calls());

    silta.clock.advance(secs(600));
    let calls_before = calls();
    silta.sandbox.warehouse_server.faults.script("GET", "/api/v1/stock", Fault::TooMany(7));
    silta.send_webhook(silta.warehouse.stock_changed("S-0")).await;
    silta.run_until_idle().await;
    silta.send_webhook(silta.warehouse.stock_changed("S-1")).await;
    silta.second_worker_with("ogoship.requests_per_second", "10").run_until_idle().await.unwrap();
    let share: f64 = silta.scalar("select share from rate_limit where vendor = 'ogoship'").await;
    assert!((share - 0.5).abs() < 1e-9, "{share}");
    let closed: i64 = silta
        .scalar("select extract(epoch from blocked_until - lowered_at)::bigint from rate_limit where vendor = 'ogoship'")
        .await;
    assert_eq!(closed, 7, "its Retry-After is honoured");
    assert!(calls() - calls_before <= 40);
    for _ in 0..10 {
        silta.advance(secs(60)).await;
    }
    let equal: BTreeSet<_> =
        (0..40).filter_map(|number| silta.shop.quantity(&format!("S-{number}"))).collect();
    assert_eq!(equal, BTreeSet::from([5]));
}

#[tokio::test]
async fn no_call_follows_a_429_with_retry_after() {
    let silta = TestSilta::start_with_settings(&[("ogoship.requests_per_second", "5")]).await;
    for number in 0..20 {
        silta.shop.add_product(number, &format!("S-{number}"), "Kahvi", 0);
        silta.warehouse.receive_goods(&format!("S-{number}"), 5);
        silta.send_webhook(silta.warehouse.stock_changed(&format!("S-{number}"))).await;
    }
    let calls = || silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/stock");
    silta.sandbox.warehouse_server.faults.script("GET", "/api/v1/stock", Fault::TooMany(120));
    silta.run_until_idle().await;
    // Five go at once, and one of them is answered 429. Fifteen wait for their turn, a second later and more.
    assert!(calls() <= 5, "{} calls, though the vendor asked for silence", calls());
    assert_eq!(silta.count("task where state = 'pending'").await, 20);
    for _ in 0..10 {
        silta.advance(secs(60)).await;
    }
    assert_eq!(silta.shop.quantity("S-19"), Some(5));
}

/// A worker whose clock is ahead of the first process's.
fn worker_ahead(silta: &TestSilta, seconds: i64) -> Worker {
    let clock = Arc::new(OffsetClock::of(silta.clock.clone()));
    clock.set(chrono::Duration::seconds(seconds));
    silta.second_worker_under_with(clock, "ogoship.requests_per_second", "5")
}

/// Stock events for so many codes.
async fn send_stock_events(silta: &TestSilta, codes: std::ops::Range<u64>) {
    for number in codes {
        silta.shop.add_product(number, &format!("S-{number}"), "Kahvi", 0);
        silta.warehouse.receive_goods(&format!("S-{number}"), 5);
        silta.send_webhook(silta.warehouse.stock_changed(&format!("S-{number}"))).await;
    }
}

#[tokio::test]
async fn replicas_with_different_clocks_share_one_rate() {
    for (one, other) in [(-15, 0), (0, 15), (-3600, 3600)] {
        let silta = TestSilta::start_with_settings(&[("ogoship.requests_per_second", "5")]).await;
        send_stock_events(&silta, 0..40).await;
        // What is due by the clock that is behind is due by all.
        silta.clock.advance(secs(7200));
        let workers = [worker_ahead(&silta, one), worker_ahead(&silta, other)];
        let calls = || silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/stock");
        let mut running = tokio::task::JoinSet::new();
        for worker in workers {
            running.spawn(async move { worker.run_until_idle().await.unwrap() });
        }
        running.join_all().await;
        // The clocks stand still: five calls at once, and those of the three seconds in which a call waits for its turn.
        assert!((15..=20).contains(&calls()), "{} calls, the clocks {one} and {other} s ahead", calls());
        for _ in 0..30 {
            silta.advance(secs(300)).await;
        }
        assert_eq!(silta.shop.quantity("S-39"), Some(5));
    }
}

#[tokio::test]
async fn silence_asked_of_one_replica_holds_for_one_with_another_clock() {
    for ahead in [-3600, -15, 15, 3600] {
        let silta = TestSilta::start_with_settings(&[("ogoship.requests_per_second", "5")]).await;
        let worker = worker_ahead(&silta, ahead);
        silta.sandbox.warehouse_server.faults.script("GET", "/api/v1/stock", Fault::TooMany(120));
        send_stock_events(&silta, 0..1).await;
        silta.run_until_idle().await;
        let calls = || silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/stock");
        assert_eq!(calls(), 1);
        send_stock_events(&silta, 1..9).await;
        // Due for the other one at once where its clock is ahead.
        worker.run_until_idle().await.unwrap();
        silta.clock.advance(secs(100));
        worker.run_until_idle().await.unwrap();
        assert_eq!(calls(), 1, "the vendor asked for silence; the clock is {ahead} s ahead");
        silta.clock.advance(secs(7200));
        worker.run_until_idle().await.unwrap();
        assert!(calls() > 1, "and it has an end");
        for _ in 0..30 {
            silta.advance(secs(300)).await;
        }
        assert_eq!(silta.shop.quantity("S-8"), Some(5));
    }
}
