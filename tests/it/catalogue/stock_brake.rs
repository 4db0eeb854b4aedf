//! The stock brake: too many codes must not fall to zero at once.

use serde_json::json;

use crate::harness::{TestSilta, secs};

/// Starts Silta with this many codes of ten pieces on both sides, synced once.
async fn start_with_stock(codes: u64) -> TestSilta {
    let silta = TestSilta::start().await;
    for id in 1..=codes {
        let code = format!("C-{id:02}");
        silta.shop.add_product(id, &code, &code, 10);
        silta.warehouse.add_product(&code, json!({ "code": code, "name": code }));
        silta.warehouse.receive_goods(&code, 10);
    }
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    silta
}

fn count_at_zero(silta: &TestSilta, codes: u64) -> usize {
    (1..=codes).filter(|id| silta.shop.quantity(&format!("C-{id:02}")) == Some(0)).count()
}

#[tokio::test]
async fn mass_fall_to_zero_triggers_the_stock_brake() {
    let mut silta = start_with_stock(20).await;
    silta.leave_unfinished();
    for id in 1..=20 {
        let code = format!("C-{id:02}");
        silta.warehouse.count_stock(&code, 0);
        silta.send_webhook(silta.warehouse.stock_changed(&code)).await;
    }
    silta.run_until_idle().await;
    assert_eq!(count_at_zero(&silta, 20), 6, "30 % may fall to zero");
    let connection = silta.connection().await;
    assert_eq!(connection["health"], "braked");
    assert_eq!(connection["brake_detail"], "7 of 20 codes would have fallen to zero within an hour");
    let braked = (1..=20).map(|id| format!("C-{id:02}")).find(|code| silta.shop.quantity(code) == Some(10));
    let braked = braked.expect("fourteen of them");
    let state = silta.task_state(&format!("stock:{braked}")).await;
    assert_eq!(state, "pending stock_braked");

    // Stock that does not fall to zero is still written.
    silta.warehouse.count_stock(&braked, 4);
    silta.send_stock_update(&braked).await;
    assert_eq!(silta.shop.quantity(&braked), Some(4));
    // An hour later, without a release, the brake is still on.
    silta.advance(secs(4000)).await;
    assert_eq!(count_at_zero(&silta, 20), 6);

    let released = silta.api.post("/admin/v1/connections/shop/release-brake", json!({})).await;
    assert_eq!((released.status, released.body["health"].as_str()), (200, Some("ok")));
    silta.run_until_idle().await;
    assert_eq!(count_at_zero(&silta, 20), 19, "released by an operator");
    let audited = silta.api.get("/admin/v1/audit").await;
    assert_eq!(audited.items()[0]["action"], "connection.release_brake");
}

#[tokio::test]
async fn recovered_feed_clears_the_stock_brake() {
    let silta = start_with_stock(20).await;
    for id in 1..=20 {
        let code = format!("C-{id:02}");
        silta.warehouse.count_stock(&code, 0);
        silta.send_webhook(silta.warehouse.stock_changed(&code)).await;
    }
    silta.run_until_idle().await;
    for id in 1..=20 {
        silta.warehouse.count_stock(&format!("C-{id:02}"), 10);
    }
    silta.clock.advance(secs(900));
    silta.poll().await;
    silta.run_until_idle().await;
    silta.advance(secs(3700)).await;
    assert_eq!(count_at_zero(&silta, 20), 0);
}

#[tokio::test]
async fn a_few_sold_out_items_do_not_trigger_the_brake() {
    let silta = start_with_stock(8).await;
    for id in 1..=4 {
        silta.warehouse.count_stock(&format!("C-{id:02}"), 0);
        silta.send_stock_update(&format!("C-{id:02}")).await;
    }
    assert_eq!(count_at_zero(&silta, 8), 4);
    assert_eq!(silta.connection().await["health"], "ok");
}
