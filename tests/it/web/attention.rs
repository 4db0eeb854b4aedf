//! The page of what needs attention: a card a cause, the remedy in place, a preview before a change.

use reqwest::StatusCode;
use serde_json::json;
use silta::dev::sandbox::{Fault, OrderSpec};

use crate::{
    harness::{OPERATOR, TestSilta, VIEWER, secs},
    web::session::Session,
};

async fn text(session: &Session, path: &str) -> String {
    let answer = session.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

/// Orders whose shipping method has no rule; what their last attempt said.
async fn start_with_unmapped(many: usize) -> (TestSilta, String) {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    for _ in 0..many {
        silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    }
    let detail = silta
        .scalar::<Option<String>>("select max(detail) from attempt where reason = 'shipping_unmapped'")
        .await;
    (silta, detail.unwrap())
}

/// Codes of ten pieces of which every figure falls to zero at once.
async fn start_with_brake(codes: u64) -> TestSilta {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    for id in 1..=codes {
        let code = format!("C-{id}");
        silta.shop.add_product(id, &code, &format!("Tuote {id}"), 10);
        silta.warehouse.add_product(&code, json!({ "code": code, "name": format!("Tuote {id}") }));
        silta.warehouse.receive_goods(&code, 10);
    }
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    for id in 1..=codes {
        silta.warehouse.count_stock(&format!("C-{id}"), 0);
        silta.send_stock_update(&format!("C-{id}")).await;
    }
    silta
}

fn in_stock(silta: &TestSilta, codes: u64) -> usize {
    (1..=codes).filter(|id| silta.shop.quantity(&format!("C-{id}")) == Some(10)).count()
}

#[tokio::test]
async fn rule_is_previewed_and_saved_together_with_the_release() {
    let (silta, detail) = start_with_unmapped(3).await;
    let session = Session::with(&silta, OPERATOR).await;
    let page = text(&session, "/attention").await;
    assert!(page.contains("1 thing needs you.") && page.contains("1001"), "{page}");
    let typed =
        [("connection", "shop"), ("detail", detail.as_str()), ("pattern", "*"), ("code", "Posti Parcel")];
    let query = |pattern: &str| {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let pairs = typed.map(|(name, value)| (name, if name == "pattern" { pattern } else { value }));
        let pairs = pairs.map(|(name, value)| format!("{name}={}", encode(value)));
        format!("/attention/shipping-rule?{}", pairs.join("&"))
    };
    let method = detail.split('"').nth(1).unwrap();
    let preview = text(&session, &query(method)).await;
    assert!(
        preview.contains("Preview: nothing has changed yet")
            && preview.contains("Save, and release 3 orders"),
        "{preview}"
    );
    assert!(preview.contains("No other shipping method of the orders so far"), "{preview}");
    let delivered = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.warehouse_count(delivered), 1, "its method has a configured rule");
    sqlx::query("update subject_state set shipping_method = 'Lento-pika' where subject = 'order:1002'")
        .execute(&silta.pool)
        .await
        .unwrap();
    let wide = text(&session, &query("*o*")).await;
    let says = "also takes these shipping methods of orders so far: Lento-pika.";
    assert!(wide.contains(says), "neither its own method nor a configured one: {wide}");
    let other = text(&session, &query("DHL")).await;
    assert!(other.contains("does not match") && !other.contains("value=\"all\""), "{other}");
    assert_eq!(silta.count("shipping_rule").await, 0, "a preview changes nothing");

    let chosen: Vec<_> =
        typed.iter().map(|(name, value)| (*name, if *name == "pattern" { method } else { *value })).collect();
    let fields: Vec<_> = chosen.into_iter().chain([("release", "all")]).collect();
    let saved = session.submit("/attention/shipping-rule", &fields).await;
    assert!(saved.headers()["location"].to_str().unwrap().starts_with("/replays/"), "{saved:?}");
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse.orders().len(), silta.lost_and_doubled()), (4, (0, 0)));
    let actions: Vec<String> =
        sqlx::query_scalar("select action from audit order by id").fetch_all(&silta.pool).await.unwrap();
    assert!(
        actions.iter().any(|it| it == "shipping_rule.put") && actions.iter().any(|it| it == "tasks.release")
    );
}

