//! Stock: the warehouse's figure overwrites the shop's, whatever the basis, the order of tellings and the state of the
//! feed.

use serde_json::{Value, json};
use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{CONNECTION, TestSilta, secs};

impl TestSilta {
    /// The warehouse tells of a figure, a minute later, and everything due is done.
    async fn send_stock_update(&self, code: &str) {
        self.clock.advance(secs(61));
        self.send_webhook(self.warehouse.stock_changed(code)).await;
        self.run_until_idle().await;
    }

    /// Writes to the shop's stock so far.
    fn patches(&self) -> usize {
        self.sandbox.shop_server.calls.count("PATCH", "/api/v1/stock")
    }

    async fn connection(&self) -> Value {
        self.api.get(&format!("/admin/v1/connections/{CONNECTION}")).await.body
    }
}

#[tokio::test]
async fn compensated_basis_adds_back_unshipped_pieces() {
    let silta = TestSilta::start_with_settings(&[("stock.basis", "compensated")]).await;
    silta.shop.add_product(1, "A", "Coffee", 0);
    silta.warehouse.receive_goods("A", 100);
    silta.send_stock_update("A").await;
    // What the shop sells is what is free at the warehouse, less what it has not sent there yet, at every moment.
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
    is_exact(5); // released there, and still open in the shop
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
    assert_eq!(silta.task_state("stock:A").await, ("pending".into(), Some("stale_reading".into())));
    silta.warehouse.count_stock("A", 8);
    silta.advance(secs(120)).await;
    assert_eq!(silta.shop.quantity("A"), Some(8), "asked again until the answer was of this moment");
}

#[tokio::test]
async fn worker_past_its_lease_writes_no_stock() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 10);
    silta.send_webhook(silta.warehouse.stock_changed("A")).await;
    // It reads ten at the warehouse and falls asleep in the shop's answer.
    silta.sandbox.shop_server.faults.script("GET", "/api/v1/stock/A", Fault::Slow(secs(2)));
    let sleeper = silta.second_worker();
    let asleep = tokio::spawn(async move { sleeper.run_until_idle().await.unwrap() });
    crate::harness::wait_until("it reads", async || {
        silta.sandbox.shop_server.calls.count("GET", "/api/v1/stock/A") == 1
    })
    .await;
    silta.clock.advance(secs(61));
    silta.warehouse.count_stock("A", 7);
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity("A"), Some(7), "rescued, and written by another");
    asleep.await.unwrap();
    assert_eq!((silta.shop.quantity("A"), silta.patches()), (Some(7), 1));
}

#[tokio::test]
async fn unknown_codes_are_reported_and_not_retried() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("GHOST", 3);
    silta.send_stock_update("GHOST").await;
    assert_eq!(silta.task_state("stock:GHOST").await, ("skipped".into(), Some("unknown_in_shop".into())));
    let list = silta.api.get("/admin/v1/tasks?kind=stock&reason=unknown_in_shop").await;
    assert_eq!(list.items().len(), 1);
    let before = silta.sandbox.shop_server.calls.count("GET", "/api/v1/stock/GHOST");
    silta.clock.advance(secs(900));
    silta.poll().await;
    silta.run_until_idle().await;
    let after = silta.sandbox.shop_server.calls.count("GET", "/api/v1/stock/GHOST");
    assert_eq!(after, before, "the poll passes by what was read at this version");
}

/// A shop of so many codes, each with ten pieces on both sides, and all of it compared once.
async fn stocked(codes: u64) -> TestSilta {
    let silta = TestSilta::start().await;
    for id in 1..=codes {
        let code = format!("C-{id:02}");
        silta.shop.add_product(id, &code, &code, 10);
        silta.warehouse.add_product(&code, json!({ "code": code, "name": code }));
        silta.warehouse.receive_goods(&code, 10);
    }
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    silta
}

fn count_at_zero(silta: &TestSilta, codes: u64) -> usize {
    (1..=codes).filter(|id| silta.shop.quantity(&format!("C-{id:02}")) == Some(0)).count()
}

#[tokio::test]
async fn mass_fall_to_zero_triggers_the_stock_brake() {
    let mut silta = stocked(20).await;
    silta.leave_unfinished();
    for id in 1..=20 {
        let code = format!("C-{id:02}");
        silta.warehouse.count_stock(&code, 0);
        silta.send_webhook(silta.warehouse.stock_changed(&code)).await;
    }
    silta.run_until_idle().await;
    assert_eq!(count_at_zero(&silta, 20), 6, "thirty in a hundred may fall");
    let connection = silta.connection().await;
    assert_eq!(connection["health"], "braked");
    assert_eq!(connection["brake_detail"], "7 of 20 codes would have fallen to zero within an hour");
    let braked = (1..=20).map(|id| format!("C-{id:02}")).find(|code| silta.shop.quantity(code) == Some(10));
    let braked = braked.expect("fourteen of them");
    let stands = silta.task_state(&format!("stock:{braked}")).await;
    assert_eq!(stands, ("pending".into(), Some("stock_braked".into())));

    // What does not fall to zero goes on meanwhile, and orders too.
    silta.warehouse.count_stock(&braked, 4);
    silta.send_stock_update(&braked).await;
    assert_eq!(silta.shop.quantity(&braked), Some(4));
    // An hour later nobody has looked: still braked.
    silta.advance(secs(4000)).await;
    assert_eq!(count_at_zero(&silta, 20), 6);

    let released = silta.api.post("/admin/v1/connections/shop/release-brake", json!({})).await;
    assert_eq!((released.status, released.body["health"].as_str()), (200, Some("ok")));
    silta.run_until_idle().await;
    assert_eq!(count_at_zero(&silta, 20), 19, "what a person has looked at falls");
    let audited = silta.api.get("/admin/v1/audit").await;
    assert_eq!(audited.items()[0]["action"], "connection.release_brake");
}

