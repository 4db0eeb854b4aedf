//! A stuck order has its remedy on its own page, and says afterwards what is under way.

use serde_json::json;
use silta::dev::sandbox::{Fault, OrderSpec};

use crate::{
    harness::{OPERATOR, TestOptions, TestSilta, VIEWER, secs},
    web::{orders::page, session::Session, undo::start_with_added_shipment},
};

/// The heading of a page, with its badges.
fn heading(shown: &str) -> &str {
    shown.split("<h1>").nth(1).and_then(|rest| rest.split("</h1>").next()).unwrap()
}

#[tokio::test]
async fn stopped_order_has_the_badges_of_the_list_on_its_page() {
    let silta = TestSilta::start().await;
    let order = silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    let session = Session::with(&silta, OPERATOR).await;
    let list = page(&session, "/orders").await;
    let shown = page(&session, &format!("/orders/shop/{order}")).await;
    let badges = heading(&shown).split_once("<span class=\"badges\">").unwrap().1;
    assert!(badges.contains("stopped") && badges.contains("not yet transferred"), "{badges}");
    assert!(list.contains(badges), "{badges}: {list}");
}

#[tokio::test]
async fn order_that_the_warehouse_collects_cannot_be_cancelled() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 9);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    let session = Session::with(&silta, OPERATOR).await;
    let path = format!("/orders/shop/{order}");
    let cancel = "name=\"ask\" value=\"cancel\"";
    assert!(page(&session, &path).await.contains(cancel));
    silta.warehouse.set_status(&format!("shop-{order}"), "Collecting");
    silta.send_order_update(order).await;
    let shown = page(&session, &path).await;
    assert!(shown.contains("Collecting") && !shown.contains(cancel), "{shown}");
}

#[tokio::test]
async fn next_step_of_an_order_agrees_with_its_state() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 9);
    let [held, returned] = [OrderSpec::of("A", 1).unpaid(), OrderSpec::of("A", 1)];
    let [held, returned] = [silta.place_order(held).await, silta.place_order(returned).await];
    let session = Session::with(&silta, OPERATOR).await;
    let path = |order: u64| format!("/orders/shop/{order}");
    session.submit(&path(held), &[("ask", "hold")]).await;
    silta.run_until_idle().await;
    let shown = page(&session, &path(held)).await;
    assert!(
        shown.contains("It waits until you release it.") && !shown.contains("Silta looks again"),
        "{shown}"
    );
    // It waits for a person, so its badge says so; to release it is the way on, not to transfer it.
    let badges = heading(&shown).split_once("<span class=\"badges\">").unwrap().1;
    assert!(badges.contains("waits for you") && page(&session, "/orders").await.contains(badges), "{badges}");
    assert!(shown.contains("value=\"release\"") && !shown.contains("value=\"transfer\""), "{shown}");
    let name = format!("shop/{held}");
    let bulk = [("ask", "transfer"), ("order", name.as_str())];
    let preview = session.submit("/orders/bulk", &bulk).await.text().await.unwrap();
    assert!(preview.contains("is on hold: release it"), "{preview}");
    for status in ["Shipped", "Returned"] {
        silta.warehouse.set_status(&format!("shop-{returned}"), status);
        silta.send_order_update(returned).await;
    }
    let shown = page(&session, &path(returned)).await;
    assert!(shown.contains("Process the return") && !shown.contains("Nothing more is expected"), "{shown}");
    // Cancelled before it was sent: no tracking code comes, and it cannot be sent.
    silta.shop.cancel_order(held);
    silta.send_order_update(held).await;
    let shown = page(&session, &path(held)).await;
    assert!(
        shown.contains("None: the order is cancelled") && !shown.contains("value=\"transfer\""),
        "{shown}"
    );
}

#[tokio::test]
async fn unread_order_is_looked_at_next_at_the_same_time_in_list_and_page() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    let session = Session::with(&silta, OPERATOR).await;
    for path in ["/orders".to_owned(), format!("/orders/shop/{order}")] {
        let shown = page(&session, &path).await;
        assert!(
            shown.contains("Silta looks at it") && !shown.contains("both sides again"),
            "{path}: {shown}"
        );
    }
    silta.run_until_idle().await;
}

