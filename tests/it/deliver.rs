//! The trades, from a webhook to the opposite system.

use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestSilta, Usual, secs};

#[tokio::test]
async fn a_paid_order_goes_to_the_warehouse_once_and_whole() {
    let silta = TestSilta::start().await;
    silta.warehouse.receives_goods("A", 9);
    let order = silta.shop.takes_order(OrderSpec::of("A", 1).and("B/2 ä", 2).by(2, Some("00199")));
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;

    assert_eq!(silta.warehouse.count("shop-1001"), 1);
    let sent = silta.warehouse.find("shop-1001").unwrap().sent;
    assert_eq!(sent["shippingCode"], "Posti Pickup");
    assert_eq!(sent["pickUpPointCode"], "00199");
    assert_eq!(sent["customer"]["countryCode"], "FI");
    assert_eq!(sent["orderLines"][1], serde_json::json!({ "code": "B/2 ä", "quantity": 2 }));
    assert_eq!(silta.delivery("order:1001").await, ("delivered".into(), None));
    // Placed, then looked again: the diary tells it.
    let deeds: Vec<Option<String>> =
        sqlx::query_scalar("select deed from attempt order by number").fetch_all(&silta.pool).await.unwrap();
    assert_eq!(deeds, [Some("place".into()), None]);
}

#[tokio::test]
async fn an_unpaid_order_waits_and_goes_once_the_sweep_finds_it_paid() {
    let silta = TestSilta::start().await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1).unpaid());
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.delivery("order:1001").await, ("skipped".into(), Some("not_paid".into())));

    silta.clock.advance(secs(600));
    silta.shop.gets_paid(order);
    silta.sweep().await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn cash_on_delivery_counts_as_paid_and_its_amount_goes_along() {
    let silta = TestSilta::start().await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1).cash_on_delivery());
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    let sent = silta.warehouse.find("shop-1001").unwrap().sent;
    assert_eq!(sent["cashOnDelivery"], serde_json::json!({ "amount": 19.9, "currencyCode": "EUR" }));

    silta.warehouse.receives_goods("A", 5);
    silta.warehouse.ships("shop-1001");
    silta.hears(silta.warehouse.order_shipped("shop-1001")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.order(order).unwrap().status, "COMPLETED");
}

#[tokio::test]
async fn a_shipped_order_brings_its_tracking_code_back_once() {
    let silta = TestSilta::start().await;
    silta.warehouse.receives_goods("A", 9);
    let order = silta.shop.takes_order(OrderSpec::of("A", 2));
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    silta.warehouse.ships("shop-1001");
    silta.hears(silta.warehouse.order_shipped("shop-1001")).await;
    silta.run_until_idle().await;

    let tracking = silta.warehouse.find("shop-1001").unwrap().tracking;
    let shipment = silta.shop.order(order).unwrap().shipments[0].clone();
    assert_eq!((shipment.tracking_code, shipment.completions), (tracking, 1));
    // The completion moved the shop's own figure; the warehouse's overwrites it.
    assert_eq!(silta.shop.quantity("A"), Some(7));
    assert_eq!(silta.lost_and_doubled(), (0, 0));
}

#[tokio::test]
async fn an_order_in_several_shipments_is_completed_one_by_one() {
    let silta = TestSilta::start().await;
    silta.warehouse.receives_goods("A", 9);
    let order = silta.shop.takes_order(OrderSpec::of("A", 2).in_shipments(3));
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    silta.warehouse.ships("shop-1001");
    silta.hears(silta.warehouse.order_shipped("shop-1001")).await;
    silta.run_until_idle().await;
    let order = silta.shop.order(order).unwrap();
    assert_eq!(order.status, "COMPLETED");
    assert!(order.shipments.iter().all(|shipment| shipment.completions == 1));
}

#[tokio::test]
async fn an_order_that_stands_at_the_warehouse_already_is_adopted_and_never_sent_again() {
    let silta = TestSilta::start().await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.warehouse.is_given("shop-1001", "A", 1);
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
    let reference: String = silta.scalar("select reference from link where placed_at is not null").await;
    assert_eq!(reference, "shop-1001");
}

