//! Whose fault is a failed call? The subject's own, until others fail alike.

use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{TestSilta, secs};

/// More faults than any test meets.
const MANY: usize = 400;

const CIRCUIT: &str = "select circuit_reason from connection";

async fn circuit(silta: &TestSilta) -> Option<String> {
    silta.scalar(CIRCUIT).await
}

/// Places orders and sends their webhooks; returns the orders.
async fn send_orders(silta: &TestSilta, count: usize) -> Vec<u64> {
    let mut orders = Vec::new();
    for _ in 0..count {
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
        orders.push(order);
    }
    orders
}

#[tokio::test]
async fn order_refused_by_a_firewall_ends_dead_and_others_flow() {
    let silta = TestSilta::start().await;
    silta.sandbox.warehouse_server.faults.forbid(&["shop-1003"]);
    let orders = send_orders(&silta, 20).await;
    silta.run_until_idle().await;
    assert_eq!(orders[2], 1003);
    assert_eq!(silta.task_state("order:1003").await, "pending access_denied");
    assert_eq!(silta.warehouse.orders().len(), 19, "the others are there without any wait");
    assert_eq!(circuit(&silta).await, None);
    silta.advance(secs(3600)).await;
    assert_eq!(silta.task_state("order:1003").await, "dead access_denied");
    let attempts = silta.count("attempt where reason = 'access_denied'").await;
    assert_eq!(attempts, 6, "as often as [retry] attempts");

    // The rule is gone: a person replays it.
    silta.sandbox.warehouse_server.faults.forbid(&[]);
    let dead: uuid::Uuid = silta.scalar("select id from task where state = 'dead'").await;
    silta.api.post(&format!("/admin/v1/tasks/{dead}/replay"), serde_json::json!({})).await;
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse.orders().len(), silta.lost_and_doubled()), (20, (0, 0)));
}

#[tokio::test]
async fn order_whose_read_is_refused_ends_dead_alone() {
    let silta = TestSilta::start().await;
    for _ in 0..6 {
        silta.sandbox.shop_server.faults.script("GET", "/orders/1001", Fault::Page(403));
    }
    let orders = send_orders(&silta, 8).await;
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse.orders().len(), circuit(&silta).await), (7, None));
    silta.advance(secs(3600)).await;
    assert_eq!(silta.order_task_state(orders[0]).await, "dead access_denied");
}

#[tokio::test]
async fn revoked_key_opens_the_circuit_with_the_first_order() {
    let silta = TestSilta::start().await;
    silta.sandbox.shop_server.faults.set_everywhere(Some(Fault::Status(401)));
    send_orders(&silta, 1).await;
    silta.run_until_idle().await;
    assert_eq!(circuit(&silta).await.as_deref(), Some("credentials_refused"));
    let failures = silta.scalar::<i32>("select failures from task").await;
    silta.advance(secs(12 * 3600)).await;
    assert_eq!(silta.scalar::<i32>("select failures from task").await, failures, "none is spent on it");
    silta.sandbox.shop_server.faults.set_everywhere(None);
    silta.advance(secs(1800)).await;
    assert_eq!((silta.warehouse_count(1001), circuit(&silta).await), (1, None));
}

#[tokio::test]
async fn token_endpoint_that_refuses_opens_the_circuit() {
    let silta = TestSilta::start().await;
    for _ in 0..3 {
        silta.sandbox.warehouse_server.faults.script("POST", "/OAuth/Token", Fault::Status(400));
    }
    send_orders(&silta, 3).await;
    silta.run_until_idle().await;
    assert_eq!(circuit(&silta).await.as_deref(), Some("credentials_refused"));
    assert_eq!(silta.count("task where failures > 0").await, 0, "no order is at fault");
    for _ in 0..40 {
        silta.advance(secs(60)).await;
    }
    assert_eq!((silta.warehouse.orders().len(), circuit(&silta).await), (3, None));
}