#[tokio::test]
async fn order_without_a_method_has_the_rule_form_on_its_page() {
    let connection = "\"LEFT-*\" = \"leave\"\n";
    let silta = TestSilta::start_with(TestOptions { connection, service: "" }).await;
    silta.warehouse.receive_goods("A", 9);
    let order = silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    let rule = json!({ "pattern": "Drone", "code": "Air & sea" });
    silta.api.put("/admin/v1/connections/shop/shipping-rules", rule).await;
    let path = format!("/orders/shop/{order}");
    let session = Session::with(&silta, OPERATOR).await;
    let shown = page(&session, &path).await;
    for part in [
        "action=\"/attention/shipping-rule\"",
        "Edit merchant, Shipping methods",
        "/attention/cause?connection=shop&amp;kind=order&amp;reason=shipping%5Funmapped",
        "<option value=\"Posti Parcel\">",
        "<option value=\"Courier\">",
        "<option value=\"Air &amp; sea\">",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("<option value=\"leave\">"), "it is no method of the warehouse: {shown}");
    let viewer = page(&Session::with(&silta, VIEWER).await, &path).await;
    assert!(!viewer.contains("/attention/shipping-rule") && !viewer.contains("<option"), "{viewer}");
    let finnish = page(&Session::with(&silta, OPERATOR).await.in_finnish(), &path).await;
    assert!(finnish.contains("Kaikki samasta syystä pysähtyneet"), "{finnish}");
    // Where it waits on the page of its cause, the same codes are suggested.
    let attention = page(&session, "/attention").await;
    assert!(attention.contains("<option value=\"Courier\">"), "{attention}");
}

#[tokio::test]
async fn foreign_order_is_adopted_or_gets_another_reference() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 9);
    for reference in ["shop-1001", "shop-1002"] {
        silta.warehouse.add_foreign_order(reference, "A", 5);
    }
    let [one, other] =
        [silta.place_order(OrderSpec::of("A", 1)).await, silta.place_order(OrderSpec::of("A", 1)).await];
    assert_eq!(silta.order_task_state(one).await, "dead not_ours_at_warehouse");
    let session = Session::with(&silta, OPERATOR).await;
    let path = |order: u64| format!("/orders/shop/{order}");
    for at in ["/attention", &path(one)] {
        let shown = page(&session, at).await;
        for part in ["What is it?", "follow it from here", "sends no other", "has another reference now"] {
            assert!(shown.contains(part), "{part} at {at}: {shown}");
        }
    }
    let shown = page(&session, &path(one)).await;
    let remedy =
        shown.split("id=\"remedy\"").nth(1).and_then(|rest| rest.split("</section>").next()).unwrap();
    assert_eq!(remedy.matches("contains other products").count(), 1, "said once: {remedy}");
    let adopted = session.submit(&path(one), &[("ask", "adopt")]).await;
    let to = adopted.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(to, format!("{}?done=adopt", path(one)));
    assert!(page(&session, &to).await.contains("Silta follows it from here, and sends no other."));
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse.count("shop-1001"), silta.warehouse.orders().len()), (1, 2));
    assert_eq!(silta.show_order(one).await["actions"][0]["kind"], "adopt");
    assert!(!page(&session, &path(one)).await.contains("What is it?"), "it is answered");

    silta.warehouse.change_reference("shop-1002", "by-hand-7");
    session.submit(&path(other), &[("ask", "refresh")]).await;
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse.count("shop-1002"), silta.warehouse.orders().len()), (1, 3));
}

#[tokio::test]
async fn unknown_outcome_is_answered_on_the_orders_page() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    silta.warehouse.receive_goods("A", 10);
    silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::DropBefore);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    let session = Session::with(&silta, OPERATOR).await;
    let path = format!("/orders/shop/{order}");
    let shown = page(&session, &path).await;
    assert!(
        shown.contains("may or may not be at the warehouse") && shown.contains("gets it twice"),
        "{shown}"
    );
    assert!(shown.contains("It waits for your answer.") && shown.contains("Silta itself looks"), "{shown}");
    // Its answers alone are offered, the safe ones first, and the warning stands at the one it is about.
    for ask in ["transfer", "hold", "release", "cancel"] {
        assert!(!shown.contains(&format!("name=\"ask\" value=\"{ask}\"")), "{ask}: {shown}");
    }
    assert_eq!(shown.matches("name=\"ask\" value=\"refresh\"").count(), 1, "{shown}");
    let at = |part: &str| shown.find(part).unwrap_or_else(|| panic!("{part}: {shown}"));
    let order_of = ["value=\"refresh\"", "value=\"done\"", "value=\"pending\"", "gets it twice"].map(at);
    assert!(order_of.is_sorted(), "{order_of:?}: {shown}");
    assert!(shown.contains("Not known yet") && !shown.contains("Not there"), "{shown}");
    let heading = heading(&shown);
    assert!(heading.contains("in doubt") && !heading.contains("not yet transferred"), "{heading}");
    let name = format!("shop/{order}");
    let bulk = [("ask", "transfer"), ("order", name.as_str())];
    let preview = session.submit("/orders/bulk", &bulk).await.text().await.unwrap();
    assert!(preview.contains("nobody knows yet whether it is at the warehouse"), "{preview}");
    let task: uuid::Uuid = silta.scalar("select id from task where state = 'in_doubt'").await;
    let fields = [("ask", "pending"), ("from", "order")];
    let answer = session.submit(&format!("/tasks/{task}"), &fields).await;
    assert_eq!(answer.headers()["location"], format!("{path}?done=pending"));
    let shown = page(&session, &format!("{path}?done=pending")).await;
    assert!(shown.contains("Noted: it was not done."), "{shown}");
    silta.advance(secs(600)).await;
    assert_eq!((silta.warehouse_count(order), silta.lost_and_doubled()), (1, (0, 0)));
}

