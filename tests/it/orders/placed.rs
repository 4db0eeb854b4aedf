//! An order at the warehouse: the start of many tests.

use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestSilta, secs};

pub const REFERENCE: &str = "shop-1001";

/// Starts Silta with one order of two codes at the warehouse, in stock.
pub async fn start_with_order(settings: &[(&str, &str)]) -> (TestSilta, u64) {
    let silta = TestSilta::start_with_settings(settings).await;
    for code in ["A", "B"] {
        silta.warehouse.receive_goods(code, 50);
    }
    let order = silta.place_order(OrderSpec::of("A", 1).with_line("B", 2)).await;
    assert_eq!(silta.warehouse_count(order), 1);
    (silta, order)
}

/// Polls an hour later and runs what it found: the warehouse sent no webhook.
pub async fn poll_and_run(silta: &TestSilta) {
    silta.clock.advance(secs(3600));
    silta.poll().await;
    silta.run_until_idle().await;
}
