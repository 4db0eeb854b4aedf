//! What the shop adds to an order that was sent goes to the warehouse as a replacement, once a person confirms it, once.

use serde_json::json;
use silta::dev::sandbox::Fault;

use crate::{
    harness::{OPERATOR, TestSilta, VIEWER, secs},
    orders::{
        placed::{REFERENCE, poll_and_run, start_with_order},
        returns::ship,
    },
    web::session::Session,
};

const REPLACEMENT: &str = "shop-1001-R1";

/// An order that was shipped and completed, and to which the shop has added a shipment; its id.
async fn start_with_exchange(settings: &[(&str, &str)]) -> (TestSilta, u64, u64) {
    let (silta, order) = start_with_order(settings).await;
    ship(&silta).await;
    silta.shop.book_return(order, "A", 1);
    let shipment = silta.shop.add_shipment(order, &[("B", 1)]);
    silta.send_order_update(order).await;
    (silta, order, shipment)
}

async fn confirm(silta: &TestSilta, order: u64, body: serde_json::Value) -> u16 {
    let path = format!("/admin/v1/orders/shop/{order}/send-replacement");
    let answer = silta.api.post(&path, body).await;
    silta.run_until_idle().await;
    answer.status
}

fn completions(silta: &TestSilta, order: u64) -> Vec<u32> {
    silta.shop.order(order).unwrap().shipments.iter().map(|it| it.completions).collect()
}

#[tokio::test]
async fn replacement_waits_for_a_person_and_is_placed_once() {
    let (silta, order, shipment) = start_with_exchange(&[]).await;
    assert_eq!(silta.order_task_state(order).await, "dead replacement_unconfirmed");
    assert_eq!(silta.warehouse.orders().len(), 1, "nobody has confirmed it");
    let shown = silta.show_order(order).await;
    let waiting = json!({
        "shipment": shipment.to_string(), "lines": [{ "code": "B", "quantity": 1 }], "reference": null, "waits": true,
    });
    assert_eq!(shown["added_shipments"], json!([waiting]));

    assert_eq!(confirm(&silta, order, json!({ "shipment": "4711" })).await, 409);
    assert_eq!(confirm(&silta, order, json!({ "shipment": shipment.to_string() })).await, 201);
    assert_eq!(silta.order_task_state(order).await, "done");
    assert_eq!(confirm(&silta, order, json!({})).await, 409, "it is sent already");
    for _ in 0..3 {
        silta.send_order_update(order).await;
        poll_and_run(&silta).await;
    }
    assert_eq!((silta.warehouse.count(REPLACEMENT), silta.warehouse.orders().len()), (1, 2));
    assert_eq!(silta.warehouse.find(REPLACEMENT).unwrap().lines, [("B".to_owned(), 1)]);
    let shown = silta.show_order(order).await;
    assert_eq!([&shown["status"], &shown["reference"]], ["delivered", REFERENCE], "it stays what it is");
}

#[tokio::test]
async fn shipped_replacement_completes_its_shipment_only() {
    let (silta, order, _) = start_with_exchange(&[("orders.shipment_tracking", "true")]).await;
    silta.shop.accept_tracking();
    confirm(&silta, order, json!({})).await;
    silta.warehouse.ship_order(REPLACEMENT);
    silta.send_webhook(silta.warehouse.order_shipped(REPLACEMENT)).await;
    silta.run_until_idle().await;
    assert_eq!(completions(&silta, order), [0, 1, 1], "the return row, the first one, is left alone");
    let shop = silta.shop.order(order).unwrap();
    assert_eq!(shop.status, "COMPLETED");
    assert_eq!(shop.shipments[2].tracking_code, silta.warehouse.find(REPLACEMENT).unwrap().tracking);
    assert_eq!(silta.order_task_state(order).await, "done");
}

#[tokio::test]
async fn second_replacement_needs_a_confirmation_of_its_own() {
    let (silta, order, _) = start_with_exchange(&[]).await;
    confirm(&silta, order, json!({})).await;
    silta.warehouse.ship_order(REPLACEMENT);
    poll_and_run(&silta).await;
    let second = silta.shop.add_shipment(order, &[("A", 2)]);
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "dead replacement_unconfirmed");
    let third = silta.shop.add_shipment(order, &[("B", 3)]);
    silta.send_order_update(order).await;
    assert_eq!(confirm(&silta, order, json!({})).await, 409, "two wait");
    assert_eq!(confirm(&silta, order, json!({ "shipment": second.to_string() })).await, 201);
    assert_eq!(silta.warehouse.find("shop-1001-R2").unwrap().lines, [("A".to_owned(), 2)]);
    assert_eq!(silta.order_task_state(order).await, "dead replacement_unconfirmed", "the third one waits");
    assert_eq!(confirm(&silta, order, json!({ "shipment": third.to_string() })).await, 201);
    assert_eq!(silta.warehouse.find("shop-1001-R3").unwrap().lines, [("B".to_owned(), 3)]);
}

