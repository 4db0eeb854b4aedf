//! What is observed of an order beside its status: lines, total, shipping method, pickup point, and when it was placed.

use serde_json::{Value, json};
use silta::{dev::sandbox::OrderSpec, domain::Timestamp};

use crate::{
    harness::{TestOptions, TestSilta, VIEWER, answer},
    orders::placed::{REFERENCE, poll_and_run, start_with_order},
};

const GIFT_CARDS: &str = "[connections.products]\nnot_packed = [\"GIFT*\"]\n";

/// Lines as the shop writes them: code, name, variation, pieces.
fn lines(of: &[(&str, &str, Option<&str>, i64)]) -> Value {
    let line = |(code, name, model, pieces): &(&str, &str, Option<&str>, i64)| {
        json!({
            "product_code": code, "product_name": name, "model_name": model, "quantity": pieces, "download_id": null,
        })
    };
    json!({ "products": of.iter().map(line).collect::<Vec<_>>() })
}

/// Code, name, quantity, who ships it, shipped and returned of each line.
async fn shown_lines(silta: &TestSilta, order: u64) -> Value {
    let shown = silta.show_order(order).await;
    let rows = shown["lines"].as_array().unwrap().iter();
    rows.map(|it| json!([it["code"], it["quantity"], it["shipped_by"], it["shipped"], it["returned"]]))
        .collect()
}

