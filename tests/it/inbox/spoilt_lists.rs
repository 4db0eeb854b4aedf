//! Records that spoil the pages of a list: what is around them is found, and the cursor moves on.

use serde_json::json;
use silta::dev::sandbox::{OrderSpec, Poison};

use crate::harness::{TestSilta, secs};

/// Places five orders within a second, of which the third is poisoned; returns the numbers.
fn place_five(silta: &TestSilta, poison: Poison) -> Vec<u64> {
    silta.clock.advance(secs(400));
    let orders: Vec<_> = (0..5).map(|_| silta.shop.place_order(OrderSpec::of("A", 1))).collect();
    silta.shop.poison_orders(&orders[2..3], Some(poison));
    orders
}

#[tokio::test]
async fn record_that_spoils_its_list_stops_neither_cursor_nor_neighbours() {
    for poison in [Poison::Failed, Poison::Empty, Poison::NoRows, Poison::CutOff] {
        let silta = TestSilta::start().await;
        silta.poll().await;
        let orders = place_five(&silta, poison);
        silta.poll().await;
        silta.run_until_idle().await;
        let counts: Vec<_> = orders.iter().map(|order| silta.warehouse_count(*order)).collect();
        assert_eq!(counts, [1, 1, 0, 1, 1], "{poison:?}");
        assert!((1..=2).contains(&silta.count("poll_gap").await), "{poison:?}");
        let error: Option<String> = silta.scalar("select last_error from poll where what = 'orders'").await;
        assert_eq!(error, None, "{poison:?}");

        silta.clock.advance(secs(1200));
        let later = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.poll().await;
        silta.run_until_idle().await;
        assert_eq!(silta.warehouse_count(later), 1, "{poison:?}");

        silta.shop.poison_orders(&orders, None);
        silta.clock.advance(secs(7 * 3600));
        silta.poll().await;
        silta.run_until_idle().await;
        assert_eq!(silta.warehouse_count(orders[2]), 1, "{poison:?}");
        assert_eq!(silta.count("poll_gap").await, 0, "{poison:?}");
    }
}

#[tokio::test]
async fn bad_utf8_and_half_surrogates_leave_a_list_readable() {
    for poison in [Poison::BadUtf8, Poison::HalfSurrogate] {
        let silta = TestSilta::start().await;
        silta.poll().await;
        let orders = place_five(&silta, poison);
        silta.poll().await;
        silta.run_until_idle().await;
        assert!(orders.iter().all(|order| silta.warehouse_count(*order) == 1), "{poison:?}");
        assert_eq!(silta.count("poll_gap").await, 0, "{poison:?}");
    }
}

#[tokio::test]
async fn any_number_of_unlistable_moments_stops_no_poll() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    let mut orders = Vec::new();
    for _ in 0..120 {
        silta.clock.advance(secs(300));
        orders.push(silta.shop.place_order(OrderSpec::of("A", 1)));
    }
    let bad: Vec<_> = orders.iter().copied().filter(|order| order % 2 == 0).collect();
    silta.shop.poison_orders(&bad, Some(Poison::Failed));
    silta.poll().await;
    silta.clock.advance(secs(3600));
    let later = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(later), 1, "the cursor has moved on");
    for _ in 0..30 {
        silta.clock.advance(secs(3600));
        silta.poll().await;
        silta.run_until_idle().await;
    }
    let missing = |bad: &[u64]| {
        let good = orders.iter().filter(|order| !bad.contains(order));
        good.filter(|order| silta.warehouse_count(**order) == 0).count()
    };
    assert_eq!(missing(&bad), 0, "all that can be listed");
    silta.shop.poison_orders(&bad, None);
    for _ in 0..20 {
        silta.clock.advance(secs(6 * 3600));
        silta.poll().await;
        silta.run_until_idle().await;
    }
    assert_eq!((missing(&[]), silta.count("poll_gap").await), (0, 0));
}

#[tokio::test]
async fn shop_that_fails_everywhere_leaves_no_gap() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    silta.clock.advance(secs(3600));
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    for _ in 0..60 {
        silta.sandbox.shop_server.faults.script(
            "GET",
            "/api/v0/orders",
            silta::dev::sandbox::Fault::Status(500),
        );
    }
    silta.poll().await;
    assert_eq!(silta.count("poll_gap").await, 0);
    let error: Option<String> = silta.scalar("select last_error from poll where what = 'orders'").await;
    assert_eq!(error.as_deref(), Some("vendor_failed"));
    silta.sandbox.shop_server.faults.clear();
    silta.clock.advance(secs(31));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(order), 1);
}

#[tokio::test]
async fn record_without_an_id_is_a_gap_and_without_a_time_is_found() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    silta.clock.advance(secs(400));
    let spec = |json| OrderSpec::of("A", 1).with_json(json);
    let nameless = silta.shop.place_order(spec(json!({ "id": null })));
    let timeless = silta.shop.place_order(spec(json!({ "updated_at": null })));
    let good = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse_count(timeless), silta.warehouse_count(good)), (1, 1));
    assert_eq!((silta.warehouse_count(nameless), silta.count("poll_gap").await), (0, 1));
    silta.clock.advance(secs(3600));
    silta.shop.edit_order(nameless, &json!({ "id": nameless }));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(nameless), 1);
}

#[tokio::test]
async fn record_that_spoils_the_warehouse_list_hides_no_other() {
    for poison in [Poison::Empty, Poison::CutOff, Poison::Failed] {
        let silta = TestSilta::start().await;
        silta.warehouse.receive_goods("A", 100);
        let mut orders = Vec::new();
        for _ in 0..4 {
            orders.push(silta.place_order(OrderSpec::of("A", 1)).await);
        }
        silta.clock.advance(secs(3600));
        silta.poll().await;
        silta.run_until_idle().await;
        silta.clock.advance(secs(3600));
        for order in &orders {
            silta.warehouse.ship_order(&format!("shop-{order}")); // without a webhook
        }
        let bad = format!("shop-{}", orders[1]);
        silta.warehouse.poison_order(&bad, Some(poison));
        for _ in 0..2 {
            silta.poll().await;
            silta.clock.advance(secs(31));
        }
        silta.run_until_idle().await;
        let statuses: Vec<_> = orders.iter().map(|order| silta.shop.order(*order).unwrap().status).collect();
        assert_eq!(statuses, ["COMPLETED", "OPEN", "COMPLETED", "COMPLETED"], "{poison:?}");
        silta.warehouse.poison_order(&bad, None);
        silta.clock.advance(secs(3600));
        silta.poll().await;
        silta.run_until_idle().await;
        assert_eq!(silta.shop.order(orders[1]).unwrap().status, "COMPLETED", "{poison:?}");
        assert_eq!(silta.count("poll_gap").await, 0, "{poison:?}");
    }
}
