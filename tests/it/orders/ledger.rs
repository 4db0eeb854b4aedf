//! The ledger: no clock, lost answer, lagging search, changed configuration or forgetful poll places, completes or cancels
//! an order twice, and what a person says counts.

use std::sync::Arc;

use serde_json::json;
use silta::{
    app::{PrepareError, config::Config},
    dev::sandbox::{Fault, OrderSpec},
    runtime::clock::OffsetClock,
};

use super::placed::{REFERENCE, poll_and_run, start_with_order};
use crate::harness::{TestOptions, TestSilta, configuration, secs};

const POST_ORDER: (&str, &str) = ("POST", "/api/v1/orders");

fn posts(silta: &TestSilta) -> usize {
    silta.sandbox.warehouse_server.calls.count(POST_ORDER.0, POST_ORDER.1)
}

/// Runs what is due in both processes by turns, a second at a time.
async fn run_by_turns(silta: &TestSilta, other: &silta::worker::Worker, seconds: usize) {
    for second in 0..seconds {
        silta.clock.advance(secs(1));
        if second % 2 == 0 {
            other.run_until_idle().await.unwrap();
        } else {
            silta.run_until_idle().await;
        }
    }
}

#[tokio::test]
async fn replicas_with_different_clocks_place_one_parcel() {
    for ahead in [-3600, -15, 15, 3600] {
        let silta = TestSilta::start().await;
        let clock = Arc::new(OffsetClock::of(silta.clock.clone()));
        clock.set(chrono::Duration::seconds(ahead));
        let other = silta.second_worker_under(clock.clone());
        // The other process sees the order first, and writes what it saw under its own clock.
        let order = silta.shop.place_order(OrderSpec::of("A", 1).unpaid());
        silta.send_webhook(silta.shop.order_created(order)).await;
        run_by_turns(&silta, &other, 20).await;
        silta.shop.mark_paid(order);
        silta.clock.advance(secs(61));
        silta.send_webhook(silta.shop.order_updated(order)).await;
        silta.run_until_idle().await;
        for _ in 0..3 {
            silta.clock.advance(secs(61));
            silta.send_webhook(silta.shop.order_updated(order)).await;
            run_by_turns(&silta, &other, 10).await;
        }
        assert_eq!((posts(&silta), silta.warehouse_count(order)), (1, 1), "{ahead} s ahead");
        silta.clock.advance(secs(7200));
        run_by_turns(&silta, &other, 4).await;
        assert_eq!(silta.order_task_state(order).await, "done", "{ahead} s ahead");
    }
}

#[tokio::test]
async fn lost_answer_under_two_clocks_places_one_parcel() {
    for ahead in [-3600, -15, 15, 3600] {
        let silta = TestSilta::start().await;
        let clock = Arc::new(OffsetClock::of(silta.clock.clone()));
        let other = silta.second_worker_under(clock.clone());
        silta.warehouse.delay_search(secs(15));
        silta.sandbox.warehouse_server.faults.script(POST_ORDER.0, POST_ORDER.1, Fault::DropAfter);
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
        silta.run_until_idle().await;
        assert_eq!(silta.order_task_state(order).await, "in_doubt answer_lost");
        clock.set(chrono::Duration::seconds(ahead));
        run_by_turns(&silta, &other, 30).await;
        clock.set(chrono::Duration::zero()); // and a step back
        run_by_turns(&silta, &other, 60).await;
        silta.advance(secs(7200)).await;
        assert_eq!((posts(&silta), silta.warehouse_count(order)), (1, 1), "{ahead} s ahead");
        assert_eq!(silta.order_task_state(order).await, "done", "{ahead} s ahead");
    }
}

