//! An action that must happen once: when its call may be made, and how long a repeat waits, whatever a clock says.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use silta::{
    dev::sandbox::{Fault, OrderSpec},
    runtime::{
        clock::OffsetClock,
        failpoints::{Failpoint, FailpointHook},
    },
};

use crate::harness::{TestSilta, secs};

fn posts(silta: &TestSilta) -> usize {
    silta.sandbox.warehouse_server.calls.count("POST", "/api/v1/orders")
}

/// Delays the first call, as a machine under load does.
#[derive(Debug, Default)]
struct DelayFirstCall(AtomicBool);

#[async_trait]
impl FailpointHook for DelayFirstCall {
    async fn on_hit(&self, point: Failpoint, _what: &str) {
        if point == Failpoint::BeforeCall && !self.0.swap(true, Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// The lease is not over, but a process whose clock is ahead may have read twice meanwhile.
#[tokio::test]
async fn call_long_after_its_begin_is_not_made() {
    let hook = Arc::new(DelayFirstCall::default());
    let silta = TestSilta::start_with_failpoints(hook, &[("SILTA__RETRY__RECHECK_DELAY", "1200ms")]).await;
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!((posts(&silta), silta.order_task_state(order).await.as_str()), (0, "pending lease_expired"));
    assert_eq!(silta.count("action where state = 'not_sent'").await, 1, "nothing is in doubt");
    silta.advance(secs(60)).await;
    assert_eq!((posts(&silta), silta.order_task_state(order).await.as_str()), (1, "done"));
}

#[tokio::test]
async fn clock_set_after_a_lost_answer_repeats_nothing_early() {
    for ahead in [15, 3600] {
        let silta = TestSilta::start().await;
        let clock = Arc::new(OffsetClock::of(silta.clock.clone()));
        let process = silta.second_worker_under(clock.clone());
        silta.warehouse.delay_search(secs(15));
        silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::DropAfter);
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
        process.run_until_idle().await.unwrap();
        assert_eq!(silta.order_task_state(order).await, "in_doubt answer_lost");
        clock.set(chrono::Duration::seconds(ahead));
        for _ in 0..60 {
            silta.clock.advance(secs(1));
            process.run_until_idle().await.unwrap();
        }
        assert_eq!((posts(&silta), silta.warehouse_count(order)), (1, 1), "{ahead} s ahead");
        assert_eq!(silta.order_task_state(order).await, "done", "{ahead} s ahead");
    }
}
