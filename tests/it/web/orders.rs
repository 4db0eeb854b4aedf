//! The pages of orders: the list with its filters, CSV and requests for several, and the page of one.

use serde_json::json;
use silta::{
    app::config::{Config, Environment},
    dev::sandbox::{Fault, OrderSpec},
};

use crate::{
    harness::{OPERATOR, TestOptions, TestSilta, VIEWER, configuration, secs},
    web::session::Session,
};

pub async fn page(session: &Session, path: &str) -> String {
    let answer = session.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

/// One order at the warehouse and two that are not paid.
pub async fn start_with_three_orders() -> (TestSilta, [u64; 3]) {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 9);
    let placed = silta.place_order(OrderSpec::of("A", 1)).await;
    let one = silta.place_order(OrderSpec::of("A", 2).unpaid()).await;
    let other = silta.place_order(OrderSpec::of("A", 3).unpaid().with_shipping_method(2, None)).await;
    (silta, [placed, one, other])
}

#[tokio::test]
async fn list_shows_what_people_look_for_and_its_filter_in_the_address() {
    let (silta, [_, one, other]) = start_with_three_orders().await;
    let session = Session::with(&silta, OPERATOR).await;
    let all = page(&session, "/orders").await;
    for text in [
        "€19.90",
        "1 line, 3 pcs",
        "Posti Paketti",
        "Posti Parcel",
        "Nouto Postista",
        "shop",
        "name=\"order\"",
    ] {
        assert!(all.contains(text), "{text}: {all}");
    }
    let filtered = page(&session, "/orders?method=Nouto%20Postista&placed=7&sort=oldest").await;
    assert!(
        filtered.contains(&format!("/orders/shop/{other}"))
            && !filtered.contains(&format!("/orders/shop/{one}"))
    );
    for text in [
        "Last 7 days",
        "remove this filter",
        "Clear all",
        "aria-sort=\"ascending\"",
        "/orders.csv?method=Nouto%20Postista",
    ] {
        assert!(filtered.contains(text), "{text}: {filtered}");
    }
    let nothing = page(&session, "/orders?q=nothing").await;
    assert!(nothing.contains("No order matches.") && nothing.contains("Clear all"), "{nothing}");
    let viewer = page(&Session::with(&silta, VIEWER).await, "/orders").await;
    assert!(viewer.contains("€19.90") && !viewer.contains("name=\"order\""), "{viewer}");
}

#[tokio::test]
async fn csv_follows_the_filter_and_has_no_formula() {
    let (silta, [placed, ..]) = start_with_three_orders().await;
    silta.shop.add_method(
        "shipping-methods",
        json!({ "id": 4, "name": "=HYPERLINK(\"x\")", "product_code": "POSTI-9" }),
    );
    silta.clock.advance(secs(3600));
    let odd = silta.place_order(OrderSpec::of("A", 1).unpaid().with_shipping_method(4, None)).await;
    let session = Session::with(&silta, OPERATOR).await;
    let answer = session.get("/orders.csv?status=not_transferred").await;
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
    let text = answer.text().await.unwrap();
    assert!(text.starts_with("\u{feff}Order,Connection,Total,") && text.ends_with("\r\n"), "{text}");
    let row = text.lines().find(|line| line.starts_with(&odd.to_string())).unwrap();
    assert!(row.contains(",\"'=HYPERLINK(\"\"x\"\")\","), "{row}");
    assert!(row.contains(",19.90,EUR,1,1,"), "{row}");
    assert_eq!((text.lines().count(), text.contains(&format!("\n{placed},"))), (4, false));
}

#[tokio::test]
async fn request_for_several_orders_is_previewed_and_then_done_one_by_one() {
    let (silta, [placed, one, other]) = start_with_three_orders().await;
    let session = Session::with(&silta, OPERATOR).await;
    let names = [placed, one, other].map(|order| format!("shop/{order}"));
    let [placed, one, other] = [&*names[0], &*names[1], &*names[2]];
    let all = [
        ("ask", "transfer"),
        ("back", "//evil.example"),
        ("order", placed),
        ("order", one),
        ("order", other),
    ];
    let preview = session.submit("/orders/bulk", &all).await.text().await.unwrap();
    for text in [
        "nothing has changed yet",
        "It applies to 2 orders",
        "1 order stays as it is",
        "is at the warehouse already",
        "2 of them are not paid",
        "Transfer 2 orders",
    ] {
        assert!(preview.contains(text), "{text}: {preview}");
    }
    assert!(!preview.contains("evil.example"), "{preview}");
    // What the preview did not name is not done.
    let confirmed: Vec<_> = all.iter().copied().chain([("confirmed", "yes")]).collect();
    let again = session.submit("/orders/bulk", &confirmed).await.text().await.unwrap();
    assert!(again.contains("Something has changed since the preview"), "{again}");
    assert_eq!(silta.count("audit").await, 0);

    let two = [
        ("ask", "transfer"),
        ("confirmed", "yes"),
        ("back", "/orders?sort=total"),
        ("order", one),
        ("order", other),
    ];
    let done = session.submit("/orders/bulk", &two).await;
    let to = done.headers()["location"].to_str().unwrap().to_owned();
    assert!(to.starts_with("/orders?sort=total&done=transfer&count=2&refused=0&bulk="), "{to}");
    assert!(page(&session, &to).await.contains("2 orders are on their way to the warehouse."));
    assert_eq!(silta.count("audit where action = 'order.transfer'").await, 2);
    silta.advance(secs(60)).await;
    assert_eq!(silta.warehouse.orders().len(), 3);
    let viewer = Session::with(&silta, VIEWER).await;
    assert_eq!(viewer.submit("/orders/bulk", &two).await.status(), 403);
}

