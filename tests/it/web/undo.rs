//! What is sent by hand from a page is taken back before it leaves: a replacement, and several orders with one button.

use silta::dev::sandbox::OrderSpec;
use uuid::Uuid;

use crate::{
    harness::{OPERATOR, TestSilta, VIEWER, secs},
    web::{
        orders::{page, start_with_three_orders},
        session::Session,
    },
};

/// Asks something for several orders, as confirmed on the preview; returns where the answer leads.
async fn ask(session: &Session, request: &str, orders: &[u64]) -> String {
    let names: Vec<_> = orders.iter().map(|order| format!("shop/{order}")).collect();
    let fields = [("ask", request), ("confirmed", "yes"), ("back", "/orders?sort=total")];
    let orders = names.iter().map(|name| ("order", name.as_str()));
    let fields: Vec<_> = fields.into_iter().chain(orders).collect();
    location(&session.submit("/orders/bulk", &fields).await)
}

fn location(answer: &reqwest::Response) -> String {
    assert_eq!(answer.status(), 303);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// The id of the request that an address names.
fn bulk_of(address: &str) -> String {
    address.split("&bulk=").nth(1).unwrap().to_owned()
}

/// Takes a request back; returns what the answer says became of its orders.
async fn undo(session: &Session, bulk: &str) -> String {
    let fields = [("bulk", bulk), ("back", "/orders")];
    let to = location(&session.submit("/orders/bulk/undo", &fields).await);
    to.strip_prefix("/orders?done=undo&").unwrap().to_owned()
}

async fn undone(silta: &TestSilta) -> i64 {
    silta.count("intent where undone_at is not null").await
}

#[tokio::test]
async fn request_for_several_orders_is_taken_back_as_a_whole() {
    let (silta, [_, one, other]) = start_with_three_orders().await;
    let [operator, viewer] = [Session::with(&silta, OPERATOR).await, Session::with(&silta, VIEWER).await];
    let to = ask(&operator, "transfer", &[one, other]).await;
    let bulk = bulk_of(&to);
    silta.run_until_idle().await;
    let shown = page(&operator, &to).await;
    for text in ["2 orders are on their way", "They leave at", "action=\"/orders/bulk/undo\"", &bulk] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!page(&viewer, &to).await.contains("/orders/bulk/undo"));
    let refused = viewer.submit("/orders/bulk/undo", &[("bulk", &bulk), ("back", "/orders")]).await;
    assert_eq!((refused.status().as_u16(), undone(&silta).await), (403, 0));

    assert_eq!(undo(&operator, &bulk).await, "count=2&left=0&changed=0");
    let shown = page(&operator, "/orders?done=undo&count=2&left=0&changed=0").await;
    assert!(shown.contains("2 orders were taken back: nothing of them was sent."), "{shown}");
    assert!(!page(&operator, &to).await.contains("/orders/bulk/undo"), "nothing is left to take back");
    // A second press changes nothing.
    assert_eq!(undo(&operator, &bulk).await, "count=0&left=0&changed=0");
    assert_eq!((undone(&silta).await, silta.count("audit where action = 'order.undo'").await), (2, 2));
    silta.advance(secs(60)).await;
    assert_eq!([one, other].map(|order| silta.warehouse_count(order)), [0, 0]);
    assert_eq!(silta.order_task_state(one).await, "skipped not_paid");
    let shown = page(&operator, &format!("/orders/shop/{one}")).await;
    assert!(shown.contains("ops took it back before it left"), "{shown}");

    let nothing = operator.submit("/orders/bulk", &[("ask", "transfer"), ("back", "/orders")]).await;
    assert_eq!(nothing.status(), 409);
    assert!(nothing.text().await.unwrap().contains("Nothing was selected"));
    for (bulk, status) in [(Uuid::nil().to_string(), 404), ("x".to_owned(), 400)] {
        let answer = operator.submit("/orders/bulk/undo", &[("bulk", &bulk)]).await;
        assert_eq!(answer.status(), status, "{bulk}");
    }
}

#[tokio::test]
async fn what_has_left_is_not_taken_back_with_the_others() {
    let (mut silta, [_, one, other]) = start_with_three_orders().await;
    silta.leave_unfinished();
    let session = Session::with(&silta, OPERATOR).await;
    let bulk = bulk_of(&ask(&session, "transfer", &[one, other]).await);
    assert_eq!(silta.post_order_action(one, "transfer").await, 200);
    assert_eq!(silta.warehouse_count(one), 1, "the API waits for nothing");
    assert_eq!(undo(&session, &bulk).await, "count=1&left=1&changed=0");
    let shown = page(&session, "/orders?done=undo&count=1&left=1&changed=0").await;
    assert!(shown.contains("1 order was taken back") && shown.contains("1 had left already"), "{shown}");
    silta.advance(secs(60)).await;
    assert_eq!([one, other].map(|order| silta.warehouse_count(order)), [1, 0]);

    // Its time has come, though nothing has run yet.
    let bulk = bulk_of(&ask(&session, "transfer", &[other]).await);
    silta.clock.advance(secs(11));
    assert_eq!(undo(&session, &bulk).await, "count=0&left=1&changed=0");
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse_count(other), undone(&silta).await), (1, 1));
    assert_eq!(undo(&session, &bulk).await, "count=0&left=1&changed=0", "and after it was sent");
}

