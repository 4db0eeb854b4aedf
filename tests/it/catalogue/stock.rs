//! Stock: the warehouse's figure overwrites the shop's, whatever the basis and the order of events.

use std::sync::Arc;

use serde_json::{Value, json};
use silta::{
    dev::sandbox::{Fault, OrderSpec},
    runtime::clock::OffsetClock,
};

use crate::harness::{CONNECTION, TestOptions, TestSilta, secs};

impl TestSilta {
    /// A minute later, sends the warehouse's webhook about a code and runs what is due.
    pub async fn send_stock_update(&self, code: &str) {
        self.clock.advance(secs(61));
        self.send_webhook(self.warehouse.stock_changed(code)).await;
        self.run_until_idle().await;
    }

    /// Stock writes to the shop so far.
    pub fn stock_writes(&self) -> usize {
        self.sandbox.shop_server.calls.count("PATCH", "/api/v1/stock")
    }

    pub async fn connection(&self) -> Value {
        self.api.get(&format!("/admin/v1/connections/{CONNECTION}")).await.body
    }
}

#[tokio::test]
async fn compensated_basis_adds_back_unshipped_pieces() {
    let silta = TestSilta::start_with_settings(&[("stock.basis", "compensated")]).await;
    silta.shop.add_product(1, "A", "Coffee", 0);
    silta.warehouse.receive_goods("A", 100);
    silta.send_stock_update("A").await;
    // At every moment the shop offers what is free at the warehouse less what was not transferred yet.
    let is_exact = |unsent: i64| {
        let sold = silta.shop.balance("A").unwrap();
        assert_eq!(sold, silta.warehouse.available("A").unwrap() - unsent);
    };
    is_exact(0);
    let sent = silta.place_order(OrderSpec::of("A", 3)).await;
    silta.send_stock_update("A").await;
    is_exact(0);
    let waiting = silta.place_order(OrderSpec::of("A", 5).unpaid()).await;
    is_exact(5);
    silta.warehouse.collect_order(&format!("shop-{sent}"));
    silta.send_stock_update("A").await;
    silta.send_order_update(sent).await;
    is_exact(5);
    silta.warehouse.ship_order(&format!("shop-{sent}"));
    silta.send_webhook(silta.warehouse.order_shipped(&format!("shop-{sent}"))).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.order(sent).unwrap().status, "COMPLETED");
    is_exact(5);
    silta.shop.mark_paid(waiting);
    silta.send_order_update(waiting).await;
    is_exact(0);
    silta.warehouse.cancel_order(&format!("shop-{waiting}"));
    silta.send_order_update(waiting).await;
    is_exact(5); // released at the warehouse, still open in the shop
    silta.shop.cancel_order(waiting);
    silta.send_order_update(waiting).await;
    is_exact(0);
    assert_eq!(silta.count("in_flight").await, 0);
    silta.send_stock_update("A").await;
    is_exact(0);
}

#[tokio::test]
async fn buffer_of_a_code_overrides_the_connection_buffer() {
    let silta = TestSilta::start_with(crate::harness::TestOptions {
        connection: "[connections.stock]\nbuffer = 2\n[connections.stock.buffers]\nB = 5\n\"C/1\" = 0\n",
        ..Default::default()
    })
    .await;
    for (id, code) in [(1, "A"), (2, "B"), (3, "C/1")] {
        silta.shop.add_product(id, code, code, 0);
        silta.warehouse.receive_goods(code, 4);
        silta.send_stock_update(code).await;
    }
    assert_eq!(["A", "B", "C/1"].map(|code| silta.shop.quantity(code).unwrap()), [2, 0, 4]);
}

#[tokio::test]
async fn stale_stock_answer_does_not_overwrite_a_newer_one() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 10);
    silta.send_stock_update("A").await;
    silta.warehouse.report_stale_stock("A", 25, secs(3600));
    silta.send_stock_update("A").await;
    assert_eq!(silta.shop.quantity("A"), Some(10));
    assert_eq!(silta.task_state("stock:A").await, "pending stale_reading");
    silta.warehouse.count_stock("A", 8);
    silta.advance(secs(120)).await;
    assert_eq!(silta.shop.quantity("A"), Some(8), "read again until the answer was fresh");
}