#[tokio::test]
async fn order_sent_by_hand_leaves_after_its_time_and_can_be_taken_back() {
    let (silta, [_, order, other]) = start_with_three_orders().await;
    let session = Session::with(&silta, OPERATOR).await;
    let path = format!("/orders/shop/{order}");
    session.submit(&path, &[("ask", "transfer")]).await;
    silta.run_until_idle().await;
    assert_eq!(silta.order_task_state(order).await, "pending undo_period");
    assert!(page(&session, &path).await.contains("value=\"undo\""));
    // What happens to the order in between changes nothing about it.
    silta.clock.advance(secs(2));
    silta.shop.mark_paid(order);
    silta.shop.touch_order(order);
    silta.send_webhook(silta.shop.order_updated(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(order), 0);

    silta.shop.edit_order(order, &json!({ "payments": [] }));
    let undone = session.submit(&path, &[("ask", "undo")]).await;
    assert_eq!(undone.headers()["location"], format!("{path}?done=undo"));
    silta.advance(secs(60)).await;
    assert_eq!(silta.warehouse_count(order), 0);
    assert_eq!(silta.order_task_state(order).await, "skipped not_paid");
    let shown = page(&session, &format!("{path}?done=undo")).await;
    assert!(
        shown.contains("Taken back: nothing was sent.") && shown.contains("ops took it back before it left"),
        "{shown}"
    );
    assert_eq!(silta.count("audit where action = 'order.undo' and actor = 'ops'").await, 1);
    assert_eq!(session.submit(&path, &[("ask", "undo")]).await.status(), 409, "nothing is left to take back");

    session.submit(&path, &[("ask", "transfer")]).await;
    silta.run_until_idle().await;
    silta.clock.advance(secs(11));
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(order), 1);
    assert_eq!(session.submit(&path, &[("ask", "undo")]).await.status(), 409, "it has left");
    assert_eq!(silta.post_order_action(other, "transfer").await, 201);
    assert_eq!(silta.warehouse_count(other), 1, "the API waits for nothing");
}

#[tokio::test]
async fn without_an_undo_time_an_order_leaves_at_once() {
    let silta = TestSilta::start_with_settings(&[("orders.undo", "0s")]).await;
    silta.warehouse.receive_goods("A", 9);
    let order = silta.place_order(OrderSpec::of("A", 1).unpaid()).await;
    let session = Session::with(&silta, OPERATOR).await;
    let path = format!("/orders/shop/{order}");
    session.submit(&path, &[("ask", "transfer")]).await;
    assert!(!page(&session, &path).await.contains("value=\"undo\""));
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(order), 1);
}

