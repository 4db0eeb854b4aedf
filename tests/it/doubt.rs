//! Unknown outcomes: whatever happens to an answer, an order exists once, by looking before sending.

use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{TestSilta, Usual, secs, settles, until};

/// Every way in which placing an order may fail.
const WAYS: [Fault; 11] = [
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::Status(500),
    Fault::StatusAfter(500),
    Fault::Status(504),
    Fault::StatusAfter(504),
    Fault::TooMany(3),
    Fault::Garbage,
    Fault::HalfAnswer,
    Fault::Hang,
    Fault::Status(409),
];

#[tokio::test]
async fn an_order_exists_once_at_the_warehouse_however_the_answer_to_its_post_is_lost() {
    for fault in WAYS {
        let silta = TestSilta::start().await;
        let order = silta.shop.takes_order(OrderSpec::of("A", 1));
        silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", fault);
        silta.hears(silta.shop.order_created(order)).await;
        silta.run_until_idle().await;
        silta.passes(secs(120)).await;
        assert_eq!(silta.warehouse.count("shop-1001"), 1, "{fault:?}");
        assert_eq!(silta.delivery("order:1001").await.0, "delivered", "{fault:?}");
    }
}

#[tokio::test]
async fn a_plain_post_is_never_repeated_after_an_unknown_outcome_without_two_looks_in_between() {
    let silta = TestSilta::start().await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::DropBefore);
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.delivery("order:1001").await, ("in_doubt".into(), Some("answer_lost".into())));
    silta.passes(secs(60)).await;

    let calls: Vec<serde_json::Value> =
        sqlx::query_scalar("select calls from attempt order by number").fetch_all(&silta.pool).await.unwrap();
    let names: Vec<_> = calls
        .iter()
        .flat_map(|calls| calls.as_array().unwrap())
        .map(|it| it["call"].as_str().unwrap())
        .collect();
    let posts: Vec<_> = (0..names.len()).filter(|at| names[*at] == "place_order").collect();
    let [first, second] = posts[..] else { panic!("two posts in {names:?}") };
    let looks = names[first..second].iter().filter(|name| **name == "search_order").count();
    assert!(looks >= 2, "{names:?}");
    // The same deed, the same key.
    let keys: Vec<String> =
        sqlx::query_scalar("select distinct idempotency_key from attempt where deed = 'place'")
            .fetch_all(&silta.pool)
            .await
            .unwrap();
    assert_eq!(keys.len(), 1);
}

#[tokio::test]
async fn a_search_that_lags_doubles_nothing() {
    let silta = TestSilta::start().await;
    silta.warehouse.searches_lag(secs(15));
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::DropAfter);
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    silta.passes(secs(120)).await;
    assert_eq!(
        (silta.warehouse.count("shop-1001"), silta.delivery("order:1001").await.0.as_str()),
        (1, "delivered")
    );
}

#[tokio::test]
async fn a_shipment_is_completed_once_however_the_answer_is_lost() {
    for fault in WAYS {
        let silta = TestSilta::start().await;
        silta.warehouse.receives_goods("A", 5);
        let order = silta.shop.takes_order(OrderSpec::of("A", 1));
        silta.hears(silta.shop.order_created(order)).await;
        silta.run_until_idle().await;
        silta.warehouse.ships("shop-1001");
        silta.sandbox.shop_server.faults.script("POST", "/quick-process", fault);
        silta.hears(silta.warehouse.order_shipped("shop-1001")).await;
        silta.run_until_idle().await;
        silta.passes(secs(120)).await;
        let completions = silta.shop.order(order).unwrap().shipments[0].completions;
        assert_eq!((completions, silta.lost_and_doubled()), (1, (0, 0)), "{fault:?}");
        assert_eq!(
            silta.shop.quantity("A"),
            Some(4),
            "the stock that the completion moved is put right: {fault:?}"
        );
    }
}

