//! The list of orders: its filters, its search, and pages in every sorting.

use serde_json::{Value, json};
use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestSilta, secs};

const DAY: u64 = 24 * 3600;

/// Five orders, a day apart, with totals, methods and codes of their own; 1005 was not read yet.
async fn start_with_five_orders() -> TestSilta {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    silta.warehouse.receive_goods("A", 9);
    let orders = [
        (OrderSpec::of("A", 1), "5.00"),
        (OrderSpec::of("Cup-1", 1).unpaid(), "200.00"),
        (OrderSpec::of("cup-1", 2).unpaid().with_shipping_method(2, None), "30.50"),
        (OrderSpec::of("B", 1).unpaid(), "?"),
    ];
    for (spec, total) in orders {
        silta.place_order(spec.with_json(json!({ "total": total }))).await;
        silta.clock.advance(secs(DAY));
    }
    let unread = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(unread)).await;
    silta
}

async fn page(silta: &TestSilta, query: &str) -> (Vec<String>, Value) {
    let answer = silta.api.get(&format!("/admin/v1/orders?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    let ids = answer.items().iter().map(|row| row["order_id"].as_str().unwrap()[2..].to_owned());
    (ids.collect(), answer.body["next"].clone())
}

/// The last two digits of each order's number.
async fn listed(silta: &TestSilta, query: &str) -> String {
    page(silta, query).await.0.join(" ")
}

#[tokio::test]
async fn each_filter_finds_its_orders_and_no_others() {
    let silta = start_with_five_orders().await;
    let day = |days: u64| (silta.now() - chrono::Duration::days(i64::try_from(days).unwrap())).date_naive();
    let (second, third) = (day(3), day(2));
    for (query, expected) in [
        ("", "05 04 03 02 01"),
        ("connection=shop", "05 04 03 02 01"),
        ("connection=other", ""),
        ("status=not_transferred", "05 04 03 02"),
        ("status=waiting_for_collection", "01"),
        ("shipping_method=Nouto%20Postista", "03"),
        ("shipping_method=Posti%20Paketti&status=not_transferred", "04 02"),
        (&format!("placed_from={second}&placed_to={third}"), "03 02"),
        (&format!("placed_to={second}"), "02 01"),
        (&format!("placed_to={second}&sort=oldest"), "01 02"),
        (&format!("placed_from={second}&sort=total"), "02 03 04"),
        ("waits_hours=60", "02 01"),
        ("waits_hours=40&status=not_transferred&sort=oldest", "02 03"),
        ("reason=not_paid", "03 02"),
        ("reason=not_paid&sort=total", "02 03"),
        ("waiting=true", ""),
        ("waiting=false&status=waiting_for_collection", "01"),
    ] {
        assert_eq!(listed(&silta, query).await, expected, "{query}");
    }
    for query in ["sort=best", "placed_from=30.11.2026", "placed_to=9999-01-01", "waits_hours=-1", "cursor=x"]
    {
        assert_eq!(silta.api.get(&format!("/admin/v1/orders?{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn search_finds_numbers_references_tracking_and_product_codes() {
    let silta = start_with_five_orders().await;
    silta.warehouse.ship_order("shop-1001");
    silta.send_webhook(silta.warehouse.order_shipped("shop-1001")).await;
    silta.worker.run_until_idle().await.unwrap();
    let tracking = silta.show_order(1001).await["tracking_code"].as_str().unwrap().to_lowercase();
    for (query, expected) in [
        ("q=100", "05 04 03 02 01"),
        ("q=1003", "03"),
        ("q=03", ""),
        ("q=shop-10", "05 01"),
        ("q=SHOP-1001", "01"),
        (&*format!("q={}", &tracking[..tracking.len() - 1]), "01"),
        ("q=CUP-1", "03 02"),
        ("q=cup-1&sort=oldest", "02 03"),
        ("q=cup-1&shipping_method=Nouto%20Postista", "03"),
        ("q=cup", ""),
        ("q=100&reason=not_paid", "03 02"),
        ("q=%25", ""),
        ("q=%20", "05 04 03 02 01"),
    ] {
        assert_eq!(listed(&silta, query).await, expected, "{query}");
    }
}

/// Pages of one and of two rows show every order once, whatever the list is sorted by.
#[tokio::test]
async fn pages_show_each_order_once_in_every_sorting() {
    let silta = start_with_five_orders().await;
    let from = (silta.now() - chrono::Duration::days(9)).date_naive();
    for (query, expected) in [
        ("sort=newest".to_owned(), "05 04 03 02 01"),
        ("sort=oldest".to_owned(), "01 02 03 04 05"),
        ("sort=last_change".to_owned(), "05 04 03 02 01"),
        ("sort=total".to_owned(), "02 03 01 05 04"),
        (format!("sort=newest&placed_from={from}"), "04 03 02 01"),
        ("sort=newest&q=100".to_owned(), "05 04 03 02 01"),
        ("sort=total&q=cup-1".to_owned(), "02 03"),
        ("sort=oldest&q=cup-1".to_owned(), "02 03"),
    ] {
        for limit in [1, 2] {
            let (mut shown, mut cursor) = (Vec::new(), String::new());
            loop {
                let (ids, next) = page(&silta, &format!("{query}&limit={limit}{cursor}")).await;
                shown.extend(ids);
                let Some(next) = next.as_str() else { break };
                cursor = format!("&cursor={}", next.replace('+', "%2B"));
            }
            assert_eq!(shown.join(" "), expected, "{query} by {limit}");
        }
    }
}

/// A change of what people see moves an order to the top; a read that shows the same does not.
#[tokio::test]
async fn last_change_is_when_something_changed_and_not_when_it_was_read() {
    let silta = start_with_five_orders().await;
    silta.post_order_action(1002, "refresh").await;
    assert_eq!(&listed(&silta, "sort=last_change").await[3..], "04 03 02 01");
    silta.shop.edit_order(1001, &json!({ "total": "6.00" }));
    silta.send_order_update(1001).await;
    assert!(listed(&silta, "sort=last_change").await.starts_with("01 "));
}
