//! Unknown outcomes: Silta reads before it sends again, so an order exists once whatever happens to an answer.

use silta::{
    dev::sandbox::{Fault, OrderSpec},
    store::begun_actions::{self, Beginning, Begun},
};

use crate::harness::{TestOptions, TestSilta, secs, settle_task, wait_until};

/// The ways in which a POST may fail.
const FAULTS: [Fault; 11] = [
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
async fn lost_answer_places_the_order_once() {
    for fault in FAULTS {
        let silta = TestSilta::start().await;
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", fault);
        silta.send_webhook(silta.shop.order_created(order)).await;
        silta.run_until_idle().await;
        silta.advance(secs(120)).await;
        assert_eq!(silta.warehouse.count("shop-1001"), 1, "{fault:?}");
        assert_eq!(silta.task_state("order:1001").await, "done", "{fault:?}");
    }
}

#[tokio::test]
async fn unknown_post_is_repeated_only_after_two_reads() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::DropBefore);
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("order:1001").await, "in_doubt answer_lost");
    silta.advance(secs(60)).await;

    let calls: Vec<serde_json::Value> =
        sqlx::query_scalar("select calls from attempt order by number").fetch_all(&silta.pool).await.unwrap();
    let names: Vec<_> = calls
        .iter()
        .flat_map(|calls| calls.as_array().unwrap())
        .map(|it| it["call"].as_str().unwrap())
        .collect();
    let posts: Vec<_> = (0..names.len()).filter(|at| names[*at] == "place_order").collect();
    let [first, second] = posts[..] else { panic!("two posts in {names:?}") };
    let reads = names[first..second].iter().filter(|name| **name == "search_order").count();
    assert!(reads >= 2, "{names:?}");
    // A resend of the same action uses the same key.
    let keys: Vec<String> =
        sqlx::query_scalar("select distinct idempotency_key from attempt where action = 'place'")
            .fetch_all(&silta.pool)
            .await
            .unwrap();
    assert_eq!(keys.len(), 1);
}

#[tokio::test]
async fn lagging_search_places_no_second_order() {
    let silta = TestSilta::start().await;
    silta.warehouse.delay_search(secs(15));
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::DropAfter);
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    silta.advance(secs(120)).await;
    assert_eq!(
        (silta.warehouse.count("shop-1001"), silta.task_state("order:1001").await.as_str()),
        (1, "done")
    );
}

#[tokio::test]
async fn lost_answer_completes_the_shipment_once() {
    for fault in FAULTS {
        let silta = TestSilta::start().await;
        silta.warehouse.receive_goods("A", 5);
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
        silta.run_until_idle().await;
        silta.warehouse.ship_order("shop-1001");
        silta.sandbox.shop_server.faults.script("POST", "/quick-process", fault);
        silta.send_webhook(silta.warehouse.order_shipped("shop-1001")).await;
        silta.run_until_idle().await;
        silta.advance(secs(120)).await;
        let completions = silta.shop.order(order).unwrap().shipments[0].completions;
        assert_eq!((completions, silta.lost_and_doubled()), (1, (0, 0)), "{fault:?}");
        assert_eq!(
            silta.shop.quantity("A"),
            Some(4),
            "the stock changed by the completion is corrected: {fault:?}"
        );
    }
}

#[tokio::test]
async fn lost_answer_creates_the_product_once() {
    for fault in FAULTS {
        let silta = TestSilta::start().await;
        silta.shop.add_product(7, "CUP", "Kuppi", 0);
        silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/products", fault);
        silta.send_webhook(silta.shop.product_updated(7)).await;
        silta.run_until_idle().await;
        silta.advance(secs(120)).await;
        assert_eq!(silta.task_state("product:7").await, "done", "{fault:?}");
        assert_eq!(silta.warehouse.codes(), ["CUP"], "{fault:?}");
    }
}

#[tokio::test]
async fn unreachable_vendor_is_retried_without_doubt() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.sandbox.warehouse_server.set_online(false);
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("order:1001").await, "pending unreachable");
    silta.sandbox.warehouse_server.set_online(true);
    silta.advance(secs(30)).await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn crash_in_a_call_is_resolved_by_reading() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    // The vendor applies the POST late; the worker is dropped while it waits for the answer.
    silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::Slow(secs(5)));
    silta.send_webhook(silta.shop.order_created(order)).await;
    let crashing = silta.second_worker();
    let task = tokio::spawn(async move { crashing.run_until_idle().await });
    wait_until("the action is begun", async || {
        silta.count("action where kind = 'place' and state = 'begun'").await > 0
    })
    .await;
    task.abort();
    silta.warehouse.add_foreign_order("shop-1001", "A", 1); // the effect of the slow POST
    assert_eq!(silta.task_state("order:1001").await, "leased");

    silta.clock.advance(secs(61));
    silta.run_until_idle().await;
    let lost: i64 = silta.count("attempt where outcome = 'lost' and reason = 'lease_expired'").await;
    assert_eq!((lost, silta.warehouse.count("shop-1001")), (1, 1));
    silta.advance(secs(60)).await;
}

#[tokio::test]
async fn late_settle_is_refused_by_the_fence() {
    use silta::{
        domain::task::{outcome::Outcome, reason::Reason},
        store::tasks::{self, Fenced},
    };

    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    let mut db = silta.pool.acquire().await.unwrap();
    let leased = silta.claim_tasks(1).await.remove(0);

    silta.clock.advance(secs(61));
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("order:1001").await, "done");
    let place = silta::domain::task::action::NewAction {
        kind: silta::domain::task::action::ActionKind::Place,
        target: String::new(),
        key: "k".into(),
        reference: Some("shop-1001".into()),
        sent: None,
        inputs: None,
        policy_digest: None,
    };
    let beginning = Beginning { leased: &leased, action: &place };
    let begun = begun_actions::begin(&mut db, &[beginning], silta.now()).await.unwrap();
    assert_eq!(begun, [Begun::LeaseLost]);
    let dead = silta::domain::task::transition::Transition {
        state: silta::domain::task::state::TaskState::Dead,
        reason: Some(Reason::Refused),
        due_at: silta.now(),
        failures: 1,
        actions: 0,
        snoozes: 0,
        circuit_open_until: None,
        is_waiting: false,
    };
    let refused = Outcome::Permanent { reason: Reason::Refused };
    assert_eq!(settle_task(&mut db, &leased, &refused, &dead, silta.now()).await, Fenced::LeaseLost);
    assert_eq!(tasks::return_claim(&mut db, &leased, None).await.unwrap(), Fenced::LeaseLost);
    assert_eq!(silta.task_state("order:1001").await, "done");
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn vanished_order_is_not_placed_again() {
    let silta = TestSilta::start_with(TestOptions::default()).await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    silta.warehouse.delay_search(secs(100_000));
    silta.clock.advance(secs(3600));
    let dead: uuid::Uuid = silta.scalar("select id from task").await;
    silta.api.post(&format!("/admin/v1/tasks/{dead}/replay"), serde_json::json!({})).await;
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("order:1001").await, "dead vanished_at_warehouse");
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}