/// What lags shows by the warehouse's own clock.
#[tokio::test]
async fn stale_stock_answer_is_recognised_whatever_our_clock_shows() {
    for ahead in [-3600, 3600] {
        let mut silta = TestSilta::start().await;
        silta.leave_unfinished();
        silta.shop.add_product(1, "A", "A", 0);
        silta.warehouse.receive_goods("A", 10);
        let clock = Arc::new(OffsetClock::of(silta.clock.clone()));
        clock.set(chrono::Duration::seconds(ahead));
        let send_and_run = async || {
            silta.clock.advance(secs(61));
            silta.send_webhook(silta.warehouse.stock_changed("A")).await;
            // Due by every clock.
            let sql = "update task set due_at = due_at - interval '1 day' where state = 'pending'";
            sqlx::query(sql).execute(&silta.pool).await.unwrap();
            silta.second_worker_under(clock.clone()).run_until_idle().await.unwrap();
        };
        send_and_run().await;
        assert_eq!(silta.shop.quantity("A"), Some(10), "{ahead} s ahead");
        silta.warehouse.report_stale_stock("A", 25, secs(3600));
        send_and_run().await;
        assert_eq!(silta.shop.quantity("A"), Some(10), "{ahead} s ahead");
        assert_eq!(silta.task_state("stock:A").await, "pending stale_reading", "{ahead} s ahead");
    }
}

/// The warehouse's clock was a year ahead for a moment.
#[tokio::test]
async fn figure_from_the_future_does_not_freeze_its_code() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 10);
    silta.send_stock_update("A").await;
    silta.warehouse.count_stock_in_the_future("A", 9, secs(365 * 86_400));
    silta.send_stock_update("A").await;
    assert_eq!(silta.shop.quantity("A"), Some(9), "what it counts is right");
    silta.warehouse.count_stock("A", 7);
    silta.send_stock_update("A").await;
    assert_eq!((silta.shop.quantity("A"), silta.task_state("stock:A").await), (Some(7), "done".to_owned()));
}

/// Its clock went back by an hour: its answers are older than what it has shown, and not because they lag.
#[tokio::test]
async fn clock_that_went_back_delays_a_figure_briefly() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 10);
    silta.send_stock_update("A").await;
    silta.warehouse.report_stale_stock("A", 6, secs(3600));
    silta.send_stock_update("A").await;
    assert_eq!(silta.task_state("stock:A").await, "pending stale_reading");
    silta.advance(secs(20 * 60)).await;
    assert_eq!((silta.shop.quantity("A"), silta.task_state("stock:A").await), (Some(6), "done".to_owned()));
}

/// It sells all day: each event begins to count anew. Without one, so many actions are a fight.
#[tokio::test]
async fn busy_code_does_not_count_as_not_converging() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 10);
    silta.send_webhook(silta.warehouse.stock_changed("A")).await;
    let set = async |sql: &str| {
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&silta.pool).await.unwrap();
    };
    set("update task set actions = 199 where subject = 'stock:A'").await;
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("stock:A").await, "done");

    silta.warehouse.receive_goods("A", 1);
    silta.send_webhook(silta.warehouse.stock_changed("A")).await;
    set("update task set actions = 199, claimed_revision = revision where state = 'pending'").await;
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("stock:A").await, "dead not_converging");
}

#[tokio::test]
async fn worker_past_its_lease_writes_no_stock() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 10);
    silta.send_webhook(silta.warehouse.stock_changed("A")).await;
    // It reads 10 at the warehouse and then waits for the shop's slow answer.
    silta.sandbox.shop_server.faults.script("GET", "/api/v1/stock/A", Fault::Slow(secs(2)));
    let slow_worker = silta.second_worker();
    let slow_run = tokio::spawn(async move { slow_worker.run_until_idle().await.unwrap() });
    crate::harness::wait_until("it reads", async || {
        silta.sandbox.shop_server.calls.count("GET", "/api/v1/stock/A") == 1
    })
    .await;
    silta.clock.advance(secs(61));
    silta.warehouse.count_stock("A", 7);
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity("A"), Some(7), "rescued and written by another worker");
    slow_run.await.unwrap();
    assert_eq!((silta.shop.quantity("A"), silta.stock_writes()), (Some(7), 1));
}

#[tokio::test]
async fn unknown_codes_are_reported_and_not_retried() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("GHOST", 3);
    silta.send_stock_update("GHOST").await;
    assert_eq!(silta.task_state("stock:GHOST").await, "skipped unknown_in_shop");
    let list = silta.api.get("/admin/v1/tasks?kind=stock&reason=unknown_in_shop").await;
    assert_eq!(list.items().len(), 1);
    let before = silta.sandbox.shop_server.calls.count("GET", "/api/v1/stock/GHOST");
    silta.clock.advance(secs(900));
    silta.poll().await;
    silta.run_until_idle().await;
    let after = silta.sandbox.shop_server.calls.count("GET", "/api/v1/stock/GHOST");
    assert_eq!(after, before, "the poll skips a version that was already read");
}