#[tokio::test]
async fn order_shows_its_lines_total_method_and_when_it_was_placed() {
    let silta = TestSilta::start_with(TestOptions { connection: GIFT_CARDS, service: "" }).await;
    silta.warehouse.receive_goods("A", 9);
    let ordered = [("A", "Bottle", Some("black"), 3), ("GIFT-50", "Gift card", None, 1)];
    let spec = OrderSpec::of("A", 3).with_json(lines(&ordered)).with_shipping_method(1, Some("PP-77"));
    let placed = silta.now();
    let order = silta.place_order(spec).await;

    let shown = silta.show_order(order).await;
    let at = shown["ordered_at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert_eq!(at.timestamp(), placed.timestamp());
    for (key, expected) in [
        ("total", json!("19.90")),
        ("currency", json!("EUR")),
        ("shipping_method", json!("Posti Paketti")),
        ("shipping_code", json!("POSTI-14")),
        ("shipping_mapping", json!("mapped")),
        ("warehouse_shipping", json!("Posti Parcel")),
        ("pickup_point", json!("PP-77")),
        ("line_count", json!(2)),
        ("pieces", json!("4")),
    ] {
        assert_eq!(shown[key], expected, "{key}");
    }
    assert_eq!(shown["lines"][0]["name"], "Bottle, black");
    let expected = json!([["A", "3", "warehouse", "0", "0"], ["GIFT-50", "1", "nobody", null, "0"]]);
    assert_eq!(shown_lines(&silta, order).await, expected);

    let unmapped = silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    let shown = silta.show_order(unmapped).await;
    assert_eq!(
        (&shown["shipping_mapping"], &shown["warehouse_shipping"]),
        (&json!("unmapped"), &Value::Null)
    );
    assert_eq!((&shown["shipping_method"], &shown["pickup_point"]), (&json!("Lentokone"), &Value::Null));
}

/// A value that cannot be read is neither zero nor none: what was known stays.
#[tokio::test]
async fn unreadable_value_keeps_what_was_known_of_an_order() {
    let silta = TestSilta::start().await;
    let spec = OrderSpec::of("A", 2).unpaid().with_line("B", 1).with_shipping_method(1, Some("PP-77"));
    let order = silta.place_order(spec).await;
    let before = silta.show_order(order).await;
    let unreadable = json!({
        "total": { "amount": 5 }, "created_at": "yesterday", "shipping_method_id": { "id": 3 },
        "products": [{ "product_code": "A", "quantity": "many" }],
        "shipments": [{ "id": 1, "status": "OPEN", "external_pickup_point_id": { "id": 5 } }],
    });
    silta.shop.edit_order(order, &unreadable);
    silta.send_order_update(order).await;
    let after = silta.show_order(order).await;
    assert_ne!(before["updated_at"], after["updated_at"]);
    for key in ["ordered_at", "total", "shipping_method", "pickup_point", "line_count", "pieces", "lines"] {
        assert_eq!((key, &before[key]), (key, &after[key]));
        assert!(!after[key].is_null(), "{key}");
    }
    let unread = silta.place_order(OrderSpec::of("A", 1).unpaid().with_json(unreadable)).await;
    let shown = silta.show_order(unread).await;
    for key in ["ordered_at", "total", "shipping_method", "pickup_point", "line_count", "pieces"] {
        assert_eq!((key, &shown[key]), (key, &Value::Null));
    }
    assert_eq!(shown["lines"], json!([]));
}

#[tokio::test]
async fn each_line_shows_what_has_left_and_what_came_back() {
    let (silta, order) = start_with_order(&[]).await;
    let with = |a: [&str; 2], b: [&str; 2]| {
        json!([["A", "1", "warehouse", a[0], a[1]], ["B", "2", "warehouse", b[0], b[1]]])
    };
    assert_eq!(shown_lines(&silta, order).await, with(["0", "0"], ["0", "0"]));
    silta.warehouse.split_order(REFERENCE, "B");
    silta.warehouse.ship_order(REFERENCE);
    poll_and_run(&silta).await;
    assert_eq!(shown_lines(&silta, order).await, with(["1", "0"], ["0", "0"]), "one of two parcels");
    silta.shop.book_return(order, "A", 1);
    silta.send_order_update(order).await;
    let shown = shown_lines(&silta, order).await;
    assert_eq!(shown[0], json!(["A", "1", "warehouse", "1", "1"]));
    assert_eq!(shown[2][1], "-1", "the row of the return: {shown}");
    let row = silta.show_order(order).await;
    assert_eq!((&row["line_count"], &row["pieces"]), (&json!(2), &json!("3")), "only what is ordered counts");
}

/// The rows of lines are written only where a line is another one; what the shopper took out goes.
#[tokio::test]
async fn lines_are_written_only_where_they_changed() {
    let silta = TestSilta::start().await;
    let order = silta.place_order(OrderSpec::of("A", 2).unpaid().with_line("B", 1).with_line("C", 1)).await;
    let versions = async || -> Vec<(i32, String)> {
        let sql = "select position, ctid::text || xmax::text from order_line order by position";
        sqlx::query_as(sql).fetch_all(&silta.pool).await.unwrap()
    };
    let changed_at = async || silta.show_order(order).await["changed_at"].clone();
    let (first, at_first) = (versions().await, changed_at().await);
    silta.send_order_update(order).await;
    assert_eq!(
        (versions().await, changed_at().await),
        (first.clone(), at_first.clone()),
        "nothing is written or locked"
    );
    let edited = lines(&[("A", "Bottle", None, 2), ("B", "Cup", None, 4)]);
    silta.shop.edit_order(order, &edited);
    silta.send_order_update(order).await;
    let second = versions().await;
    assert_eq!(second.len(), 2);
    assert!(second[0] != first[0] && second[1] != first[1], "{first:?} {second:?}");
    assert_ne!(changed_at().await, at_first);
    assert_eq!(silta.show_order(order).await["pieces"], "6");
}

#[tokio::test]
async fn erasure_removes_names_of_lines_and_the_pickup_point() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 5);
    let spec = OrderSpec::of("A", 1).with_json(lines(&[("A", "Bottle for Aino", None, 1)]));
    let order = silta.place_order(spec.with_shipping_method(1, Some("PP-77"))).await;
    assert_eq!(silta.show_order(order).await["lines"][0]["name"], "Bottle for Aino");
    assert_eq!(silta.post_order_action(order, "erase").await, 200);
    let shown = silta.show_order(order).await;
    assert_eq!((&shown["lines"][0]["name"], &shown["pickup_point"]), (&Value::Null, &Value::Null));
    assert_eq!(shown["lines"][0]["code"], "A", "codes and counts stay");
    assert_eq!(silta.count("subject_state where pickup_point is not null").await, 0);
}

#[tokio::test]
async fn viewer_sees_codes_and_counts_of_lines_and_no_words() {
    let silta = TestSilta::start().await;
    let named = lines(&[("A-1", "Bottle for Aino", None, 1), ("For Aino", "Cup", None, 2)]);
    let spec = OrderSpec::of("A-1", 1).unpaid().with_json(named);
    let order = silta.place_order(spec.with_shipping_method(1, Some("Kioski, Salakatu 7"))).await;
    let read = async |path: &str| {
        let request = silta.api.request(reqwest::Method::GET, &format!("/admin/v1/{path}"));
        answer(request.bearer_auth(VIEWER)).await.body
    };
    let shown = read(&format!("orders/shop/{order}")).await;
    assert_eq!((&shown["lines"][0]["code"], &shown["lines"][0]["quantity"]), (&json!("A-1"), &json!("1")));
    assert_eq!((&shown["total"], &shown["shipping_method"]), (&json!("19.90"), &json!("Posti Paketti")));
    let listed = read("orders").await;
    for text in [shown.to_string(), listed.to_string()] {
        for words in ["Aino", "Cup", "Salakatu"] {
            assert!(!text.contains(words), "{words}: {text}");
        }
    }
}