#[tokio::test]
async fn refused_rule_changes_nothing_and_keeps_what_was_typed() {
    let (silta, detail) = start_with_unmapped(1).await;
    let session = Session::with(&silta, OPERATOR).await;
    let fields = [
        ("connection", "shop"),
        ("detail", detail.as_str()),
        ("pattern", "**"),
        ("code", "Posti & co"),
        ("pickup", "yes"),
        ("release", "all"),
    ];
    let refused = session.submit("/attention/shipping-rule", &fields).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let page = refused.text().await.unwrap();
    for part in ["Nothing was saved:", "value=\"**\"", "value=\"Posti &amp; co\"", "value=\"yes\" checked"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert_eq!((silta.count("shipping_rule").await, silta.count("replay").await), (0, 0));
    let viewer = Session::with(&silta, VIEWER).await;
    assert_eq!(viewer.get("/attention/shipping-rule?connection=shop").await.status(), 403);
}

#[tokio::test]
async fn stock_fall_shows_its_products_and_is_approved_after_a_preview() {
    let silta = start_with_brake(8).await;
    let waiting = in_stock(&silta, 8);
    assert!(waiting > 1);
    let session = Session::with(&silta, OPERATOR).await;
    let page = text(&session, "/attention").await;
    assert!(page.contains(&format!("{waiting} stock figures would fall to zero at once")), "{page}");
    assert!(page.contains("Tuote 8") && page.contains("Would be"), "{page}");
    assert!(!page.contains("not shown here"), "all are shown: {page}");
    let products = text(&session, "/products?show=differs").await;
    let approval = "<td class=\"act\"><a class=\"btn\" href=\"/attention/stock?connection=shop\"";
    assert!(products.contains(approval), "{products}");
    let preview = text(&session, "/attention/stock?connection=shop").await;
    assert!(preview.contains(&format!("Approve {waiting} stock figures")), "{preview}");
    let approve = |count: usize| [("connection", "shop".to_owned()), ("count", count.to_string())];
    let fields = approve(waiting - 1);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let again = session.submit("/attention/stock", &fields).await;
    let to = again.headers()["location"].to_str().unwrap();
    assert_eq!(to, "/attention/stock?connection=shop&done=changed", "more wait than were shown");
    assert!(text(&session, to).await.contains("Something has changed since the preview."), "{to}");
    silta.run_until_idle().await;
    assert_eq!((in_stock(&silta, 8), silta.connection().await["health"].as_str()), (waiting, Some("braked")));

    let fields = approve(waiting);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let approved = session.submit("/attention/stock", &fields).await;
    assert_eq!(approved.headers()["location"], "/attention?done=stock");
    silta.advance(secs(60)).await;
    assert_eq!(in_stock(&silta, 8), 0);
    let page = text(&session, "/attention?done=stock").await;
    assert!(page.contains("Approved.") && !page.contains("would fall to zero"), "{page}");
}

#[tokio::test]
async fn unknown_outcome_shows_both_sides_and_a_person_decides() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    silta.warehouse.receive_goods("A", 10);
    silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", Fault::DropBefore);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.order_task_state(order).await, "in_doubt answer_lost");
    let session = Session::with(&silta, OPERATOR).await;
    let page = text(&session, "/attention").await;
    for part in [
        "may or may not be at the warehouse",
        "It is not there: send it again",
        "It is there",
        "Look once more",
        "not looked at since it was sent",
        "the warehouse gets it twice",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let task: uuid::Uuid = silta.scalar("select id from task where state = 'in_doubt'").await;
    assert!(page.contains(&format!("action=\"/tasks/{task}\"")), "{page}");
    let viewer = text(&Session::with(&silta, VIEWER).await, "/attention").await;
    assert!(!viewer.contains("<form method=\"post\" action=\"/tasks"), "{viewer}");
    session.submit(&format!("/tasks/{task}"), &[("ask", "pending")]).await;
    silta.advance(secs(600)).await;
    assert_eq!((silta.warehouse_count(order), silta.lost_and_doubled()), (1, (0, 0)));
}

#[tokio::test]
async fn cause_to_correct_names_the_field_and_offers_no_other_try_first() {
    let silta = TestSilta::start().await;
    let order = silta.place_order(OrderSpec::of("A", 1).to_country("Suomi")).await;
    assert_eq!(silta.order_task_state(order).await, "dead address_incomplete");
    let session = Session::with(&silta, OPERATOR).await;
    let page = text(&session, "/attention").await;
    assert!(page.contains("the country must be a code of two letters"), "{page}");
    assert!(page.contains("Open the order") && !page.contains("and try again"), "{page}");
    let all = text(&session, "/attention/cause?connection=shop&kind=order&reason=address_incomplete").await;
    let at = |part: &str| all.find(part).unwrap_or_else(|| panic!("{part} in {all}"));
    assert!(at("the country must be a code of two letters") < at("Correct the cause first"), "{all}");
    assert!(all.contains("Try 1 order again") && !all.contains("class=\"main\""), "{all}");
}

#[tokio::test]
async fn causes_stand_oldest_first_each_with_its_remedy() {
    let silta = TestSilta::start_with_settings(&[("products.upload", "manual")]).await;
    silta.shop.add_product(1, "CUP", "Kuppi", 5);
    silta.shop.add_product(2, "cup", "Muki", 0);
    silta.send_product_update(1).await;
    silta.send_product_update(2).await;
    silta.clock.advance(secs(600));
    let held = silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    let session = Session::with(&silta, OPERATOR).await;
    let page = text(&session, "/attention").await;
    let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part} in {page}"));
    assert!(
        at("href=\"/products?connection=shop&amp;show=code\"") < at("/attention/shipping-rule"),
        "the oldest first"
    );
    assert!(at(&held.to_string()) > 0);
    let finnish = text(&Session::with(&silta, OPERATOR).await.in_finnish(), "/attention").await;
    assert!(finnish.contains("asiaa odottaa sinua") && finnish.contains("Esikatsele"), "{finnish}");
}

