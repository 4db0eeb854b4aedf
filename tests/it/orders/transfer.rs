//! Orders from the shop's webhook to the warehouse and back.

use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestSilta, secs};

#[tokio::test]
async fn paid_order_is_sent_once_and_complete() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 9);
    let order = silta
        .shop
        .place_order(OrderSpec::of("A", 1).with_line("B/2 ä", 2).with_shipping_method(2, Some("00199")));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;

    assert_eq!(silta.warehouse.count("shop-1001"), 1);
    let sent = silta.warehouse.find("shop-1001").unwrap().sent;
    assert_eq!(sent["shippingCode"], "Posti Pickup");
    assert_eq!(sent["pickUpPointCode"], "00199");
    assert_eq!(sent["customer"]["countryCode"], "FI");
    assert_eq!(sent["orderLines"][1], serde_json::json!({ "code": "B/2 ä", "quantity": 2 }));
    assert_eq!(silta.task_state("order:1001").await, "done");
    // One attempt places the order, the next one reads it back.
    let actions: Vec<Option<String>> = sqlx::query_scalar("select action from attempt order by number")
        .fetch_all(&silta.pool)
        .await
        .unwrap();
    assert_eq!(actions, [Some("place".into()), None]);
}

#[tokio::test]
async fn unpaid_order_is_sent_once_a_poll_finds_it_paid() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1).unpaid());
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("order:1001").await, "skipped not_paid");

    silta.clock.advance(secs(600));
    silta.shop.mark_paid(order);
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn cod_order_is_sent_with_its_amount() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1).cash_on_delivery());
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    let sent = silta.warehouse.find("shop-1001").unwrap().sent;
    assert_eq!(sent["cashOnDelivery"], serde_json::json!({ "amount": 19.9, "currencyCode": "EUR" }));

    silta.warehouse.receive_goods("A", 5);
    silta.warehouse.ship_order("shop-1001");
    silta.send_webhook(silta.warehouse.order_shipped("shop-1001")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.order(order).unwrap().status, "COMPLETED");
}

#[tokio::test]
async fn shipped_order_gets_its_tracking_code_once() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 9);
    let order = silta.shop.place_order(OrderSpec::of("A", 2));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    silta.warehouse.ship_order("shop-1001");
    silta.send_webhook(silta.warehouse.order_shipped("shop-1001")).await;
    silta.run_until_idle().await;

    let tracking = silta.warehouse.find("shop-1001").unwrap().tracking;
    let shipment = silta.shop.order(order).unwrap().shipments[0].clone();
    assert_eq!((shipment.tracking_code, shipment.completions), (tracking, 1));
    // The completion changed the shop's stock; the warehouse's stock overwrites it.
    assert_eq!(silta.shop.quantity("A"), Some(7));
    assert_eq!(silta.lost_and_doubled(), (0, 0));
}

#[tokio::test]
async fn each_shipment_of_an_order_is_completed_once() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 9);
    let order = silta.shop.place_order(OrderSpec::of("A", 2).with_shipments(3));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    silta.warehouse.ship_order("shop-1001");
    silta.send_webhook(silta.warehouse.order_shipped("shop-1001")).await;
    silta.run_until_idle().await;
    let order = silta.shop.order(order).unwrap();
    assert_eq!(order.status, "COMPLETED");
    assert_eq!(order.shipments.iter().map(|shipment| shipment.completions).collect::<Vec<_>>(), [1, 1, 1]);
}

#[tokio::test]
async fn order_already_at_the_warehouse_is_adopted_not_sent() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.warehouse.add_foreign_order("shop-1001", "A", 1);
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
    let reference: String =
        silta.scalar("select reference from subject_state where placed_at is not null").await;
    assert_eq!(reference, "shop-1001");
}

#[tokio::test]
async fn order_with_a_longer_reference_is_not_adopted() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.warehouse.add_foreign_order("shop-1001-B", "A", 1);
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn bad_address_ends_dead_and_replay_after_a_fix_sends_it() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1).to_country("Suomi"));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("order:1001").await, "dead address_incomplete");
    let detail: String = silta.scalar("select detail from attempt").await;
    assert_eq!(detail, "fix in the shop, then replay: country must be two letters");

    silta.shop.change_country(order, "FI");
    let dead: uuid::Uuid = silta.scalar("select id from task").await;
    let replayed = silta.api.post(&format!("/admin/v1/tasks/{dead}/replay"), serde_json::json!({})).await;
    assert_eq!((replayed.status, replayed.text("/replay_of")), (201, dead.to_string().as_str()));
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn unmapped_shipping_method_is_not_guessed() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("order:1001").await, "dead shipping_unmapped");
    assert_eq!(silta.warehouse.orders().len(), 0);
}