/// A form that was sent twice, as by a double click: the second answer is the one that people see.
#[tokio::test]
async fn request_that_was_sent_twice_is_taken_back_once_and_for_all() {
    let (silta, [_, one, other]) = start_with_three_orders().await;
    let session = Session::with(&silta, OPERATOR).await;
    let first = bulk_of(&ask(&session, "transfer", &[one, other]).await);
    let second = bulk_of(&ask(&session, "transfer", &[one, other]).await);
    assert_eq!(undo(&session, &second).await, "count=2&left=0&changed=0");
    assert_eq!(undo(&session, &first).await, "count=0&left=0&changed=0", "with the second");
    silta.advance(secs(60)).await;
    assert_eq!([one, other].map(|order| silta.warehouse_count(order)), [0, 0]);
}

#[tokio::test]
async fn order_that_is_being_worked_on_is_not_taken_back_with_the_others() {
    let (mut silta, [_, one, other]) = start_with_three_orders().await;
    silta.leave_unfinished();
    let session = Session::with(&silta, OPERATOR).await;
    let bulk = bulk_of(&ask(&session, "transfer", &[one, other]).await);
    assert_eq!(silta.claim_tasks(1).await.len(), 1);
    assert_eq!(undo(&session, &bulk).await, "count=1&left=1&changed=0");
    assert_eq!(undone(&silta).await, 1);
}

#[tokio::test]
async fn newer_request_for_an_order_is_not_taken_back_with_an_older_one() {
    let (silta, [_, one, other]) = start_with_three_orders().await;
    let session = Session::with(&silta, OPERATOR).await;
    let bulk = bulk_of(&ask(&session, "transfer", &[one, other]).await);
    session.submit(&format!("/orders/shop/{one}"), &[("ask", "transfer")]).await;
    assert_eq!(undo(&session, &bulk).await, "count=1&left=0&changed=1");
    let shown = page(&session, "/orders?done=undo&count=1&left=0&changed=1").await;
    assert!(shown.contains("For 1 something else was asked since: it stays as it is."), "{shown}");
    silta.advance(secs(60)).await;
    assert_eq!([one, other].map(|order| silta.warehouse_count(order)), [1, 0]);

    // An order that is named twice is asked for once, and what sends nothing has nothing to take back.
    let to = ask(&session, "hold", &[other, other]).await;
    assert!(to.contains("done=hold&count=1&refused=0"), "{to}");
    assert!(!page(&session, &to).await.contains("/orders/bulk/undo"));
    silta.run_until_idle().await;
}

/// An order that was shipped, and to which the shop has added a shipment; its id.
pub async fn start_with_added_shipment() -> (TestSilta, u64, String) {
    let silta = TestSilta::start().await;
    for code in ["A", "B"] {
        silta.warehouse.receive_goods(code, 10);
    }
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    silta.warehouse.ship_order("shop-1001");
    silta.send_webhook(silta.warehouse.order_shipped("shop-1001")).await;
    silta.run_until_idle().await;
    let shipment = silta.shop.add_shipment(order, &[("B", 1)]).to_string();
    silta.send_order_update(order).await;
    (silta, order, shipment)
}

#[tokio::test]
async fn replacement_leaves_after_its_time_and_can_be_taken_back() {
    let (silta, order, shipment) = start_with_added_shipment().await;
    let session = Session::with(&silta, OPERATOR).await;
    let path = format!("/orders/shop/{order}");
    let fields = [("ask", "send_replacement"), ("shipment", shipment.as_str())];
    let sent = session.submit(&path, &fields).await;
    assert_eq!(sent.headers()["location"], format!("{path}?done=send%5Freplacement"));
    let shown = page(&session, &format!("{path}?done=send_replacement")).await;
    assert!(shown.contains("The replacement is on its way to the warehouse. It leaves at"), "{shown}");
    silta.run_until_idle().await;
    assert_eq!(silta.order_task_state(order).await, "pending undo_period");
    assert_eq!(silta.warehouse.count("shop-1001-R1"), 0);
    session.submit(&path, &[("ask", "undo")]).await;
    silta.advance(secs(60)).await;
    assert_eq!(silta.order_task_state(order).await, "dead replacement_unconfirmed");
    assert_eq!(silta.warehouse.count("shop-1001-R1"), 0);
    assert_eq!(session.submit(&path, &[("ask", "undo")]).await.status(), 409, "nothing is left to take back");

    session.submit(&path, &fields).await;
    silta.advance(secs(60)).await;
    assert_eq!(silta.warehouse.count("shop-1001-R1"), 1);
    assert_eq!(session.submit(&path, &[("ask", "undo")]).await.status(), 409, "it has left");
}
