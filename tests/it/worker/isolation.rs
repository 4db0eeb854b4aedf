//! A broken flow costs its own task only.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use silta::{
    dev::sandbox::{Fault, OrderSpec},
    runtime::failpoints::{Failpoint, FailpointHook},
};

use crate::harness::{TestOptions, TestSilta, secs};

/// Misbehaves at a failpoint, for one subject.
#[derive(Debug)]
struct FaultAt(Failpoint, &'static str, Misbehaviour);

#[derive(Debug)]
enum Misbehaviour {
    Panic,
    Hang,
}

#[async_trait]
impl FailpointHook for FaultAt {
    async fn on_hit(&self, point: Failpoint, what: &str) {
        let Self(at, subject, misbehaviour) = self;
        if point == *at && what == *subject {
            match misbehaviour {
                Misbehaviour::Panic => panic!("injected by the test"),
                Misbehaviour::Hang => std::future::pending().await,
            }
        }
    }
}

/// A lease of 1 s: an endless flow is cut off soon.
const SHORT_LEASE: [(&str, &str); 2] =
    [("SILTA__WORKER__LEASE", "1s"), ("SILTA__OUTBOUND__TIMEOUT", "300ms")];

async fn start_with_fault(point: Failpoint, misbehaviour: Misbehaviour) -> TestSilta {
    let by = Arc::new(FaultAt(point, "order:1001", misbehaviour));
    TestSilta::start_with_failpoints(by, &SHORT_LEASE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn panicking_or_endless_flow_ends_dead_alone() {
    for (misbehaviour, reason) in
        [(Misbehaviour::Panic, "dead panicked"), (Misbehaviour::Hang, "dead overran")]
    {
        let silta = start_with_fault(Failpoint::AfterClaim, misbehaviour).await;
        let bad = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(bad)).await;
        let healthy = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(healthy)).await;
        silta.advance(secs(600)).await;
        assert_eq!(silta.order_task_state(bad).await, reason);
        assert_eq!((silta.warehouse_count(bad), silta.warehouse_count(healthy)), (0, 1));
        assert_eq!(
            silta.count("attempt where reason in ('panicked', 'overran')").await,
            6,
            "each attempt is recorded"
        );
        assert_eq!(silta.scalar::<Option<String>>("select circuit_reason from connection").await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn panic_around_a_call_is_in_doubt_and_read_back() {
    for point in [Failpoint::BeforeCall, Failpoint::AfterCall] {
        let silta = start_with_fault(point, Misbehaviour::Panic).await;
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
        silta.run_until_idle().await;
        assert_eq!(silta.order_task_state(order).await, "in_doubt panicked", "{point:?}");
        silta.advance(secs(600)).await;
        let expected =
            if point == Failpoint::BeforeCall { (0, "dead repeated_too_often") } else { (1, "done") };
        assert_eq!(
            (silta.warehouse_count(order), silta.order_task_state(order).await.as_str()),
            expected,
            "{point:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn call_after_the_lease_is_not_made() {
    #[derive(Debug)]
    struct FreezeThread;
    #[async_trait]
    impl FailpointHook for FreezeThread {
        async fn on_hit(&self, point: Failpoint, what: &str) {
            if point == Failpoint::BeforeCall && what == "order:1001" {
                // Blocks the whole thread, as a frozen machine does: no timer runs meanwhile.
                std::thread::sleep(Duration::from_millis(1200));
            }
        }
    }
    let silta = TestSilta::start_with_failpoints(Arc::new(FreezeThread), &SHORT_LEASE).await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(order), 0);
    let posts = silta.sandbox.warehouse_server.calls.count("POST", "/api/v1/orders");
    assert_eq!(posts, 0);
    silta.advance(secs(600)).await;
    // The attempt may be cut off before it can say that nothing was sent: then its outcome is unknown.
    let state = silta.order_task_state(order).await;
    let reasons = ["dead lease_expired", "dead outcome_unknown", "dead repeated_too_often", "dead overran"];
    assert!(reasons.contains(&state.as_str()), "{state}");
    assert_eq!(silta.warehouse_count(order), 0);
}

#[tokio::test]
async fn outcome_unknown_too_long_ends_dead_with_its_call_log() {
    let silta = TestSilta::start_with_env(
        TestOptions::default(),
        &[
            ("SILTA__RETRY__UNKNOWN_FOR", "10m"),
            ("SILTA__RETRY__ATTEMPTS", "1000"),
            ("SILTA__RETRY__CAP", "30s"),
        ],
    )
    .await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    let faults = &silta.sandbox.warehouse_server.faults;
    faults.script("GET", "/api/v1/orders", Fault::Slow(Duration::ZERO));
    faults.script("POST", "/api/v1/orders", Fault::DropAfter);
    for _ in 0..500 {
        faults.script("GET", "/api/v1/orders", Fault::Status(500));
    }
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.order_task_state(order).await, "in_doubt answer_lost");
    silta.advance(secs(300)).await;
    assert_eq!(silta.order_task_state(order).await, "in_doubt vendor_failed");
    silta.advance(secs(900)).await;
    assert_eq!(silta.order_task_state(order).await, "dead outcome_unknown");

    let reads_before = silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/orders");
    silta.advance(secs(3600)).await;
    assert_eq!(silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/orders"), reads_before);
    let call_log = silta.api.get(&format!("/admin/v1/orders/shop/{order}/call-log/ogoship")).await;
    let call_log = call_log.body.as_str().unwrap();
    assert!(call_log.contains("POST /api/v1/orders") && call_log.contains("500"), "{call_log}");

    // A replay by an operator finds the order and does not send it again.
    faults.clear();
    let dead: uuid::Uuid = silta.scalar("select id from task order by number desc limit 1").await;
    silta.api.post(&format!("/admin/v1/tasks/{dead}/replay"), serde_json::json!({})).await;
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse_count(order), silta.order_task_state(order).await.as_str()), (1, "done"));
}