#[tokio::test]
async fn known_vendor_is_named_on_the_overview_too() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let refusal = Fault::Refuse(422, r#"{ "message": "No such country." }"#);
    silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/orders", refusal);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.order_task_state(order).await, "dead refused");
    let session = Session::with(&silta, OPERATOR).await;
    for path in ["/", "/attention"] {
        let shown = text(&session, path).await;
        assert!(shown.contains("OGOship refused the request"), "{path}: {shown}");
        assert!(!shown.contains("MyCashflow or OGOship refused"), "{path}: {shown}");
    }
}

#[tokio::test]
async fn trying_all_again_says_which_may_have_arrived_already() {
    let silta = TestSilta::start().await;
    sqlx::query(
        "insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
         select gen_random_uuid(), 'shop', kind, kind || ':' || number, 'dead', reason, 0, $1, $1, $1
         from (values ('order', 1, 'outcome_unknown'), ('order', 2, 'repeated_too_often'),
                      ('order', 3, 'address_incomplete'), ('product', 4, 'outcome_unknown')) as it (kind, number, reason)",
    )
    .bind(silta.now())
    .execute(&silta.pool)
    .await
    .unwrap();
    let session = Session::with(&silta, OPERATOR).await;
    let says = "may have reached the vendor already: Silta reads the shop and the warehouse before it sends";
    for (query, among) in [
        ("", Some("2 orders among them")),
        ("&kind=order", Some("2 orders among them")),
        ("&reason=outcome_unknown", Some("1 order among them")),
        ("&reason=address_incomplete", None),
        ("&kind=product", None),
    ] {
        let shown = text(&session, &format!("/tasks?state=dead{query}")).await;
        let expected = among.map(|among| format!("{among} {says}"));
        assert_eq!(shown.contains(says), expected.is_some(), "{query}: {shown}");
        assert!(expected.is_none_or(|expected| shown.contains(&expected)), "{query}: {shown}");
    }
    let cause = "/attention/cause?connection=shop&kind=order&reason=outcome_unknown";
    assert!(text(&session, cause).await.contains("1 order among them may have reached the vendor"));
}