#[tokio::test]
async fn lost_answer_places_the_replacement_once() {
    let faults = [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::StatusAfter(504),
        Fault::Garbage,
        Fault::HalfAnswer,
        Fault::Status(500),
    ];
    for fault in faults {
        for lag in [0, 15] {
            let (silta, order, _) = start_with_exchange(&[]).await;
            silta.warehouse.delay_search(secs(lag));
            silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", fault);
            confirm(&silta, order, json!({})).await;
            silta.advance(secs(120)).await;
            silta.advance(secs(3600)).await;
            assert_eq!(silta.warehouse.count(REPLACEMENT), 1, "{fault:?} {lag}");
            assert_eq!(silta.order_task_state(order).await, "done", "{fault:?} {lag}");
        }
    }
}

#[tokio::test]
async fn replacements_of_an_order_are_placed_at_most_five_times() {
    let (silta, order, _) = start_with_exchange(&[]).await;
    confirm(&silta, order, json!({})).await;
    for _ in 0..5 {
        let shipment = silta.shop.add_shipment(order, &[("B", 1)]);
        silta.send_order_update(order).await;
        confirm(&silta, order, json!({ "shipment": shipment.to_string() })).await;
    }
    assert_eq!(silta.order_task_state(order).await, "dead repeated_too_often");
    assert_eq!(silta.warehouse.orders().len(), 6, "the order and five replacements");
    // The last guard, whatever the code decides.
    let sixth = "insert into action (
        connection, subject, number, task_id, attempt, claim_id, idempotency_key, begun_at, kind, target, reference,
        repeat, state
    ) values ('shop', 'order:1001', 99, gen_random_uuid(), 1, gen_random_uuid(), '', now(), 'place_replacement', 'x',
              'r', 6, 'begun')";
    assert!(sqlx::query(sixth).execute(&silta.pool).await.is_err());
}

#[tokio::test]
async fn replacement_made_by_hand_is_followed_and_not_sent_again() {
    let (silta, order) = start_with_order(&[]).await;
    ship(&silta).await;
    silta.warehouse.add_foreign_order(REPLACEMENT, "B", 1);
    silta.shop.add_shipment(order, &[("B", 1)]);
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "done");
    silta.warehouse.ship_order(REPLACEMENT);
    poll_and_run(&silta).await;
    assert_eq!((silta.warehouse.orders().len(), completions(&silta, order)), (2, vec![1, 1]));
}

#[tokio::test]
async fn vanished_replacement_is_left_to_a_person() {
    let (silta, order, _) = start_with_exchange(&[]).await;
    confirm(&silta, order, json!({})).await;
    silta.warehouse.hide_order(REPLACEMENT);
    silta.clock.advance(secs(3600));
    silta.post_order_action(order, "refresh").await;
    assert_eq!(silta.order_task_state(order).await, "dead replacement_vanished");
    let dead: uuid::Uuid = silta.scalar("select id from task where reason = 'replacement_vanished'").await;
    let path = format!("/admin/v1/tasks/{dead}/resolve");
    assert_eq!(silta.api.post(&path, json!({ "as": "pending" })).await.status, 200);
    silta.run_until_idle().await;
    assert_eq!(
        (silta.warehouse.count(REPLACEMENT), silta.warehouse.count(REFERENCE)),
        (2, 1),
        "only that one"
    );
    let place: String = silta.scalar("select state from action where kind = 'place'").await;
    assert_eq!(place, "applied");
}

#[tokio::test]
async fn replacement_is_confirmed_on_the_page_and_by_operators_only() {
    let (silta, order, shipment) = start_with_exchange(&[]).await;
    let path = format!("/orders/shop/{order}");
    let viewer = Session::with(&silta, VIEWER).await.get(&path).await.text().await.unwrap();
    assert!(viewer.contains("1 × B") && !viewer.contains("name=\"shipment\""), "{viewer}");
    let session = Session::with(&silta, OPERATOR).await;
    let page = session.get(&path).await.text().await.unwrap();
    assert!(page.contains("Send the replacement"), "{page}");
    let shipment = shipment.to_string();
    session.submit(&path, &[("ask", "send_replacement"), ("shipment", &shipment)]).await;
    silta.advance(secs(60)).await; // until it cannot be taken back any more
    assert_eq!(silta.warehouse.count(REPLACEMENT), 1);
    let page = session.get(&path).await.text().await.unwrap();
    assert!(page.contains(REPLACEMENT) && !page.contains("Send the replacement"), "{page}");
    let audited: String =
        silta.scalar("select action from audit where action = 'order.send_replacement'").await;
    assert_eq!(audited, "order.send_replacement");
}