#[tokio::test]
async fn changed_prefix_leaves_open_orders_their_reference() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 10);
    let placed = silta.place_order(OrderSpec::of("A", 1)).await;
    silta.warehouse.delay_search(secs(15));
    silta.sandbox.warehouse_server.faults.script(POST_ORDER.0, POST_ORDER.1, Fault::DropAfter);
    let in_doubt = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.order_task_state(in_doubt).await, "in_doubt answer_lost");

    let renamed = silta.second_process(&[("orders.reference_prefix", "new-")]);
    renamed.prepare().await.unwrap();
    for _ in 0..8 {
        silta.clock.advance(secs(10));
        renamed.worker.run_until_idle().await.unwrap();
    }
    assert_eq!((posts(&silta), silta.warehouse_count(in_doubt)), (2, 1));
    silta.warehouse.ship_order(REFERENCE);
    silta.clock.advance(secs(3600));
    renamed.poller.poll_due().await.unwrap();
    renamed.worker.run_until_idle().await.unwrap();
    assert_eq!(
        silta.shop.order(placed).unwrap().shipments[0].completions,
        1,
        "found under its old reference"
    );

    silta.warehouse.delay_search(secs(0));
    let new = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(new)).await;
    renamed.worker.run_until_idle().await.unwrap();
    assert_eq!((silta.warehouse.count("new-1003"), silta.warehouse_count(new)), (1, 0));
}

#[tokio::test]
async fn two_stores_of_a_merchant_cannot_share_references() {
    let silta = TestSilta::start().await;
    let other = |prefix: &str, more: &str| {
        let twin = silta.sandbox.connection_toml("twin").replace("twin-", prefix);
        twin.replacen("name = \"twin\"", &format!("name = \"twin\"\n{more}"), 1)
    };
    let both = |prefix: &str| {
        Config::load(
            &(configuration(&silta.sandbox, &TestOptions::default()) + &other(prefix, "")),
            &std::collections::BTreeMap::new().into_iter().collect(),
        )
    };
    for prefix in ["shop-", "SHOP-", "shop-1"] {
        let errors =
            both(prefix).err().map(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>());
        let error = errors.unwrap_or_default().join(" ");
        assert!(error.contains("connections.twin.orders.reference_prefix"), "{prefix}: {error}");
    }
    assert!(both("twin-").is_ok());

    // Two processes, each with one store: the database knows both.
    let alone = |prefix: &str, more: &str| silta.process_of(&other(prefix, more));
    let refused = alone("shop-", "").prepare().await;
    assert!(matches!(refused, Err(PrepareError::PrefixTaken { .. })), "{refused:?}");
    alone("twin-", "").prepare().await.unwrap();
    alone("shop-", "replaces = \"shop\"").prepare().await.unwrap();
}

#[tokio::test]
async fn order_that_silta_did_not_send_is_left_to_a_person() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 50);
    silta.warehouse.add_foreign_order("shop-1001", "A", 5);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.order_task_state(order).await, "dead not_ours_at_warehouse");
    silta.warehouse.ship_order(REFERENCE);
    poll_and_run(&silta).await;
    assert_eq!(silta.order_task_state(order).await, "dead not_ours_at_warehouse");
    assert_eq!((posts(&silta), silta.shop.order(order).unwrap().shipments[0].completions), (0, 0));
    let shown = silta.show_order(order).await;
    assert_eq!(
        (shown["tracking_code"].as_str(), shown["placed_at"].as_str()),
        (None, None),
        "it is not ours"
    );

    assert_eq!(silta.post_order_action(order, "adopt").await, 201);
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].completions, 1, "a person has decided");
    let shown = silta.show_order(order).await;
    assert_eq!(shown["actions"][0]["kind"], "adopt");
}

#[tokio::test]
async fn older_order_with_our_reference_is_left_to_a_person() {
    let silta = TestSilta::start().await;
    silta.warehouse.add_foreign_order("shop-1001", "A", 1);
    silta.clock.advance(secs(2 * 3600));
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.order_task_state(order).await, "dead not_ours_at_warehouse");
}

