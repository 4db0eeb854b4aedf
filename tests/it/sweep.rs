//! The second door: what no webhook told.

use silta::dev::sandbox::{Fault, OrderSpec};
use tokio_util::sync::CancellationToken;

use crate::harness::{TestSilta, secs, until};

#[tokio::test]
async fn orders_products_and_stock_that_no_webhook_told_are_found() {
    let silta = TestSilta::start().await;
    silta.sweep().await;
    silta.clock.advance(secs(3600));
    silta.shop.lists_product(1, "A", "A", 0);
    silta.warehouse.receives_goods("A", 9);
    silta.shop.takes_order(OrderSpec::of("A", 1));
    assert_eq!(silta.sweep().await, 3, "an order, a product, a stock figure");
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
    assert!(silta.warehouse.product("A").is_some());

    silta.clock.advance(secs(3600));
    silta.warehouse.ships("shop-1001");
    silta.sweep().await;
    silta.run_until_idle().await;
    assert_eq!(silta.lost_and_doubled(), (0, 0));
    assert_eq!(silta.shop.order(1001).unwrap().status, "COMPLETED");
    assert_eq!(silta.shop.quantity("A"), silta.warehouse.available("A"));
}

#[tokio::test]
async fn what_was_read_already_is_passed_by_though_sweeps_overlap() {
    let silta = TestSilta::start().await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    let found_by_sweep = silta.sweep().await;
    silta.run_until_idle().await;
    let events = silta.count("event where source = 'sweep' and subject = 'order:1001'").await;
    assert_eq!(events, 0, "{found_by_sweep}");
    silta.clock.advance(secs(600));
    silta.sweep().await;
    silta.run_until_idle().await;
    silta.clock.advance(secs(60));
    assert_eq!(silta.sweep().await, 0);
}

#[tokio::test]
async fn a_sweep_that_breaks_off_begins_again_where_it_began() {
    let silta = TestSilta::start().await;
    silta.sweep().await;
    silta.clock.advance(secs(3600));
    silta.shop.takes_order(OrderSpec::of("A", 1));
    let cursor = "select cursor from sweep where what = 'orders'";
    let before: silta::domain::Timestamp = silta.scalar(cursor).await;
    silta.sandbox.shop_server.faults.script("GET", "/api/v0/orders", Fault::Status(503));
    silta.sweep().await;
    assert_eq!(silta.scalar::<silta::domain::Timestamp>(cursor).await, before);
    let error: Option<String> = silta.scalar("select last_error from sweep where what = 'orders'").await;
    assert_eq!(error.as_deref(), Some("system_failed"));

    silta.clock.advance(secs(31));
    assert_eq!(silta.sweep().await, 1);
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn a_list_of_many_pages_is_read_to_its_end() {
    let silta = TestSilta::start().await;
    silta.sweep().await;
    silta.clock.advance(secs(3600));
    for _ in 0..230 {
        silta.shop.takes_order(OrderSpec::of("A", 1).unpaid());
    }
    assert_eq!(silta.sweep().await, 230);
    silta.run_until_idle().await;
    assert_eq!(silta.count("delivery where reason = 'not_paid'").await, 230);
}

#[tokio::test]
async fn history_is_never_imported() {
    let silta = TestSilta::start().await;
    silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.clock.advance(secs(86_400));
    sqlx::query("delete from sweep").execute(&silta.pool).await.unwrap();
    silta.sweeper.prepare().await.unwrap();
    silta.sweep().await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.orders().len(), 0);
}

#[tokio::test]
async fn a_list_is_swept_in_one_replica_at_a_time_and_taken_over_when_that_one_is_gone() {
    let silta = TestSilta::start().await;
    silta.sweep().await;
    silta.clock.advance(secs(900));
    let asked = || silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/stock");
    let before = asked();
    silta.sandbox.warehouse_server.faults.script("GET", "/api/v1/stock", Fault::Hang);
    let hanging = silta.sweeper.sweep_due();
    tokio::select! {
        _ = hanging => panic!("it should hang"),
        () = until("it hangs", async || asked() == before + 1) => {}
    }
    // The others are swept meanwhile, that one is not; ten minutes later it is anybody's.
    silta.sweep().await;
    assert_eq!(asked(), before + 1);
    silta.clock.advance(secs(601));
    silta.sweep().await;
    assert_eq!(asked(), before + 2);
}

#[tokio::test]
async fn a_sweep_whose_process_is_gone_is_begun_again_when_its_lease_runs_out() {
    use silta::store::polls;

    let silta = TestSilta::start().await;
    silta.clock.advance(secs(600));
    silta.shop.takes_order(OrderSpec::of("A", 1)); // and no webhook tells
    let mut db = silta.pool.acquire().await.unwrap();
    let until = silta.now() + secs(60);
    let mut gone = Vec::new();
    while let Some(held) =
        polls::claim_due(&mut db, uuid::Uuid::from_u128(gone.len() as u128 + 1), silta.now(), until)
            .await
            .unwrap()
    {
        gone.push(held);
    }
    assert_eq!(gone.len(), 4);
    silta.clock.advance(secs(59));
    assert_eq!(silta.sweep().await, 0, "they may still be at work");
    silta.clock.advance(secs(2));
    assert!(silta.sweep().await > 0);
    for held in &gone {
        let lost = polls::keep_lease(&mut db, held, silta.now() + secs(60)).await.unwrap();
        assert_eq!(lost, silta::store::tasks::Fenced::LeaseLost, "whoever comes back late learns it");
    }
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.orders().len(), 1);
}

#[tokio::test]
async fn a_system_that_hangs_keeps_no_other_stores_sweeps_waiting() {
    let mut silta = TestSilta::start().await;
    let (app, other) = silta.with_another_store().await;
    app.sweeper.sweep_due().await.unwrap();
    silta.clock.advance(secs(3600));
    other.shop.takes_order(OrderSpec::of("A", 1)); // and no webhook tells
    for server in [&silta.sandbox.shop_server, &silta.sandbox.warehouse_server] {
        for _ in 0..2 {
            server.faults.script("GET", "/", Fault::Hang);
        }
    }
    let soft = CancellationToken::new();
    let sweeping = app.sweeper.run(soft.clone());
    let found =
        async || silta.count("event where connection = 'other' and subject = 'order:1001'").await == 1;
    let hangs = "sweep where connection = 'shop' and leased_until is not null";
    tokio::select! {
        () = sweeping => panic!("nobody has stopped it"),
        () = until("the other store's order is found", found) => {}
    }
    assert_eq!(silta.count(hangs).await, 4, "all four of this one still hang");
    silta.leave_unfinished();
}
