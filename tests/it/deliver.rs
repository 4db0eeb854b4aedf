//! The trades, from a webhook to the opposite vendor.

use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestOptions, TestSilta, secs};

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
    assert_eq!(silta.task_state("order:1001").await, ("done".into(), None));
    // Placed, then looked again: the diary tells it.
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
    assert_eq!(silta.task_state("order:1001").await, ("skipped".into(), Some("not_paid".into())));

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
    // The completion moved the shop's own figure; the warehouse's overwrites it.
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
    assert!(order.shipments.iter().all(|shipment| shipment.completions == 1));
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
    assert_eq!(silta.task_state("order:1001").await, ("dead".into(), Some("address_incomplete".into())));
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
    assert_eq!(silta.task_state("order:1001").await, ("dead".into(), Some("shipping_unmapped".into())));
    assert_eq!(silta.warehouse.orders().len(), 0);
}

#[tokio::test]
async fn stock_buffer_is_not_offered_for_sale() {
    let buffer = "[connections.stock]\nbuffer = 2\n";
    let silta = TestSilta::start_with(TestOptions { connection: buffer, ..TestOptions::default() }).await;
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 5);
    silta.send_webhook(silta.warehouse.stock_changed("A")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity("A"), Some(3));
}

#[tokio::test]
async fn stock_overwrites_the_shop_and_equal_stock_is_not_written() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "PANNU/2L", "Pannu", 40);
    silta.warehouse.receive_goods("PANNU/2L", 6);
    silta.send_webhook(silta.warehouse.stock_changed("PANNU/2L")).await;
    silta.run_until_idle().await;
    assert_eq!((silta.shop.quantity("PANNU/2L"), silta.shop.writes()), (Some(6), 1));

    silta.clock.advance(secs(120));
    silta.send_webhook(silta.warehouse.stock_changed("PANNU/2L")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.writes(), 1);
}

#[tokio::test]
async fn stock_of_an_unknown_code_is_skipped() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("STRANGE", 6);
    silta.send_webhook(silta.warehouse.stock_changed("STRANGE")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("stock:STRANGE").await, ("skipped".into(), Some("unknown_in_shop".into())));
}

#[tokio::test]
async fn product_and_variations_are_created_then_updated() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(7, "CUP", "Kuppi", 0);
    silta.shop.set_variations(
        7,
        &[(71, "CUP-R", "Punainen"), (72, "CUP/B ä", "Sininen"), (73, "", "Koodia vailla")],
    );
    silta.send_webhook(silta.shop.product_updated(7)).await;
    silta.run_until_idle().await;
    let name = |code: &str| silta.warehouse.product(code).map(|it| it["name"].as_str().unwrap().to_owned());
    assert_eq!(name("CUP-R").as_deref(), Some("Kuppi - Punainen"));
    assert_eq!(name("CUP/B ä").as_deref(), Some("Kuppi - Sininen"));
    // The one without a code is held back and told; the others went on.
    assert_eq!(silta.task_state("product:7").await, ("dead".into(), Some("code_empty".into())));

    silta.clock.advance(secs(60));
    silta.shop.set_variations(7, &[(71, "CUP-R", "Punainen"), (72, "CUP/B ä", "Sininen")]);
    silta.shop.rename_product(7, "Muki");
    silta.send_webhook(silta.shop.product_updated(7)).await;
    silta.run_until_idle().await;
    assert_eq!(name("CUP/B ä").as_deref(), Some("Muki - Sininen"));
    assert_eq!(silta.task_state("product:7").await, ("done".into(), None));
}

#[tokio::test]
async fn oauth_token_is_refreshed_once_for_all_and_stored_first() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 99);
    for _ in 0..6 {
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
    }
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.grants(), (1, 0), "six attempts at once, one grant");

    silta.clock.advance(secs(2 * 3600));
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.grants(), (1, 1), "refreshed, not granted anew");

    // Another process finds the pair in the database, and needs no grant of its own.
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.second_worker().run_until_idle().await.unwrap();
    assert_eq!(silta.warehouse.grants(), (1, 1));

    // An access token that the warehouse forgets early costs one refresh and no failed attempt.
    silta.warehouse.revoke_access_tokens();
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.grants(), (1, 2));
    assert_eq!(silta.lost_and_doubled().1, 0);
}