#[tokio::test]
async fn refused_writes_of_many_hold_back_writes_and_nothing_else() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "Kahvi", 0);
    silta.warehouse.receive_goods("A", 100);
    let faults = &silta.sandbox.warehouse_server.faults;
    for _ in 0..MANY {
        faults.script("POST", "/api/v1/orders", Fault::Status(403));
    }
    send_orders(&silta, 30).await;
    silta.run_until_idle().await;
    let held: String = silta.scalar("select vendor || ' ' || reason from write_circuit").await;
    assert_eq!(held, "ogoship credentials_refused");
    assert_eq!(circuit(&silta).await, None, "reads and the shop's side go on");
    silta.send_webhook(silta.warehouse.stock_changed("A")).await;
    silta.run_until_idle().await;
    assert_eq!((silta.task_state("stock:A").await.as_str(), silta.shop.quantity("A")), ("done", Some(100)));

    // Half-open: one at a time tries, and the others wait without counting a failure.
    let posts = || silta.sandbox.warehouse_server.calls.count("POST", "/api/v1/orders");
    let (posts_before, failures) = (posts(), silta.scalar::<i64>("select sum(failures) from task").await);
    silta.advance(secs(1200)).await;
    let trials = posts() - posts_before;
    assert!((3..=6).contains(&trials), "{trials} trials in twenty minutes: after 30 s, 60 s, 120 s …");
    let spent = silta.scalar::<i64>("select sum(failures) from task").await - failures;
    assert!(spent <= 6, "{spent} failures: only the trials count");
    let alert = silta.api.get("/admin/v1/connections/shop").await.body;
    assert_eq!(alert["health"], "writes_held_back");

    faults.clear();
    silta.advance(secs(3600)).await;
    assert_eq!(silta.count("write_circuit").await, 0);
    assert_eq!((silta.warehouse.orders().len(), silta.lost_and_doubled()), (30, (0, 0)));
}

/// Sends orders whose placing fails with this status until the writes of the warehouse are held back.
async fn orders_held_back_by(status: u16) -> TestSilta {
    let silta = TestSilta::start().await;
    let faults = &silta.sandbox.warehouse_server.faults;
    for _ in 0..MANY {
        faults.script("POST", "/api/v1/orders", Fault::Status(status));
    }
    send_orders(&silta, 30).await;
    silta.advance(secs(10)).await;
    assert_eq!(silta.count("write_circuit").await, 1);
    assert!(silta.count("task where state in ('pending', 'in_doubt') and snoozes > 0").await > 0);
    faults.clear();
    silta
}

#[tokio::test]
async fn writes_go_through_again_for_all_that_was_held_back() {
    let silta = orders_held_back_by(403).await;
    let open_until: chrono::DateTime<chrono::Utc> =
        silta.scalar("select open_until from write_circuit").await;
    silta.clock.advance((open_until - silta.now()).to_std().unwrap());
    // The first is the trial. Its success makes due what was held back until another moment, and what just found the circuit
    // open: nobody waits for a time of their own.
    silta.run_until_idle().await;
    assert_eq!(silta.count("write_circuit").await, 0);
    let snoozed = "task where state in ('pending', 'in_doubt') and reason = 'credentials_refused'";
    assert_eq!(silta.count(snoozed).await, 0);
    silta.advance(secs(3600)).await;
    assert_eq!((silta.warehouse.orders().len(), silta.lost_and_doubled()), (30, (0, 0)));
}

#[tokio::test]
async fn resumed_connection_sends_at_once_what_was_held_back() {
    let silta = orders_held_back_by(403).await;
    let resumed = silta.api.post("/admin/v1/connections/shop/resume", serde_json::json!({})).await;
    assert_eq!(resumed.status, 200, "{resumed:?}");
    silta.run_until_idle().await;
    let failed = silta.count("task where reason = 'access_denied'").await;
    assert_eq!(
        silta.warehouse.orders().len() + usize::try_from(failed).unwrap(),
        30,
        "those that failed back off"
    );
    silta.advance(secs(3600)).await;
    assert_eq!((silta.warehouse.orders().len(), silta.lost_and_doubled()), (30, (0, 0)));
}

#[tokio::test]
async fn five_failed_placings_open_nothing_while_reads_succeed() {
    let silta = TestSilta::start().await;
    for _ in 0..5 {
        silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::Status(500));
        send_orders(&silta, 1).await;
        silta.run_until_idle().await; // in a row: no success in between
    }
    assert_eq!((circuit(&silta).await, silta.count("write_circuit").await), (None, 0));
    send_orders(&silta, 15).await;
    silta.run_until_idle().await;
    assert_eq!((circuit(&silta).await, silta.count("write_circuit").await), (None, 0));
    assert_eq!(silta.warehouse.orders().len(), 15, "the others are there without any wait");
    silta.advance(secs(120)).await;
    assert_eq!((silta.warehouse.orders().len(), silta.lost_and_doubled()), (20, (0, 0)));
}

#[tokio::test]
async fn a_third_of_lost_answers_does_not_slow_the_backlog() {
    let silta = TestSilta::start().await;
    // 30 of 100, spread without a pattern that would favour anybody; half of them are applied.
    let fault = |number: usize| match (number * 37) % 100 {
        0..15 => Fault::Status(500),
        15..30 => Fault::StatusAfter(500),
        _ => Fault::Slow(secs(0)),
    };
    for number in 0..MANY {
        silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", fault(number));
    }
    send_orders(&silta, 200).await;
    silta.run_until_idle().await;
    let there = silta.warehouse.orders().len();
    assert!(there >= 165, "{there} of 200 are there without any wait");
    assert_eq!((circuit(&silta).await, silta.count("write_circuit").await), (None, 0));
    silta.advance(secs(300)).await;
    assert_eq!((silta.warehouse.orders().len(), silta.lost_and_doubled()), (200, (0, 0)));
    // A healthy order takes two attempts. An ambiguous one takes three more: two reads, and it is sent again.
    let attempts = silta.count("attempt").await;
    assert!(attempts < 2 * 200 + 4 * 90, "{attempts} attempts for 200 orders");
    silta.sandbox.warehouse_server.faults.clear();
}

