//! Which changes a poll leaves alone: those that a read has covered, and no others.

use silta::{
    dev::sandbox::{Fault, OrderSpec},
    store::polled_changes::{ListedChanges, take_covered},
};

use crate::harness::{CONNECTION, TestSilta, secs};

#[tokio::test]
async fn order_paid_in_the_second_of_its_read_is_transferred() {
    let silta = TestSilta::start().await;
    let order = silta.place_order(OrderSpec::of("A", 1).unpaid()).await;
    assert_eq!(silta.order_task_state(order).await, "skipped not_paid");
    silta.shop.mark_paid(order); // in the same second, without a webhook
    silta.clock.advance(secs(300));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(order), 1);
}

#[tokio::test]
async fn covered_version_is_not_read_again() {
    let silta = TestSilta::start().await;
    let order = silta.place_order(OrderSpec::of("A", 1).unpaid()).await;
    let reads = || silta.sandbox.shop_server.calls.count("GET", &format!("/api/v0/orders/{order}"));
    assert_eq!(reads(), 1);
    for _ in 0..5 {
        silta.clock.advance(secs(300));
        silta.poll().await;
        silta.run_until_idle().await;
    }
    assert_eq!(reads(), 2, "once more, clearly later than the change");
    assert_eq!(silta.count("polled_change").await, 0);
}

#[tokio::test]
async fn vendor_without_a_date_is_asked_a_bounded_number_of_times() {
    let silta = TestSilta::start().await;
    silta.shop.hide_date();
    let order = silta.place_order(OrderSpec::of("A", 1).unpaid()).await;
    let reads = || silta.sandbox.shop_server.calls.count("GET", &format!("/api/v0/orders/{order}"));
    for _ in 0..10 {
        silta.clock.advance(secs(300));
        silta.poll().await;
        silta.run_until_idle().await;
    }
    assert_eq!(reads(), 5, "by its webhook, and by four polls");
    silta.shop.mark_paid(order);
    silta.clock.advance(secs(300));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(order), 1);
}

#[tokio::test]
async fn order_answered_404_while_it_is_listed_is_transferred() {
    let silta = TestSilta::start().await;
    silta.clock.advance(secs(60));
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.poll().await;
    silta.sandbox.shop_server.faults.script("GET", &format!("/orders/{order}"), Fault::Status(404));
    silta.run_until_idle().await;
    assert_eq!(silta.order_task_state(order).await, "pending gone_from_shop");
    silta.advance(secs(60)).await;
    assert_eq!(silta.warehouse_count(order), 1);
}

#[tokio::test]
async fn order_answered_404_before_it_is_listed_is_opened_again() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.sandbox.shop_server.faults.script("GET", &format!("/orders/{order}"), Fault::Status(404));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.order_task_state(order).await, "skipped unknown_in_shop");
    silta.clock.advance(secs(6));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(order), 1);
}

#[tokio::test]
async fn order_that_stays_404_ends_with_a_person() {
    let silta = TestSilta::start().await;
    let order = silta.place_order(OrderSpec::of("A", 1).unpaid()).await;
    for _ in 0..6 {
        silta.sandbox.shop_server.faults.script("GET", &format!("/orders/{order}"), Fault::Status(404));
    }
    silta.send_order_update(order).await;
    silta.advance(secs(3600)).await;
    assert_eq!(silta.order_task_state(order).await, "dead gone_from_shop");
}

#[tokio::test]
async fn product_answered_404_is_gone_only_if_the_list_says_so() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "Kahvi", 0);
    silta.send_webhook(silta.shop.product_updated(1)).await;
    silta.run_until_idle().await;
    silta.clock.advance(secs(60));
    silta.shop.rename_product(1, "Kahvi, jauhettu");
    silta.sandbox.shop_server.faults.script("GET", "/products/1", Fault::Status(404));
    silta.send_webhook(silta.shop.product_updated(1)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.count("item").await, 1, "its code is not given up");
    silta.advance(secs(60)).await;
    assert_eq!(silta.warehouse.product("A").unwrap()["name"], "Kahvi, jauhettu");

    silta.shop.remove_product(1);
    silta.clock.advance(secs(60));
    silta.send_webhook(silta.shop.product_updated(1)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.count("item").await, 0);
}