#[tokio::test]
async fn recovered_feed_clears_the_stock_brake() {
    let silta = stocked(20).await;
    for id in 1..=20 {
        let code = format!("C-{id:02}");
        silta.warehouse.count_stock(&code, 0);
        silta.send_webhook(silta.warehouse.stock_changed(&code)).await;
    }
    silta.run_until_idle().await;
    for id in 1..=20 {
        silta.warehouse.count_stock(&format!("C-{id:02}"), 10);
    }
    silta.clock.advance(secs(900));
    silta.poll().await;
    silta.run_until_idle().await;
    silta.advance(secs(3700)).await;
    assert_eq!(count_at_zero(&silta, 20), 0);
}

#[tokio::test]
async fn a_few_sold_out_items_do_not_trigger_the_brake() {
    let silta = stocked(8).await;
    for id in 1..=4 {
        silta.warehouse.count_stock(&format!("C-{id:02}"), 0);
        silta.send_stock_update(&format!("C-{id:02}")).await;
    }
    assert_eq!(count_at_zero(&silta, 8), 4);
    assert_eq!(silta.connection().await["health"], "ok");
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
    let mut told = 0;
    for wave in 1..=WAVES {
        let before = silta.patches();
        // Each figure moves with each of fifty callbacks about it, told in a crowd.
        for round in 0..50 {
            let mut crowd = tokio::task::JoinSet::new();
            for id in 1..=CODES {
                let code = format!("S-{id:02}");
                silta.warehouse.count_stock(&code, i64::try_from(wave * 1000 + round * 7 + id).unwrap());
                let (webhook_sender, webhook) =
                    (silta.webhook_sender.clone(), silta.warehouse.stock_changed(&code));
                crowd.spawn(async move { webhook_sender.send(&webhook).await.expect("Silta answers").0 });
            }
            told += crowd.join_all().await.into_iter().filter(|status| *status == 200).count();
        }
        for _ in 0..10 {
            silta.run_until_idle().await;
            silta.clock.advance(secs(6));
        }
        let writes = silta.patches() - before;
        assert!((50..=55).contains(&writes), "{writes} writes for {CODES} codes in wave {wave}");
        for id in 1..=CODES {
            let code = format!("S-{id:02}");
            assert_eq!(silta.shop.quantity(&code), silta.warehouse.available(&code));
        }
    }
    assert_eq!(told, 5000, "each was taken");
    assert!(silta.count("task").await <= 110, "one task per code and wave");
    let calls = ["GET", "PATCH"].map(|it| silta.sandbox.shop_server.calls.count(it, "/api/v1/stock"));
    let seconds = usize::try_from((silta.now() - begun).num_seconds()).unwrap();
    assert!(
        calls[0] + calls[1] <= 60 * (seconds + 4),
        "{calls:?} calls in {seconds} seconds at sixty a second"
    );
}

#[tokio::test]
async fn poll_shows_its_last_run_and_failure_delays_no_webhook() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    silta.clock.advance(secs(60));
    silta.shop.add_product(1, "A", "A", 0);
    silta.warehouse.receive_goods("A", 5);
    silta.clock.advance(secs(900));
    silta.poll().await;
    let poll = async |what: &str| {
        let connection = silta.connection().await;
        connection["polls"].as_array().unwrap().iter().find(|it| it["what"] == what).unwrap().clone()
    };
    let stock = poll("stock").await;
    assert_eq!((stock["last_found"].as_i64(), stock["found"].as_i64()), (Some(1), Some(1)));
    assert_eq!(stock["last_finished_at"].as_str(), Some(stock["last_started_at"].as_str().unwrap()));
    assert!(stock["last_millis"].is_i64() && stock["due_at"].is_string());

    silta.sandbox.warehouse_server.faults.script("GET", "/api/v1/stock", Fault::Status(500));
    silta.clock.advance(secs(900));
    silta.poll().await;
    let failed = poll("stock").await;
    assert_eq!(failed["last_error"], "vendor_failed");
    assert_eq!(failed["last_found"], stock["last_found"], "the last good one is still told");
    silta.send_stock_update("A").await;
    assert_eq!(silta.shop.quantity("A"), Some(5));
}