#[tokio::test]
async fn half_open_circuit_lets_one_task_through() {
    let silta = TestSilta::start().await;
    let faults = &silta.sandbox.warehouse_server.faults;
    for _ in 0..MANY {
        faults.script("GET", "/api/v1/orders", Fault::Status(500)); // the probe reads another list
    }
    send_orders(&silta, 60).await;
    silta.run_until_idle().await;
    assert_eq!(circuit(&silta).await.as_deref(), Some("vendor_down"));
    for _ in 0..5 {
        let before = silta.count("attempt").await;
        silta.clock.advance(secs(61));
        silta.run_until_idle().await;
        assert_eq!(silta.count("attempt").await - before, 1, "one task tries, and the others wait");
    }
    faults.clear();
    silta.advance(secs(300)).await;
    assert_eq!((circuit(&silta).await, silta.warehouse.orders().len()), (None, 60));
}

#[tokio::test]
async fn replicas_count_failing_subjects_together() {
    let silta = TestSilta::start().await;
    let other = silta.second_worker();
    silta.sandbox.warehouse_server.set_online(false);
    for number in 1..=5 {
        assert_eq!(circuit(&silta).await, None, "after {} of five", number - 1);
        send_orders(&silta, 1).await;
        let worker = if number % 2 == 0 { &other } else { &silta.worker };
        worker.run_until_idle().await.unwrap();
    }
    assert_eq!(circuit(&silta).await.as_deref(), Some("vendor_down"), "neither has seen five");
    silta.sandbox.warehouse_server.set_online(true);
    silta.advance(secs(120)).await;
    assert_eq!(silta.warehouse.orders().len(), 5);
}

#[tokio::test]
async fn success_of_another_replica_clears_the_suspicion() {
    let silta = TestSilta::start().await;
    let other = silta.second_worker();
    for number in 1..=9 {
        if number != 5 {
            silta.sandbox.warehouse_server.faults.script("GET", "/api/v1/orders", Fault::Status(502));
        }
        send_orders(&silta, 1).await;
        let worker = if number == 5 { &other } else { &silta.worker };
        worker.run_until_idle().await.unwrap();
    }
    assert_eq!(circuit(&silta).await, None, "four, a success, four");
    silta.advance(secs(120)).await;
    assert_eq!(silta.warehouse.orders().len(), 9);
}

#[tokio::test]
async fn single_order_survives_a_night_of_outage() {
    let silta = TestSilta::start().await;
    silta.sandbox.warehouse_server.set_online(false);
    send_orders(&silta, 1).await;
    for _ in 0..12 {
        silta.advance(secs(3600)).await;
    }
    assert_eq!(circuit(&silta).await.as_deref(), Some("vendor_down"), "a probe fails alike");
    silta.sandbox.warehouse_server.set_online(true);
    silta.advance(secs(300)).await;
    assert_eq!((silta.warehouse_count(1001), silta.task_state("order:1001").await.as_str()), (1, "done"));
}

#[tokio::test]
async fn conflict_that_stays_ends_as_a_conflict() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 5);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    silta.warehouse.ship_order("shop-1001");
    for _ in 0..6 {
        silta.sandbox.shop_server.faults.script("POST", "/quick-process", Fault::Status(409));
    }
    silta.send_webhook(silta.warehouse.order_shipped("shop-1001")).await;
    for _ in 0..30 {
        silta.advance(secs(60)).await;
    }
    assert_eq!(silta.order_task_state(order).await, "dead conflict");
    silta.sandbox.shop_server.faults.clear();
}

/// A vendor that says no to one order does work.
#[tokio::test]
async fn refusal_that_was_understood_clears_the_suspicion() {
    let silta = TestSilta::start().await;
    let answer_placings = async |fault: Fault, count: usize| {
        for _ in 0..count {
            silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", fault);
            send_orders(&silta, 1).await;
            silta.run_until_idle().await;
        }
    };
    answer_placings(Fault::Status(500), 9).await;
    answer_placings(Fault::Status(422), 1).await;
    assert_eq!(silta.task_state("order:1010").await, "dead refused");
    answer_placings(Fault::Status(500), 9).await;
    assert_eq!(silta.count("write_circuit").await, 0, "nine, an answer, nine");
    silta.advance(secs(120)).await;
    assert_eq!(silta.warehouse.orders().len(), 18);
}