#[tokio::test]
async fn other_stopped_order_is_tried_again_from_its_page() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 10);
    let order = silta.place_order(OrderSpec::of("A", 1).to_country("Suomi")).await;
    assert_eq!(silta.order_task_state(order).await, "dead address_incomplete");
    let session = Session::with(&silta, OPERATOR).await;
    let path = format!("/orders/shop/{order}");
    let shown = page(&session, &path).await;
    for part in ["Try again", "reason=address%5Fincomplete", "Correct in the shop: the country must be"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(shown.matches("Correct the address in the shop").count(), 1, "said once: {shown}");
    // Sent as it is, it would stop again.
    assert!(!shown.contains("value=\"transfer\""), "{shown}");
    let name = format!("shop/{order}");
    let bulk = [("ask", "transfer"), ("order", name.as_str())];
    let preview = session.submit("/orders/bulk", &bulk).await.text().await.unwrap();
    assert!(preview.contains("has stopped: correct the cause first"), "{preview}");
    silta.shop.change_country(order, "FI");
    session.submit(&path, &[("ask", "refresh")]).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(order), 1);
    assert!(!page(&session, &path).await.contains("Try again"));
}

#[tokio::test]
async fn order_that_is_not_paid_says_so_before_it_is_sent_from_its_cause() {
    let silta = TestSilta::start_with_settings(&[("orders.when", "paid")]).await;
    silta.warehouse.receive_goods("A", 10);
    let payments = json!({ "payments": [{ "status": "PENDING_ACTIVATION", "is_paid": true }] });
    let order = silta.place_order(OrderSpec::of("A", 1).with_json(payments)).await;
    assert_eq!(silta.order_task_state(order).await, "skipped payment_not_activated");
    let session = Session::with(&silta, OPERATOR).await;
    let shown = page(&session, "/attention").await;
    let button = shown.find("name=\"ask\" value=\"transfer\"").unwrap_or_else(|| panic!("{shown}"));
    let says = shown[..button].rfind("The order is not paid. It is sent to the warehouse all the same.");
    let hidden = shown[..button].rfind("<details>");
    assert!(says.is_some() && hidden < says, "{shown}");
}

#[tokio::test]
async fn refused_request_is_answered_on_the_page_with_what_is_offered_now() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 10);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    let session = Session::with(&silta, OPERATOR).await;
    let path = format!("/orders/shop/{order}");
    for ask in ["undo", "hold", "transfer"] {
        let refused = session.submit(&path, &[("ask", ask)]).await;
        assert_eq!(refused.status(), 409, "{ask}");
        let shown = refused.text().await.unwrap();
        assert!(
            shown.contains("Nothing was changed:") && shown.contains(&format!("Order {order}")),
            "{shown}"
        );
        assert!(shown.contains("name=\"ask\" value=\"cancel\""), "{shown}");
    }
    let task: uuid::Uuid = silta.scalar("select id from task").await;
    let refused = session.submit(&format!("/tasks/{task}"), &[("ask", "cancel")]).await;
    assert_eq!(refused.status(), 409);
    let shown = refused.text().await.unwrap();
    assert!(
        shown.contains("Nothing was changed:") && shown.contains("name=\"ask\" value=\"replay\""),
        "{shown}"
    );
    assert_eq!(silta.count("audit").await, 0);

    let replayed = session.submit(&format!("/tasks/{task}"), &[("ask", "replay")]).await;
    let to = replayed.headers()["location"].to_str().unwrap().to_owned();
    assert!(to.ends_with("?done=replay") && !to.contains(&task.to_string()), "{to}");
    assert!(page(&session, &to).await.contains("It is being looked at again"));
    silta.run_until_idle().await;
}

#[tokio::test]
async fn order_that_waits_for_a_confirmation_leads_to_its_button() {
    let (silta, order, _) = start_with_added_shipment().await;
    let session = Session::with(&silta, OPERATOR).await;
    let shown = page(&session, &format!("/orders/shop/{order}")).await;
    for part in ["href=\"#added\"", "id=\"added\"", "Send the replacement"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}