#[tokio::test]
async fn stock_answered_404_for_a_moment_is_read_again() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "Kahvi", 0);
    silta.warehouse.receive_goods("A", 5);
    // Else the poll would find the product new, and its stock with it.
    silta.send_webhook(silta.shop.product_updated(1)).await;
    silta.run_until_idle().await;
    silta.send_stock_update("A").await;
    silta.clock.advance(secs(600));
    silta.warehouse.receive_goods("A", 2);
    silta.clock.advance(secs(60));
    silta.sandbox.shop_server.faults.script("GET", "/stock/A", Fault::Status(404));
    silta.send_stock_update("A").await;
    assert_eq!(silta.shop.quantity("A"), Some(5));
    silta.clock.advance(secs(900));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity("A"), Some(7));
}

#[tokio::test]
async fn clock_ahead_of_the_vendors_skips_no_change() {
    let silta = TestSilta::start_with_settings(&[("orders.not_before", "2026-09-01")]).await;
    silta.shop.set_clock_ahead(-3600);
    let first = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(first), 1, "a new cursor begins by the vendor's clock");
    for _ in 0..3 {
        silta.clock.advance(secs(600));
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.poll().await;
        silta.run_until_idle().await;
        assert_eq!(silta.warehouse_count(order), 1);
    }
}

#[tokio::test]
async fn row_dated_a_year_ahead_does_not_move_the_cursor_there() {
    let silta = TestSilta::start().await;
    silta.clock.advance(secs(60));
    let in_a_year = (silta.now() + chrono::Duration::days(365)).to_rfc3339();
    let spec = OrderSpec::of("A", 1).with_json(serde_json::json!({ "updated_at": in_a_year }));
    let odd = silta.shop.place_order(spec);
    silta.poll().await;
    silta.run_until_idle().await;
    silta.clock.advance(secs(3600));
    let next = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.clock.advance(secs(3 * 3600)); // longer than a poll goes back because of a cursor that is ahead
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse_count(odd), silta.warehouse_count(next)), (1, 1));
}

/// Polls that ask together share a statement: each answer is its own list's, and only what is covered is no longer counted.
#[tokio::test]
async fn changes_of_several_lists_are_kept_apart() {
    let silta = TestSilta::start().await;
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    let known = format!("order:{order}");
    let version: String = silta
        .scalar_text(&format!("select shop_version from subject_state where subject = '{known}' limit 1"))
        .await;
    let listed = |connection: &str, what: &str, changes: &[(&str, &str)]| ListedChanges {
        connection: connection.to_owned(),
        what: what.to_owned(),
        subjects: changes.iter().map(|(subject, _)| (*subject).to_owned()).collect(),
        versions: changes.iter().map(|(_, version)| (*version).to_owned()).collect(),
    };
    for (what, subject) in [("orders", &*known), ("orders", "order:1"), ("statuses", &*known)] {
        let insert = "insert into polled_change (connection, what, subject, version, counted_at)
                      values ($1, $2, $3, '', now())";
        let row = sqlx::query(insert).bind(CONNECTION).bind(what).bind(subject);
        row.execute(&silta.pool).await.unwrap();
    }
    let asked = [
        listed(CONNECTION, "orders", &[("order:1", &version), (&known, &version)]),
        listed(CONNECTION, "products", &[]),
        listed(CONNECTION, "statuses", &[(&known, "another version")]),
        listed("another-store", "orders", &[(&known, &version)]),
    ];
    let covered = take_covered(&mut silta.pool.acquire().await.unwrap(), &asked).await.unwrap();
    assert_eq!(covered, [vec![false, true], vec![], vec![false], vec![false]]);
    let left: Vec<(String, String)> =
        sqlx::query_as("select what, subject from polled_change order by what, subject")
            .fetch_all(&silta.pool)
            .await
            .unwrap();
    let expected = [("orders", "order:1"), ("statuses", &known)];
    assert_eq!(left, expected.map(|(what, subject)| (what.to_owned(), subject.to_owned())));
}