#[tokio::test]
async fn callback_burst_ends_with_one_write_per_code_and_wave() {
    const CODES: u64 = 50;
    const WAVES: u64 = 2;
    let silta = TestSilta::start_with_settings(&[("mycashflow.requests_per_second", "60.0")]).await;
    for id in 1..=CODES {
        let code = format!("S-{id:02}");
        silta.shop.add_product(id, &code, &code, 0);
        silta.warehouse.receive_goods(&code, 1000);
    }
    let begun = silta.now();
    let mut acknowledged = 0;
    for wave in 1..=WAVES {
        let before = silta.stock_writes();
        // Each code changes fifty times, with one concurrent webhook per change.
        for round in 0..50 {
            let mut requests = tokio::task::JoinSet::new();
            for id in 1..=CODES {
                let code = format!("S-{id:02}");
                silta.warehouse.count_stock(&code, i64::try_from(wave * 1000 + round * 7 + id).unwrap());
                let (webhook_sender, webhook) =
                    (silta.webhook_sender.clone(), silta.warehouse.stock_changed(&code));
                requests.spawn(async move { webhook_sender.send(&webhook).await.expect("Silta answers").0 });
            }
            acknowledged += requests.join_all().await.into_iter().filter(|status| *status == 200).count();
        }
        for _ in 0..10 {
            silta.run_until_idle().await;
            silta.clock.advance(secs(6));
        }
        let writes = silta.stock_writes() - before;
        assert!((50..=55).contains(&writes), "{writes} writes for {CODES} codes in wave {wave}");
        for id in 1..=CODES {
            let code = format!("S-{id:02}");
            assert_eq!(silta.shop.quantity(&code), silta.warehouse.available(&code));
        }
    }
    assert_eq!(acknowledged, 5000, "each is acknowledged");
    assert!(silta.count("task").await <= 110, "one task per code and wave");
    let calls = ["GET", "PATCH"].map(|it| silta.sandbox.shop_server.calls.count(it, "/api/v1/stock"));
    let seconds = usize::try_from((silta.now() - begun).num_seconds()).unwrap();
    assert!(
        calls[0] + calls[1] <= 60 * (seconds + 4),
        "{calls:?} calls in {seconds} seconds at sixty a second"
    );
}

#[tokio::test]
async fn stock_buffer_is_not_offered_for_sale() {
    let buffer = "[connections.stock]\nbuffer = 2\n";
    let silta = TestSilta::start_with(TestOptions { connection: buffer, ..TestOptions::default() }).await;
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 5);
    silta.send_webhook(silta.warehouse.stock_changed("A")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity("A"), Some(3));
}

#[tokio::test]
async fn stock_overwrites_the_shop_and_equal_stock_is_not_written() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "PANNU/2L", "Pannu", 40);
    silta.warehouse.receive_goods("PANNU/2L", 6);
    silta.send_webhook(silta.warehouse.stock_changed("PANNU/2L")).await;
    silta.run_until_idle().await;
    assert_eq!((silta.shop.quantity("PANNU/2L"), silta.shop.writes()), (Some(6), 1));

    silta.clock.advance(secs(120));
    silta.send_webhook(silta.warehouse.stock_changed("PANNU/2L")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.writes(), 1);
}

#[tokio::test]
async fn stock_of_an_unknown_code_is_skipped() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("STRANGE", 6);
    silta.send_webhook(silta.warehouse.stock_changed("STRANGE")).await;
    silta.run_until_idle().await;
    assert_eq!(silta.task_state("stock:STRANGE").await, "skipped unknown_in_shop");
}

/// Whether the stock of a product is tracked is the merchant's choice in the shop.
#[tokio::test]
async fn stock_tracking_is_switched_on_only_where_it_is_wanted() {
    for (setting, expected) in
        [("false", json!({ "quantity": 6 })), ("true", json!({ "enabled": true, "quantity": 6 }))]
    {
        let silta = TestSilta::start_with_settings(&[("stock.tracking", setting)]).await;
        silta.shop.add_product(1, "A", "A", 40);
        silta.shop.set_quantity("A", 40, false);
        silta.warehouse.receive_goods("A", 6);
        silta.send_stock_update("A").await;
        let sent: Value =
            silta.scalar("select calls -> -1 -> 'request' from attempt where action = 'set_stock'").await;
        assert_eq!((sent, silta.shop.quantity("A")), (expected, Some(6)), "{setting}");
        assert_eq!(silta.shop.is_tracked("A"), setting == "true");
    }
    // A shop that keeps no figure of what it does not track is written to once for each figure.
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "A", 0);
    silta.shop.set_quantity("A", 0, false);
    silta.shop.forget_untracked_stock();
    silta.warehouse.receive_goods("A", 6);
    silta.send_stock_update("A").await;
    assert_eq!((silta.task_state("stock:A").await, silta.stock_writes()), ("done".to_owned(), 1));
    silta.warehouse.receive_goods("A", 1);
    silta.send_stock_update("A").await;
    assert_eq!(silta.stock_writes(), 2);
}