#[tokio::test]
async fn word_of_an_operator_counts_in_every_later_poll_and_sync() {
    let silta = TestSilta::start().await;
    silta.warehouse.delay_search(secs(1_000_000));
    silta.sandbox.warehouse_server.faults.script(POST_ORDER.0, POST_ORDER.1, Fault::DropAfter);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    let task: uuid::Uuid = silta.scalar("select id from task where kind = 'order'").await;
    let path = format!("/admin/v1/tasks/{task}/resolve");
    assert_eq!(silta.api.post(&path, json!({ "as": "done" })).await.status, 200);
    for _ in 0..3 {
        silta.send_order_update(order).await;
        assert_eq!(silta.order_task_state(order).await, "skipped resolved_by_operator");
    }
    silta.clock.advance(secs(7200));
    silta.poll().await;
    silta.run_until_idle().await;
    let sync = silta.api.post("/admin/v1/syncs", json!({ "connection": "shop", "what": "orders" })).await;
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    let report = silta.api.get(&format!("/admin/v1/syncs/{}", sync.text("/id"))).await.body;
    assert_eq!((report["difference_count"].as_i64(), posts(&silta)), (Some(0), 1));
    let action = &silta.show_order(order).await["actions"][0];
    assert_eq!(
        (action["state"].as_str(), action["resolved_by"].as_str()),
        (Some("resolved_applied"), Some("ops"))
    );
}

#[tokio::test]
async fn vanished_order_is_placed_again_only_if_an_operator_says_so() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.delay_search(secs(100_000));
    silta.clock.advance(secs(3600));
    silta.post_order_action(order, "refresh").await;
    assert_eq!(silta.order_task_state(order).await, "dead vanished_at_warehouse");
    let dead: uuid::Uuid = silta.scalar("select id from task where state = 'dead'").await;
    let path = format!("/admin/v1/tasks/{dead}/resolve");
    assert_eq!(silta.api.post(&path, json!({ "as": "pending" })).await.status, 200);
    silta.run_until_idle().await;
    assert_eq!(posts(&silta), 2);
    silta.warehouse.delay_search(secs(0));
    silta.advance(secs(3600)).await;
}

#[tokio::test]
async fn reopened_order_is_not_completed_or_mailed_again() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    poll_and_run(&silta).await;
    assert_eq!(silta.shop.order(order).unwrap().status, "COMPLETED");
    silta.shop.reopen_order(order);
    let calls = silta.sandbox.shop_server.calls.count("POST", "/quick-process");
    for _ in 0..3 {
        silta.send_order_update(order).await;
        assert_eq!(silta.order_task_state(order).await, "skipped reopened_in_shop");
    }
    poll_and_run(&silta).await;
    assert_eq!(silta.sandbox.shop_server.calls.count("POST", "/quick-process"), calls);
    assert_eq!(silta.shop.order(order).unwrap().shipments[0].completions, 1);
}

#[tokio::test]
async fn unknown_completion_is_repeated_only_after_two_reads() {
    let (silta, order) = start_with_order(&[]).await;
    silta.warehouse.ship_order(REFERENCE);
    silta.sandbox.shop_server.faults.script("POST", "/quick-process", Fault::DropBefore);
    poll_and_run(&silta).await;
    assert_eq!(silta.order_task_state(order).await, "in_doubt answer_lost");
    silta.advance(secs(60)).await;
    let names: Vec<String> = sqlx::query_scalar(
        "select call ->> 'call' from attempt, jsonb_array_elements(calls) with ordinality as entry (call, position)
         where task_id in (select id from task where kind = 'order') order by started_at, attempt.number, position",
    )
    .fetch_all(&silta.pool)
    .await
    .unwrap();
    let at: Vec<_> = (0..names.len()).filter(|at| names[*at] == "quick_process").collect();
    let [first, second] = at[..] else { panic!("two completions in {names:?}") };
    let reads = names[first..second].iter().filter(|name| **name == "read_order").count();
    assert!(reads >= 2, "{names:?}");
}