#[tokio::test]
async fn a_reference_that_only_begins_alike_is_not_adopted() {
    let silta = TestSilta::start().await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.warehouse.is_given("shop-1001-B", "A", 1);
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn what_a_person_must_decide_goes_to_a_person_with_its_reason_and_after_mending_a_replay_sends_it() {
    let silta = TestSilta::start().await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1).to_country("Suomi"));
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.delivery("order:1001").await, ("dead".into(), Some("address_incomplete".into())));
    let detail: String = silta.scalar("select detail from attempt").await;
    assert_eq!(detail, "mend in the shop, then replay: country must be two letters");

    silta.shop.mends_country(order, "FI");
    let dead: uuid::Uuid = silta.scalar("select id from delivery").await;
    let replayed =
        silta.api.post(&format!("/admin/v1/deliveries/{dead}/replay"), serde_json::json!({})).await;
    assert_eq!((replayed.status, replayed.text("/replay_of")), (201, dead.to_string().as_str()));
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn an_unmatched_shipping_method_is_a_named_problem_and_never_a_guess() {
    let silta = TestSilta::start().await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1).by(3, None));
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.delivery("order:1001").await, ("dead".into(), Some("shipping_unmapped".into())));
    assert_eq!(silta.warehouse.orders().len(), 0);
}

#[tokio::test]
async fn a_buffer_is_never_shown_for_sale() {
    let buffer = "[connections.stock]\nbuffer = 2\n";
    let silta = TestSilta::start_with(Usual { connection: buffer, ..Usual::default() }).await;
    silta.shop.lists_product(1, "A", "A", 0);
    silta.warehouse.receives_goods("A", 5);
    silta.hears(silta.warehouse.stock_changed("A")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity("A"), Some(3));
}

#[tokio::test]
async fn a_stock_figure_overwrites_the_shops_and_an_equal_one_costs_no_write() {
    let silta = TestSilta::start().await;
    silta.shop.lists_product(1, "PANNU/2L", "Pannu", 40);
    silta.warehouse.receives_goods("PANNU/2L", 6);
    silta.hears(silta.warehouse.stock_changed("PANNU/2L")).await;
    silta.run_until_idle().await;
    assert_eq!((silta.shop.quantity("PANNU/2L"), silta.shop.writes()), (Some(6), 1));

    silta.clock.advance(secs(120));
    silta.hears(silta.warehouse.stock_changed("PANNU/2L")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.writes(), 1);
}

#[tokio::test]
async fn a_code_unknown_to_the_shop_is_skipped_with_that_reason() {
    let silta = TestSilta::start().await;
    silta.warehouse.receives_goods("STRANGE", 6);
    silta.hears(silta.warehouse.stock_changed("STRANGE")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.delivery("stock:STRANGE").await, ("skipped".into(), Some("unknown_in_shop".into())));
}

#[tokio::test]
async fn a_product_and_its_variations_are_created_then_updated_when_they_differ() {
    let silta = TestSilta::start().await;
    silta.shop.lists_product(7, "CUP", "Kuppi", 0);
    silta.shop.varies_product(
        7,
        &[(71, "CUP-R", "Punainen"), (72, "CUP/B ä", "Sininen"), (73, "", "Koodia vailla")],
    );
    silta.hears(silta.shop.product_updated(7)).await;
    silta.run_until_idle().await;
    let name = |code: &str| silta.warehouse.product(code).map(|it| it["name"].as_str().unwrap().to_owned());
    assert_eq!(name("CUP-R").as_deref(), Some("Kuppi - Punainen"));
    assert_eq!(name("CUP/B ä").as_deref(), Some("Kuppi - Sininen"));
    // The one without a code is held back and told; the others went on.
    assert_eq!(silta.delivery("product:7").await, ("dead".into(), Some("code_empty".into())));

    silta.clock.advance(secs(60));
    silta.shop.varies_product(7, &[(71, "CUP-R", "Punainen"), (72, "CUP/B ä", "Sininen")]);
    silta.shop.renames_product(7, "Muki");
    silta.hears(silta.shop.product_updated(7)).await;
    silta.run_until_idle().await;
    assert_eq!(name("CUP/B ä").as_deref(), Some("Muki - Sininen"));
    assert_eq!(silta.delivery("product:7").await, ("delivered".into(), None));
}

#[tokio::test]
async fn one_use_refresh_tokens_are_refreshed_by_one_flight_and_kept_before_use() {
    let silta = TestSilta::start().await;
    silta.warehouse.receives_goods("A", 99);
    for _ in 0..6 {
        let order = silta.shop.takes_order(OrderSpec::of("A", 1));
        silta.hears(silta.shop.order_created(order)).await;
    }
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.grants(), (1, 0), "six attempts at once, one grant");

    silta.clock.advance(secs(2 * 3600));
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.grants(), (1, 1), "refreshed, not granted anew");

    // Another process finds the pair in the database, and needs no grant of its own.
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.hears(silta.shop.order_created(order)).await;
    silta.second_worker().run_until_idle().await.unwrap();
    assert_eq!(silta.warehouse.grants(), (1, 1));

    // An access token that the warehouse forgets early costs one refresh and no failed attempt.
    silta.warehouse.ends_access_tokens();
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.grants(), (1, 2));
    assert_eq!(silta.lost_and_doubled().1, 0);
}