#[tokio::test]
async fn a_product_is_created_once_however_the_answer_is_lost() {
    for fault in WAYS {
        let silta = TestSilta::start().await;
        silta.shop.lists_product(7, "CUP", "Kuppi", 0);
        silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/products", fault);
        silta.hears(silta.shop.product_updated(7)).await;
        silta.run_until_idle().await;
        silta.passes(secs(120)).await;
        assert_eq!(silta.delivery("product:7").await.0, "delivered", "{fault:?}");
        assert!(silta.warehouse.product("CUP").is_some(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_system_off_the_net_is_tried_again_and_nothing_is_in_doubt() {
    let silta = TestSilta::start().await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.sandbox.warehouse_server.set_online(false);
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.delivery("order:1001").await, ("pending".into(), Some("unreachable".into())));
    silta.sandbox.warehouse_server.set_online(true);
    silta.passes(secs(30)).await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn a_worker_that_dies_in_mid_call_leaves_a_maybe_that_the_next_one_looks_into() {
    let silta = TestSilta::start().await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    // The post is applied, and the answer never comes: the worker is dropped while it waits.
    silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::Slow(secs(5)));
    silta.hears(silta.shop.order_created(order)).await;
    let dying = silta.second_worker();
    let task = tokio::spawn(async move { dying.run_until_idle().await });
    until("the deed is begun", async || silta.count("link where begun_deed = 'place'").await > 0).await;
    task.abort();
    silta.warehouse.is_given("shop-1001", "A", 1); // what the slow post comes to
    assert_eq!(silta.delivery("order:1001").await.0, "leased");

    silta.clock.advance(secs(61));
    silta.run_until_idle().await;
    let lost: i64 = silta.count("attempt where outcome = 'lost' and reason = 'lease_expired'").await;
    assert_eq!((lost, silta.warehouse.count("shop-1001")), (1, 1));
    silta.passes(secs(60)).await;
}

#[tokio::test]
async fn a_late_settle_is_refused_by_the_fence_and_changes_nothing() {
    use silta::{
        domain::task::outcome::{Outcome, Reason},
        store::tasks::{self, Fenced},
    };

    let silta = TestSilta::start().await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.hears(silta.shop.order_created(order)).await;
    let mut db = silta.pool.acquire().await.unwrap();
    let held = silta.claims(1).await.remove(0);

    silta.clock.advance(secs(61));
    silta.run_until_idle().await;
    assert_eq!(silta.delivery("order:1001").await.0, "delivered");
    let begun =
        silta::domain::task::subject_state::Begun { deed: "place".into(), key: "k".into(), at: silta.now() };
    assert_eq!(silta::store::observations::begin(&mut db, &held, &begun).await.unwrap(), Fenced::LeaseLost);
    let dead = silta::domain::task::transition::Settlement {
        state: silta::domain::task::state::DeliveryState::Dead,
        reason: Some(Reason::Refused),
        due_at: silta.now(),
        attempts: 1,
        deeds: 0,
        hold_until: None,
        waits: false,
    };
    let refused = Outcome::Permanent { reason: Reason::Refused };
    assert_eq!(settles(&mut db, &held, &refused, &dead, silta.now()).await, Fenced::LeaseLost);
    assert_eq!(tasks::release(&mut db, &held).await.unwrap(), Fenced::LeaseLost);
    assert_eq!(silta.delivery("order:1001").await.0, "delivered");
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn an_order_that_we_placed_and_that_vanished_is_never_placed_again() {
    let silta = TestSilta::start_with(Usual::default()).await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    silta.warehouse.searches_lag(secs(100_000));
    silta.clock.advance(secs(3600));
    let dead: uuid::Uuid = silta.scalar("select id from delivery").await;
    silta.api.post(&format!("/admin/v1/deliveries/{dead}/replay"), serde_json::json!({})).await;
    silta.run_until_idle().await;
    assert_eq!(silta.delivery("order:1001").await, ("dead".into(), Some("vanished_at_warehouse".into())));
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}
