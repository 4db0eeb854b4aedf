//! After the parcel: returns are shown and never taken for sales or completed, and what is known of the parcel is kept.

use serde_json::json;
use silta::dev::sandbox::OrderSpec;

use crate::{
    harness::{OPERATOR, TestSilta, secs},
    orders::placed::{REFERENCE, poll_and_run, start_with_order},
    web::session::Session,
};

/// Ships the order of these tests and has it completed in the shop.
pub async fn ship(silta: &TestSilta) {
    silta.warehouse.ship_order(REFERENCE);
    poll_and_run(silta).await;
}

#[tokio::test]
async fn return_is_shown_with_its_lines_and_what_to_do() {
    let (silta, order) = start_with_order(&[]).await;
    ship(&silta).await;
    assert_eq!(silta.show_order(order).await["returned"], json!([]), "nothing came back");
    silta.shop.book_return(order, "B", 2);
    silta.send_order_update(order).await;
    let shown = silta.show_order(order).await;
    assert_eq!(shown["returned"], json!([{ "side": "mycashflow", "code": "B", "pieces": 2 }]));
    let session = Session::with(&silta, OPERATOR).await;
    let page = session.get(&format!("/orders/shop/{order}")).await.text().await.unwrap();
    assert!(page.contains("Process the return in MyCashflow") && page.contains("2 × B"), "{page}");

    silta.warehouse.set_status(REFERENCE, "Returned");
    poll_and_run(&silta).await;
    let returned = silta.show_order(order).await["returned"].clone();
    assert!(
        returned.as_array().unwrap().contains(&json!({ "side": "ogoship", "code": "A", "pieces": 1 })),
        "{returned}"
    );
}

#[tokio::test]
async fn return_booked_by_mistake_disappears_with_its_correction() {
    let (silta, order) = start_with_order(&[]).await;
    ship(&silta).await;
    let row = silta.shop.book_return(order, "B", 2);
    silta.send_order_update(order).await;
    silta.shop.remove_shipment(order, row);
    silta.send_order_update(order).await;
    assert_eq!(silta.show_order(order).await["returned"], json!([]));
}

#[tokio::test]
async fn return_row_is_never_completed() {
    // Before the completion, and after it.
    for is_before in [true, false] {
        let (silta, order) = start_with_order(&[]).await;
        if is_before {
            silta.warehouse.ship_order(REFERENCE);
        } else {
            ship(&silta).await;
        }
        let row = silta.shop.book_return(order, "A", 1);
        silta.send_order_update(order).await;
        if !is_before {
            silta.shop.reopen_order(order);
            silta.send_order_update(order).await;
        }
        poll_and_run(&silta).await;
        let completions = |id| {
            let shipments = silta.shop.order(order).unwrap().shipments;
            shipments.iter().find(|it| it.id == id).unwrap().completions
        };
        assert_eq!((completions(order * 10), completions(row)), (1, 0), "before: {is_before}");
        assert!(!silta.order_task_state(order).await.starts_with("dead"), "before: {is_before}");
    }
}

#[tokio::test]
async fn return_order_is_never_sent() {
    let line = |code: &str, pieces: i64| json!({ "product_code": code, "quantity": pieces, "product_id": 1 });
    let row = json!({ "id": 5, "type": "RETURN", "status": "OPEN" });
    let negative = json!({ "total": "-19.90", "products": [line("A", -1)] });
    let spelt_positive = json!({ "total": "19.90", "products": [line("A", 1)], "shipments": [row] });
    let with_goods = json!({ "total": "-5.00", "products": [line("A", -2), line("B", 1)] });
    let table = [
        (negative, "skipped return_order"),
        (spelt_positive, "skipped return_order"),
        (with_goods, "dead return_order"),
    ];
    for (json, expected) in table {
        let silta = TestSilta::start().await;
        let order = silta.place_order(OrderSpec::of("A", 1).with_json(json.clone())).await;
        assert_eq!(silta.order_task_state(order).await, expected, "{json}");
        assert_eq!(silta.post_order_action(order, "transfer").await, 201);
        assert_eq!(
            (silta.warehouse_count(order), silta.order_task_state(order).await.as_str()),
            (0, expected)
        );
    }
}

#[tokio::test]
async fn state_of_a_parcel_beyond_shipped_is_kept() {
    let (silta, order) = start_with_order(&[]).await;
    ship(&silta).await;
    silta.warehouse.set_tracking_status(REFERENCE, "InTransit");
    poll_and_run(&silta).await;
    assert_eq!(silta.show_order(order).await["parcel_state"], "InTransit");
    // A status that Silta does not know does no harm to one that it knows.
    silta.warehouse.set_status(REFERENCE, "AtPickupPoint");
    poll_and_run(&silta).await;
    let shown = silta.show_order(order).await;
    assert_eq!(
        [&shown["status"], &shown["warehouse_status"], &shown["parcel_state"]],
        ["delivered", "Shipped", "AtPickupPoint"]
    );
    silta.warehouse.set_status(REFERENCE, "Delivered");
    poll_and_run(&silta).await;
    let shown = silta.show_order(order).await;
    assert_eq!([&shown["status"], &shown["warehouse_status"]], ["delivered", "Delivered"]);
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].completions, 1);
    assert_eq!(silta.order_task_state(order).await, "done");
}

#[tokio::test]
async fn delivered_parcel_completes_an_order_that_was_never_seen_shipped() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    silta.warehouse.set_status(REFERENCE, "Delivered");
    poll_and_run(&silta).await;
    assert_eq!(silta.shop.order(order).unwrap().status, "COMPLETED");
}

#[tokio::test]
async fn tracking_code_that_parts_share_is_written_once() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.split_order(REFERENCE, "B");
    silta.warehouse.set_status("shop-1001-2", "New");
    for reference in [REFERENCE, "shop-1001-2"] {
        silta.warehouse.ship_order(reference);
        silta.warehouse.set_tracking(reference, "JJFI777");
    }
    poll_and_run(&silta).await;
    let shipment = silta.shop.order(order).unwrap().shipments[0].clone();
    assert_eq!((shipment.tracking_code.as_deref(), shipment.completions), (Some("JJFI777"), 1));
}

#[tokio::test]
async fn orders_that_the_warehouse_made_are_related_and_no_alarm() {
    let (silta, order) = start_with_order(&[]).await;
    ship(&silta).await;
    silta.warehouse.make_exchange_order(REFERENCE, "shop-1001-E1", "A", 1);
    silta.warehouse.make_exchange_order(REFERENCE, "OGO-551", "B", 1);
    poll_and_run(&silta).await;
    let shown = silta.show_order(order).await;
    let related: Vec<_> = shown["related"].as_array().unwrap().iter().map(|it| &it["reference"]).collect();
    assert_eq!(related, ["shop-1001-E1", "OGO-551"]);
    assert_eq!(silta.order_task_state(order).await, "done");
    let page = Session::with(&silta, OPERATOR).await.get(&format!("/orders/shop/{order}")).await;
    assert!(page.text().await.unwrap().contains("OGO-551"));

    let sync = silta.api.post("/admin/v1/syncs", json!({ "connection": "shop", "what": "orders" })).await;
    silta.syncer.run_due().await.unwrap();
    let report = silta.api.get(&format!("/admin/v1/syncs/{}", sync.text("/id"))).await.body;
    assert_eq!((report["difference_count"].as_i64(), &report["counts"]["foreign"]), (Some(0), &json!(null)));
    assert_eq!(silta.count("task where state = 'dead'").await, 0);
    silta.clock.advance(secs(60));
}