#[tokio::test]
async fn order_page_shows_lines_both_sides_and_what_happens_next() {
    let (silta, [placed, unpaid, _]) = start_with_three_orders().await;
    let session = Session::with(&silta, OPERATOR).await;
    let shown = page(&session, &format!("/orders/shop/{placed}")).await;
    for text in [
        "1 line, 1 pc",
        "0 of 1",
        "In the shop",
        "At the warehouse",
        "The warehouse collects and ships it",
        "Place the order",
        "Show as sent",
        "shop-1001",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let shown = page(&session, &format!("/orders/shop/{unpaid}")).await;
    assert!(shown.contains("Silta looks again as soon as something changes in the shop."), "{shown}");
    let spec = OrderSpec::of("A", 1).unpaid().with_shipping_method(1, Some("PP-77"));
    let with_point = silta.place_order(spec).await;
    let shown = page(&session, &format!("/orders/shop/{with_point}")).await;
    assert!(shown.contains("<dt>Pickup point</dt><dd>PP-77</dd>"), "{shown}");
}

#[tokio::test]
async fn only_what_has_an_effect_now_is_offered_with_what_follows() {
    let (silta, [placed, unpaid, _]) = start_with_three_orders().await;
    let session = Session::with(&silta, OPERATOR).await;
    let offers = |text: &str, ask: &str| text.contains(&format!("name=\"ask\" value=\"{ask}\""));
    let shown = page(&session, &format!("/orders/shop/{placed}")).await;
    assert!(!offers(&shown, "transfer") && !offers(&shown, "hold") && offers(&shown, "cancel"), "{shown}");
    assert!(shown.contains("The shop’s order stays: cancel and refund it there."), "{shown}");
    let path = format!("/orders/shop/{unpaid}");
    let shown = page(&session, &path).await;
    assert!(offers(&shown, "transfer") && offers(&shown, "hold") && !offers(&shown, "release"), "{shown}");
    assert!(shown.contains("The order is not paid."), "{shown}");
    session.submit(&path, &[("ask", "hold")]).await;
    silta.run_until_idle().await;
    let held = page(&session, &format!("{path}?done=hold")).await;
    assert!(offers(&held, "release") && !offers(&held, "hold"), "{held}");
    assert!(held.contains("The order is on hold until you release it."), "{held}");
    let viewer = page(&Session::with(&silta, VIEWER).await, &path).await;
    assert!(!viewer.contains("name=\"ask\""), "{viewer}");
}

#[tokio::test]
async fn audit_says_what_was_done_and_links_its_order() {
    let (silta, [_, order, _]) = start_with_three_orders().await;
    let session = Session::with(&silta, OPERATOR).await;
    session.submit(&format!("/orders/shop/{order}"), &[("ask", "hold")]).await;
    session.submit("/products", &[("connection", "shop"), ("what", "stock")]).await;
    let audit = page(&session, "/audit").await;
    let held = format!("Put the order on hold: <a href=\"/orders/shop/{order}\">Order {order}</a>");
    assert!(audit.contains(&held) && audit.contains("Started a sync: Stock"), "{audit}");
    silta.run_until_idle().await;
}

#[tokio::test]
async fn recipient_is_shown_to_operators_alone_audited_and_not_stored() {
    let (silta, [order, ..]) = start_with_three_orders().await;
    let [viewer, operator] = [Session::with(&silta, VIEWER).await, Session::with(&silta, OPERATOR).await];
    let path = format!("/orders/shop/{order}");
    let reveal = format!("{path}/recipient");
    for session in [&viewer, &operator] {
        assert!(!page(session, &path).await.contains("Testikatu"));
    }
    assert_eq!(viewer.submit(&reveal, &[]).await.status(), 403);
    silta.sandbox.shop_server.faults.script("GET", "/orders/1001", Fault::Status(500));
    assert_eq!(operator.submit(&reveal, &[]).await.status(), 409, "nothing to show, nothing to record");
    assert_eq!(silta.count("audit").await, 0);

    let answer = operator.submit(&reveal, &[]).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let shown = answer.text().await.unwrap();
    assert!(shown.contains("Testi Asiakas") && shown.contains("Testikatu 1, 00100 Helsinki, FI"), "{shown}");
    assert_eq!(silta.count("audit where action = 'order.recipient' and subject = 'order:1001'").await, 1);
    assert!(!page(&operator, &path).await.contains("Testikatu"), "for that page only");
    for table in ["audit", "subject_state", "order_line", "attempt", "action", "intent"] {
        assert_eq!(
            silta.count(&format!("{table} where {table}::text like '%Testikatu%'")).await,
            0,
            "{table}"
        );
    }
    assert_eq!(operator.submit("/orders/shop/999/recipient", &[]).await.status(), 404);
}

#[tokio::test]
async fn vendors_pages_are_linked_only_where_they_are_configured() {
    let (silta, [order, ..]) = start_with_three_orders().await;
    let path = format!("/orders/shop/{order}");
    let plain = page(&Session::with(&silta, VIEWER).await, &path).await;
    assert!(!plain.contains("Order in MyCashflow"), "{plain}");
    let settings = [
        ("pages.shop_order", "https://shop.example/admin/orders/{id}"),
        ("pages.warehouse_order", "https://my.ogoship.example/orders?ref={id}"),
        ("pages.calculator", "https://my.ogoship.example/calculator"),
    ];
    let linked = TestSilta::start_with_settings(&settings).await;
    linked.warehouse.receive_goods("A", 9);
    let order = linked.place_order(OrderSpec::of("A", 1)).await;
    let shown = page(&Session::with(&linked, VIEWER).await, &format!("/orders/shop/{order}")).await;
    for address in [
        "https://shop.example/admin/orders/1001",
        "https://my.ogoship.example/orders?ref=shop-1001",
        "https://my.ogoship.example/calculator",
    ] {
        assert!(shown.contains(&format!("href=\"{address}\"")), "{address}: {shown}");
    }
    for (key, address) in [
        ("shop_order", "javascript:alert({id})"),
        ("shop_order", "http://shop.example/{id}"),
        ("shop_order", "https://{id}.example/"),
        ("shop_order", "https://shop.example/orders"),
        ("warehouse_order", "data:text/html,{id}"),
        ("calculator", "//my.ogoship.example"),
    ] {
        let text = configuration(&silta.sandbox, &TestOptions::default())
            + &format!("[connections.pages]\n{key} = \"{address}\"\n");
        let error = format!("{:?}", Config::load(&text, &Environment::new()).unwrap_err());
        assert!(error.contains(key), "{address}: {error}");
    }
}
