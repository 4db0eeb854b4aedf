//! Shipments: tracking codes and completions in the shop.

use silta::dev::sandbox::{Fault, OrderSpec};

use crate::{
    harness::{TestSilta, secs},
    orders::placed::{REFERENCE, poll_and_run, start_with_order},
};

#[tokio::test]
async fn refresh_writes_the_tracking_code_to_the_shop() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    assert_eq!(silta.post_order_action(order, "refresh").await, 201);
    let tracking = silta.warehouse.find(REFERENCE).unwrap().tracking;
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].tracking_code, tracking);
    let shown = silta.show_order(order).await;
    assert_eq!(shown["tracking_code"].as_str(), tracking.as_deref());
    assert!(shown["tracking_url"].as_str().unwrap().starts_with("https://track.example/"));
    assert_eq!(silta.post_order_action(order, "cancel").await, 409, "it has shipped");
}

#[tokio::test]
async fn shopper_is_mailed_by_setting() {
    for (settings, mailed) in [(vec![], true), (vec![("orders.send_emails", "false")], false)] {
        let (silta, order) = start_with_order(&settings).await;
        silta.warehouse.ship_order(REFERENCE);
        poll_and_run(&silta).await;
        assert_eq!(
            (silta.shop.order(order).unwrap().status, silta.shop.was_mailed(order)),
            ("COMPLETED", mailed)
        );
    }
}

#[tokio::test]
async fn completion_with_a_lost_answer_is_not_repeated() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    // The answer to the completion is lost; the next attempt finds the order completed.
    silta.sandbox.shop_server.faults.script("POST", "quick-process", Fault::StatusAfter(504));
    silta.send_webhook(silta.warehouse.order_shipped(REFERENCE)).await;
    silta.run_until_idle().await;
    silta.advance(secs(120)).await;
    assert_eq!(silta.order_task_state(order).await, "done");
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].completions, 1);
}

#[tokio::test]
async fn completion_by_somebody_else_is_success() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    // Somebody completes the order in the shop between our read and our call, which is answered 409.
    silta.sandbox.shop_server.faults.script("POST", "quick-process", Fault::StatusAfter(409));
    poll_and_run(&silta).await;
    silta.advance(secs(120)).await;
    assert_eq!(silta.order_task_state(order).await, "done");
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].completions, 1);
}

#[tokio::test]
async fn shipments_get_tracking_codes_where_the_shop_takes_them() {
    for takes_it in [false, true] {
        let silta = TestSilta::start_with_settings(&[("orders.shipment_tracking", "true")]).await;
        silta.warehouse.receive_goods("A", 9);
        if takes_it {
            silta.shop.accept_tracking();
        }
        let order = silta.place_order(OrderSpec::of("A", 2).with_shipments(2)).await;
        silta.warehouse.ship_order(REFERENCE);
        silta.send_webhook(silta.warehouse.order_shipped(REFERENCE)).await;
        silta.run_until_idle().await;
        let order = silta.shop.order(order).unwrap();
        assert_eq!(order.status, "COMPLETED");
        let tracking = silta.warehouse.find(REFERENCE).unwrap().tracking.filter(|_| takes_it);
        assert_eq!(order.shipments.len(), 2);
        assert!(order.shipments.iter().all(|it| it.completions == 1 && it.tracking_code == tracking));
    }
}

#[tokio::test]
async fn partly_shipped_order_completes_with_its_last_parcel() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.split_order(REFERENCE, "B");
    silta.warehouse.ship_order(REFERENCE);
    poll_and_run(&silta).await;
    assert_eq!(silta.order_task_state(order).await, "skipped partially_shipped");
    assert_eq!(silta.shop.order(order).unwrap().status, "OPEN");
    assert_eq!(silta.show_order(order).await["related"][0]["reference"], "shop-1001-2");

    silta.warehouse.set_status("shop-1001-2", "New");
    silta.warehouse.ship_order("shop-1001-2");
    poll_and_run(&silta).await;
    let done = silta.shop.order(order).unwrap();
    assert_eq!((done.status, done.shipments[0].completions), ("COMPLETED", 1));
    let code = done.shipments[0].tracking_code.clone().unwrap();
    assert_eq!(code.split(", ").count(), 2, "{code}");
}
