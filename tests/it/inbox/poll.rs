//! Polls: what no webhook reported is found in the vendors' lists.

use silta::dev::sandbox::{Fault, OrderSpec};
use tokio_util::sync::CancellationToken;

use crate::harness::{CONNECTION, TestSilta, secs, wait_until};

#[tokio::test]
async fn poll_finds_orders_products_and_stock_without_webhooks() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    silta.clock.advance(secs(3600));
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 9);
    silta.shop.place_order(OrderSpec::of("A", 1));
    assert_eq!(silta.poll().await, 3, "an order, a product, a stock figure");
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
    assert!(silta.warehouse.product("A").is_some());

    silta.clock.advance(secs(3600));
    silta.warehouse.ship_order("shop-1001");
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.lost_and_doubled(), (0, 0));
    assert_eq!(silta.shop.order(1001).unwrap().status, "COMPLETED");
    assert_eq!(silta.shop.quantity("A"), silta.warehouse.available("A"));
}

#[tokio::test]
async fn overlapping_polls_skip_what_was_already_read() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.clock.advance(secs(10)); // it is read clearly later than it was placed
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    silta.poll().await;
    assert_eq!(silta.count("event where topic = 'polled.orders'").await, 0);
    silta.run_until_idle().await;
    // What the warehouse shows was read in the second of its change, and is read once more.
    for _ in 0..2 {
        silta.clock.advance(secs(900));
        silta.poll().await;
        silta.run_until_idle().await;
    }
    for _ in 0..3 {
        silta.clock.advance(secs(900));
        assert_eq!(silta.poll().await, 0);
    }
}

#[tokio::test]
async fn failed_poll_restarts_at_the_same_cursor() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    silta.clock.advance(secs(3600));
    silta.shop.place_order(OrderSpec::of("A", 1));
    let cursor = "select cursor from poll where what = 'orders'";
    let before: silta::domain::Timestamp = silta.scalar(cursor).await;
    silta.sandbox.shop_server.faults.script("GET", "/api/v0/orders", Fault::Status(503));
    silta.poll().await;
    assert_eq!(silta.scalar::<silta::domain::Timestamp>(cursor).await, before);
    let error: Option<String> = silta.scalar("select last_error from poll where what = 'orders'").await;
    assert_eq!(error.as_deref(), Some("vendor_failed"));

    silta.clock.advance(secs(31));
    assert_eq!(silta.poll().await, 1);
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn list_of_many_pages_is_read_completely() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    silta.clock.advance(secs(3600));
    for _ in 0..230 {
        silta.shop.place_order(OrderSpec::of("A", 1).unpaid());
    }
    assert_eq!(silta.poll().await, 230);
    silta.run_until_idle().await;
    assert_eq!(silta.count("task where reason = 'not_paid'").await, 230);
}

#[tokio::test]
async fn orders_before_the_connection_are_not_imported() {
    let silta = TestSilta::start().await;
    silta.shop.place_order(OrderSpec::of("A", 1));
    silta.clock.advance(secs(86_400));
    sqlx::query("delete from poll").execute(&silta.pool).await.unwrap();
    silta.poller.prepare().await.unwrap();
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.orders().len(), 0);
}

#[tokio::test]
async fn one_replica_polls_a_list_and_another_takes_over() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    silta.clock.advance(secs(900));
    let call_count = || silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/stock");
    let before = call_count();
    silta.sandbox.warehouse_server.faults.script("GET", "/api/v1/stock", Fault::Hang);
    let hanging = silta.poller.poll_due();
    tokio::select! {
        _ = hanging => panic!("it should hang"),
        () = wait_until("it hangs", async || call_count() == before + 1) => {}
    }
    // The other lists are polled meanwhile; after ten minutes any replica may take this one.
    silta.poll().await;
    assert_eq!(call_count(), before + 1);
    silta.clock.advance(secs(601));
    silta.poll().await;
    assert_eq!(call_count(), before + 2);
}

#[tokio::test]
async fn poll_of_a_dead_process_restarts_after_its_lease() {
    use silta::store::{
        poll_gaps::GapChanges,
        polls::{self, ConfiguredPoll, EndedPoll, PollResult},
    };

    let silta = TestSilta::start().await;
    silta.clock.advance(secs(600));
    silta.shop.place_order(OrderSpec::of("A", 1)); // without a webhook
    let mut db = silta.pool.acquire().await.unwrap();
    let until = silta.now() + secs(60);
    let configured =
        ConfiguredPoll { connection: CONNECTION.to_owned(), what: "orders", interval: secs(900) };
    let configured =
        ["orders", "products", "statuses", "stock"].map(|what| ConfiguredPoll { what, ..configured.clone() });
    let mut expired = Vec::new();
    let claim_id = |count: usize| uuid::Uuid::from_u128(count as u128 + 1);
    for limit in [3, 5] {
        let claim_id = claim_id(expired.len());
        expired.extend(
            polls::claim_due(&mut db, claim_id, (&configured, limit), silta.now(), until).await.unwrap(),
        );
        assert_eq!(expired.len(), limit.min(4));
    }
    silta.clock.advance(secs(59));
    assert_eq!(silta.poll().await, 0, "the leases are still valid");
    silta.clock.advance(secs(2));
    assert_eq!(silta.poll().await, 1, "the order");
    for leased in &expired {
        let renewed = polls::extend_lease(&mut db, leased, silta.now() + secs(60)).await.unwrap();
        assert_eq!(renewed, silta::store::tasks::Fenced::LeaseLost, "the old holder is refused");
    }
    let later = silta.now() + secs(86_400);
    let end = |leased| EndedPoll {
        leased,
        result: PollResult {
            cursor: later,
            found: 7,
            error: None,
            due_at: later,
            gaps: GapChanges::default(),
        },
    };
    let ended: Vec<_> = expired.into_iter().map(end).collect();
    polls::settle(&mut db, &ended, silta.now()).await.unwrap();
    assert_eq!(silta.count("poll where found >= 7").await, 0);
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.orders().len(), 1);
}

#[tokio::test]
async fn hanging_vendor_does_not_delay_polls_of_other_stores() {
    let mut silta = TestSilta::start().await;
    let (app, other) = silta.start_second_store().await;
    app.poller.poll_due().await.unwrap();
    silta.clock.advance(secs(3600));
    other.shop.place_order(OrderSpec::of("A", 1)); // without a webhook
    for server in [&silta.sandbox.shop_server, &silta.sandbox.warehouse_server] {
        for _ in 0..2 {
            server.faults.script("GET", "/", Fault::Hang);
        }
    }
    // The other store's turn comes when all four polls of this one hang.
    let hour = "update poll set due_at = due_at + $1 * interval '1 hour' where connection = 'other'";
    let set_back = async |hours: i32| sqlx::query(hour).bind(hours).execute(&silta.pool).await.unwrap();
    set_back(10).await;
    let hang_count =
        async || silta.count("poll where connection = 'shop' and leased_until is not null").await;
    let found =
        async || silta.count("event where connection = 'other' and subject = 'order:1001'").await == 1;
    let soft = CancellationToken::new();
    tokio::select! {
        () = app.poller.run(soft.clone()) => panic!("it was not stopped"),
        () = async {
            wait_until("this store's polls hang", async || hang_count().await == 4).await;
            set_back(-10).await;
            wait_until("the other store's order is found", found).await;
        } => {}
    }
    assert_eq!(hang_count().await, 4, "all four polls of this store still hang");
    silta.leave_unfinished();
}
