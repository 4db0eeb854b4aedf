//! When a connection begins: by the shop's clock, whatever ours shows. Orders before that are history, orders after it go.

use std::sync::Arc;

use chrono::Duration;
use serde_json::json;
use silta::{dev::sandbox::OrderSpec, domain::Timestamp, runtime::clock::OffsetClock};

use crate::harness::{CONNECTION, TestSilta, secs};

/// Starts Silta whose clock is so many seconds ahead of the shop's; returns when it was connected, by the shop's clock.
async fn connect_ahead(ahead: i64) -> (TestSilta, Timestamp) {
    let silta = TestSilta::start().await;
    silta.shop.set_clock_ahead(-ahead);
    let connected_at = silta.now() - Duration::seconds(ahead);
    (silta, connected_at)
}

/// Sets our clock right. Time goes on for the shop as if nothing had happened.
fn correct(silta: &TestSilta, ahead: i64) {
    silta.clock.step(Duration::seconds(-ahead));
    silta.shop.set_clock_ahead(0);
}

/// Orders that the shop created this many seconds after the connection, or before it, with their webhooks.
async fn place_around(silta: &TestSilta, connected_at: Timestamp) -> Vec<(i64, u64)> {
    let mut orders = Vec::new();
    for seconds in [-3000, -2, 0, 2, 3000] {
        let created_at = (connected_at + Duration::seconds(seconds)).to_rfc3339();
        let order =
            silta.shop.place_order(OrderSpec::of("A", 1).with_json(json!({ "created_at": created_at })));
        silta.send_webhook(silta.shop.order_created(order)).await;
        orders.push((seconds, order));
    }
    orders
}

/// Runs everything, and checks that the orders since the connection are sent and the older ones are not.
async fn check_sent(silta: &TestSilta, orders: &[(i64, u64)], case: &str) {
    silta.advance(secs(7200)).await;
    for (seconds, order) in orders {
        let expected = if *seconds < 0 { ("skipped before_start", 0) } else { ("done", 1) };
        let state = silta.order_task_state(*order).await;
        assert_eq!((state.as_str(), silta.warehouse_count(*order)), expected, "{case}: {seconds} s");
    }
}

/// The moment of connecting as the API shows it.
async fn shown(silta: &TestSilta) -> Timestamp {
    let text = silta.connection().await["connected_at"].as_str().unwrap().to_owned();
    text.parse().unwrap()
}

#[tokio::test]
async fn connection_begins_by_the_shops_clock() {
    for ahead in [3600, -3600] {
        for corrected in ["never", "before the shop's first answer", "after it"] {
            let case = format!("our clock {ahead} s ahead, set right {corrected}");
            let (silta, connected_at) = connect_ahead(ahead).await;
            silta.clock.advance(secs(300));
            match corrected {
                "before the shop's first answer" => correct(&silta, ahead),
                "after it" => {
                    silta.poll().await;
                    correct(&silta, ahead);
                }
                _ => {}
            }
            let orders = place_around(&silta, connected_at).await;
            check_sent(&silta, &orders, &case).await;
            assert_eq!(shown(&silta).await, connected_at, "{case}");
        }
    }
}

#[tokio::test]
async fn replica_with_another_clock_that_reaches_the_shop_first_finds_the_same_begin() {
    for ahead in [3600, -3600, 15] {
        let (silta, connected_at) = connect_ahead(0).await;
        let clock = Arc::new(OffsetClock::of(silta.clock.clone()));
        clock.set(Duration::seconds(ahead));
        let other = silta.second_worker_under(clock);
        // Half an hour later, so that the time since the connection counts.
        silta.clock.advance(secs(1800));
        let orders = place_around(&silta, connected_at).await;
        silta.clock.advance(secs(3700));
        other.run_until_idle().await.unwrap();
        assert_eq!(silta.count("connection where shop_connected_at is not null").await, 1, "{ahead} s ahead");
        assert_eq!(shown(&silta).await, connected_at, "{ahead} s ahead");
        check_sent(&silta, &orders, &format!("the replica {ahead} s ahead")).await;
    }
}

#[tokio::test]
async fn shop_without_a_date_is_connected_by_our_clock() {
    let (silta, connected_at) = connect_ahead(0).await;
    silta.shop.hide_date();
    silta.clock.advance(secs(300));
    let orders = place_around(&silta, connected_at).await;
    check_sent(&silta, &orders, "no date").await;
    assert_eq!(shown(&silta).await, connected_at);
    assert_eq!(silta.count("connection where shop_connected_at is null").await, 1);
}

#[tokio::test]
async fn sync_begins_where_the_connection_does() {
    for ahead in [3600, -3600] {
        let (silta, connected_at) = connect_ahead(ahead).await;
        silta.clock.advance(secs(60));
        silta.poll().await;
        let orders = place_around(&silta, connected_at).await;
        silta.clock.advance(secs(60));
        let sync = silta.run_sync("orders", false).await;
        let since: Timestamp = sync["since"].as_str().unwrap().parse().unwrap();
        assert_eq!(since, connected_at, "{ahead} s ahead");
        check_sent(&silta, &orders, &format!("after a sync, {ahead} s ahead")).await;
        let shown = silta.api.get(&format!("/admin/v1/connections/{CONNECTION}")).await.body;
        assert_eq!(shown["connected_at"].as_str().unwrap().parse::<Timestamp>().unwrap(), connected_at);
    }
}

#[tokio::test]
async fn order_that_no_webhook_reported_is_compared_where_our_clock_is_behind() {
    let (silta, connected_at) = connect_ahead(-3600).await;
    silta.poll().await;
    silta.clock.advance(secs(1800));
    let created_at = (connected_at + Duration::seconds(1700)).to_rfc3339();
    let order = silta.shop.place_order(OrderSpec::of("A", 1).with_json(json!({ "created_at": created_at })));
    silta.run_sync("orders", false).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(order), 1, "younger than our clock shows");
}