#[tokio::test]
async fn edit_after_a_lost_answer_is_sent_or_reported() {
    let table = [
        ("true", false, "done"),
        ("false", false, "dead old_version_at_warehouse"),
        ("true", true, "done"),
        ("false", true, "dead old_version_at_warehouse"),
    ];
    for (edit, is_before_it_is_found, expected) in table {
        let silta = TestSilta::start_with_settings(&[("orders.edit", edit)]).await;
        silta.warehouse.allow_edits();
        silta.warehouse.receive_goods("A", 10);
        silta.sandbox.warehouse_server.faults.script(POST_ORDER.0, POST_ORDER.1, Fault::DropAfter);
        let order = silta.place_order(OrderSpec::of("A", 1)).await;
        if is_before_it_is_found {
            silta.shop.change_quantity(order, 3);
            silta.advance(secs(60)).await;
        } else {
            silta.advance(secs(60)).await;
            assert_eq!(silta.order_task_state(order).await, "done");
            silta.shop.change_quantity(order, 3);
            silta.send_order_update(order).await;
        }
        assert_eq!(silta.order_task_state(order).await, expected);
        let sent = silta.warehouse.find(REFERENCE).unwrap().lines[0].1;
        assert_eq!(sent, if edit == "true" { 3 } else { 1 });
    }
}

#[tokio::test]
async fn changed_configuration_is_no_edit_of_open_orders() {
    let (silta, order) = start_with_order(&[]).await;
    // What would be sent now differs in all of these; what the shop says does not.
    let settings = [
        ("orders.test", "true"),
        ("orders.comments", "true"),
        ("orders.unit_prices", "include_vat"),
        ("orders.edit", "true"),
    ];
    let changed = silta.second_process(&settings);
    changed.prepare().await.unwrap();
    silta.clock.advance(secs(61));
    silta.send_webhook(silta.shop.order_updated(order)).await;
    changed.worker.run_until_idle().await.unwrap();
    assert_eq!(silta.order_task_state(order).await, "done");
    assert_eq!(silta.count("action where kind = 'update'").await, 0);
}

#[tokio::test]
async fn second_cancellation_after_a_reopening_goes_too() {
    let (silta, order) = start_with_order(&[]).await;
    silta.shop.cancel_order(order);
    silta.send_order_update(order).await;
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().status, "Cancelled");
    silta.shop.reopen_order(order);
    silta.warehouse.set_status(REFERENCE, "New");
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "done");
    silta.clock.advance(secs(3600));
    silta.shop.cancel_order(order);
    silta.send_order_update(order).await;
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().status, "Cancelled");
    assert_eq!(silta.count("action where kind = 'cancel' and state = 'applied'").await, 2);
}

#[tokio::test]
async fn order_refunded_after_the_transfer_needs_attention() {
    let (silta, order) = start_with_order(&[]).await;
    silta.shop.edit_order(
        order,
        &json!({ "payments": [{ "status": "refunded", "is_paid": false, "amount": 10 }] }),
    );
    silta.send_order_update(order).await;
    assert_eq!(silta.order_task_state(order).await, "dead refunded_after_transfer");
    assert_eq!(silta.warehouse.find(REFERENCE).unwrap().status, "New", "a person decides");
}

#[tokio::test]
async fn order_is_begun_at_most_five_times_in_its_life() {
    let silta = TestSilta::start().await;
    silta.warehouse.delay_search(secs(10_000_000));
    for _ in 0..5 {
        silta.sandbox.warehouse_server.faults.script(POST_ORDER.0, POST_ORDER.1, Fault::DropBefore);
    }
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    for _ in 0..6 {
        silta.advance(secs(3600)).await;
        silta.post_order_action(order, "refresh").await;
    }
    silta.advance(secs(3600)).await;
    assert_eq!(silta.order_task_state(order).await, "dead repeated_too_often");
    assert_eq!(posts(&silta), 5);
    // Then a person says what happened, and it goes on.
    let dead: uuid::Uuid = silta.scalar("select id from task order by number desc limit 1").await;
    silta.warehouse.delay_search(secs(0));
    let resolved =
        silta.api.post(&format!("/admin/v1/tasks/{dead}/resolve"), json!({ "as": "pending" })).await;
    assert_eq!(resolved.status, 200);
    silta.run_until_idle().await;
    assert_eq!((silta.order_task_state(order).await.as_str(), silta.warehouse_count(order)), ("done", 1));
}
