//! Stock: the warehouse's figure overwrites the shop's, whatever the basis, the order of tellings and the state of the
//! feed.

use serde_json::{Value, json};
use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{CONNECTION, TestSilta, secs};

impl TestSilta {
    /// The warehouse tells of a figure, a minute later, and everything due is done.
    async fn hears_of_stock(&self, code: &str) {
        self.clock.advance(secs(61));
        self.hears(self.warehouse.stock_changed(code)).await;
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
async fn the_basis_compensated_adds_back_what_the_shop_will_take_off_again() {
    let silta = TestSilta::start_set(&[("stock.basis", "compensated")]).await;
    silta.shop.lists_product(1, "A", "Coffee", 0);
    silta.warehouse.receives_goods("A", 100);
    silta.hears_of_stock("A").await;
    // What the shop sells is what is free at the warehouse, less what it has not sent there yet, at every moment.
    let is_exact = |unsent: i64| {
        let sold = silta.shop.balance("A").unwrap();
        assert_eq!(sold, silta.warehouse.available("A").unwrap() - unsent);
    };
    is_exact(0);
    let sent = silta.orders(OrderSpec::of("A", 3)).await;
    silta.hears_of_stock("A").await;
    is_exact(0);
    let waiting = silta.orders(OrderSpec::of("A", 5).unpaid()).await;
    is_exact(5);
    silta.warehouse.collects(&format!("shop-{sent}"));
    silta.hears_of_stock("A").await;
    silta.hears_of(sent).await;
    is_exact(5);
    silta.warehouse.ships(&format!("shop-{sent}"));
    silta.hears(silta.warehouse.order_shipped(&format!("shop-{sent}"))).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.order(sent).unwrap().status, "COMPLETED");
    is_exact(5);
    silta.shop.gets_paid(waiting);
    silta.hears_of(waiting).await;
    is_exact(0);
    silta.warehouse.cancels(&format!("shop-{waiting}"));
    silta.hears_of(waiting).await;
    is_exact(5); // released there, and still open in the shop
    silta.shop.cancels(waiting);
    silta.hears_of(waiting).await;
    is_exact(0);
    assert_eq!(silta.count("in_flight").await, 0);
    silta.hears_of_stock("A").await;
    is_exact(0);
}

#[tokio::test]
async fn a_buffer_of_one_code_goes_before_the_connections_own() {
    let silta = TestSilta::start_with(crate::harness::Usual {
        connection: "[connections.stock]\nbuffer = 2\n[connections.stock.buffers]\nB = 5\n\"C/1\" = 0\n",
        ..Default::default()
    })
    .await;
    for (id, code) in [(1, "A"), (2, "B"), (3, "C/1")] {
        silta.shop.lists_product(id, code, code, 0);
        silta.warehouse.receives_goods(code, 4);
        silta.hears_of_stock(code).await;
    }
    assert_eq!(["A", "B", "C/1"].map(|code| silta.shop.quantity(code).unwrap()), [2, 0, 4]);
}

#[tokio::test]
async fn an_answer_of_the_warehouse_that_lags_never_overwrites_a_newer_figure() {
    let silta = TestSilta::start().await;
    silta.shop.lists_product(1, "A", "A", 0);
    silta.warehouse.receives_goods("A", 10);
    silta.hears_of_stock("A").await;
    silta.warehouse.lags_in_stock("A", 25, secs(3600));
    silta.hears_of_stock("A").await;
    assert_eq!(silta.shop.quantity("A"), Some(10));
    assert_eq!(silta.delivery("stock:A").await, ("pending".into(), Some("stale_reading".into())));
    silta.warehouse.counts("A", 8);
    silta.passes(secs(120)).await;
    assert_eq!(silta.shop.quantity("A"), Some(8), "asked again until the answer was of this moment");
}

#[tokio::test]
async fn a_worker_that_slept_over_its_lease_writes_no_figure() {
    let silta = TestSilta::start().await;
    silta.shop.lists_product(1, "A", "A", 0);
    silta.warehouse.receives_goods("A", 10);
    silta.hears(silta.warehouse.stock_changed("A")).await;
    // It reads ten at the warehouse and falls asleep in the shop's answer.
    silta.sandbox.shop_server.faults.script("GET", "/api/v1/stock/A", Fault::Slow(secs(2)));
    let sleeper = silta.second_worker();
    let asleep = tokio::spawn(async move { sleeper.run_until_idle().await.unwrap() });
    crate::harness::until("it reads", async || {
        silta.sandbox.shop_server.calls.count("GET", "/api/v1/stock/A") == 1
    })
    .await;
    silta.clock.advance(secs(61));
    silta.warehouse.counts("A", 7);
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity("A"), Some(7), "rescued, and written by another");
    asleep.await.unwrap();
    assert_eq!((silta.shop.quantity("A"), silta.patches()), (Some(7), 1));
}

#[tokio::test]
async fn codes_unknown_to_the_shop_are_reported_and_not_tried_for_ever() {
    let silta = TestSilta::start().await;
    silta.warehouse.receives_goods("GHOST", 3);
    silta.hears_of_stock("GHOST").await;
    assert_eq!(silta.delivery("stock:GHOST").await, ("skipped".into(), Some("unknown_in_shop".into())));
    let list = silta.api.get("/admin/v1/deliveries?kind=stock&reason=unknown_in_shop").await;
    assert_eq!(list.items().len(), 1);
    let before = silta.sandbox.shop_server.calls.count("GET", "/api/v1/stock/GHOST");
    silta.clock.advance(secs(900));
    silta.sweep().await;
    silta.run_until_idle().await;
    let after = silta.sandbox.shop_server.calls.count("GET", "/api/v1/stock/GHOST");
    assert_eq!(after, before, "the sweep passes by what was read at this version");
}

/// A shop of so many codes, each with ten pieces on both sides, and all of it compared once.
async fn stocked(codes: u64) -> TestSilta {
    let silta = TestSilta::start().await;
    for id in 1..=codes {
        let code = format!("C-{id:02}");
        silta.shop.lists_product(id, &code, &code, 10);
        silta.warehouse.makes_product(&code, json!({ "code": code, "name": code }));
        silta.warehouse.receives_goods(&code, 10);
    }
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    silta
}

fn at_zero(silta: &TestSilta, codes: u64) -> usize {
    (1..=codes).filter(|id| silta.shop.quantity(&format!("C-{id:02}")) == Some(0)).count()
}

#[tokio::test]
async fn a_feed_that_falls_to_zero_stops_at_the_brake_and_asks_a_person() {
    let mut silta = stocked(20).await;
    silta.leave_unfinished();
    for id in 1..=20 {
        let code = format!("C-{id:02}");
        silta.warehouse.counts(&code, 0);
        silta.hears(silta.warehouse.stock_changed(&code)).await;
    }
    silta.run_until_idle().await;
    assert_eq!(at_zero(&silta, 20), 6, "thirty in a hundred may fall");
    let connection = silta.connection().await;
    assert_eq!(connection["health"], "braked");
    assert_eq!(connection["brake_detail"], "7 of 20 codes would have fallen to zero within an hour");
    let braked = (1..=20).map(|id| format!("C-{id:02}")).find(|code| silta.shop.quantity(code) == Some(10));
    let braked = braked.expect("fourteen of them");
    let stands = silta.delivery(&format!("stock:{braked}")).await;
    assert_eq!(stands, ("pending".into(), Some("stock_braked".into())));

    // What does not fall to zero goes on meanwhile, and orders too.
    silta.warehouse.counts(&braked, 4);
    silta.hears_of_stock(&braked).await;
    assert_eq!(silta.shop.quantity(&braked), Some(4));
    // An hour later nobody has looked: still braked.
    silta.passes(secs(4000)).await;
    assert_eq!(at_zero(&silta, 20), 6);

    let released = silta.api.post("/admin/v1/connections/shop/release-brake", json!({})).await;
    assert_eq!((released.status, released.body["health"].as_str()), (200, Some("flowing")));
    silta.run_until_idle().await;
    assert_eq!(at_zero(&silta, 20), 19, "what a person has looked at falls");
    let audited = silta.api.get("/admin/v1/audit").await;
    assert_eq!(audited.items()[0]["action"], "connection.release_brake");
}

#[tokio::test]
async fn a_braked_feed_that_comes_back_to_its_senses_is_mended_without_anybody() {
    let silta = stocked(20).await;
    for id in 1..=20 {
        let code = format!("C-{id:02}");
        silta.warehouse.counts(&code, 0);
        silta.hears(silta.warehouse.stock_changed(&code)).await;
    }
    silta.run_until_idle().await;
    for id in 1..=20 {
        silta.warehouse.counts(&format!("C-{id:02}"), 10);
    }
    silta.clock.advance(secs(900));
    silta.sweep().await;
    silta.run_until_idle().await;
    silta.passes(secs(3700)).await;
    assert_eq!(at_zero(&silta, 20), 0);
}

#[tokio::test]
async fn a_few_goods_that_sell_out_are_no_broken_feed() {
    let silta = stocked(8).await;
    for id in 1..=4 {
        silta.warehouse.counts(&format!("C-{id:02}"), 0);
        silta.hears_of_stock(&format!("C-{id:02}")).await;
    }
    assert_eq!(at_zero(&silta, 8), 4);
    assert_eq!(silta.connection().await["health"], "flowing");
}

#[tokio::test]
async fn a_storm_of_callbacks_ends_with_the_right_figures_and_about_one_write_per_code_and_wave() {
    const CODES: u64 = 50;
    const WAVES: u64 = 2;
    let silta = TestSilta::start_set(&[("mycashflow.requests_per_second", "60.0")]).await;
    for id in 1..=CODES {
        let code = format!("S-{id:02}");
        silta.shop.lists_product(id, &code, &code, 0);
        silta.warehouse.receives_goods(&code, 1000);
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
                silta.warehouse.counts(&code, i64::try_from(wave * 1000 + round * 7 + id).unwrap());
                let (courier, webhook) = (silta.courier.clone(), silta.warehouse.stock_changed(&code));
                crowd.spawn(async move { courier.carries(&webhook).await.expect("Silta answers").0 });
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
    assert!(silta.count("delivery").await <= 110, "one debt per code and wave");
    let calls = ["GET", "PATCH"].map(|it| silta.sandbox.shop_server.calls.count(it, "/api/v1/stock"));
    let seconds = usize::try_from((silta.now() - begun).num_seconds()).unwrap();
    assert!(
        calls[0] + calls[1] <= 60 * (seconds + 4),
        "{calls:?} calls in {seconds} seconds at sixty a second"
    );
}

#[tokio::test]
async fn a_sweep_shows_when_it_ran_how_long_and_what_it_found_and_its_failure_keeps_no_webhook_waiting() {
    let silta = TestSilta::start().await;
    silta.sweep().await;
    silta.clock.advance(secs(60));
    silta.shop.lists_product(1, "A", "A", 0);
    silta.warehouse.receives_goods("A", 5);
    silta.clock.advance(secs(900));
    silta.sweep().await;
    let sweep = async |what: &str| {
        let connection = silta.connection().await;
        connection["sweeps"].as_array().unwrap().iter().find(|it| it["what"] == what).unwrap().clone()
    };
    let stock = sweep("stock").await;
    assert_eq!((stock["last_found"].as_i64(), stock["found"].as_i64()), (Some(1), Some(1)));
    assert_eq!(stock["last_finished_at"].as_str(), Some(stock["last_started_at"].as_str().unwrap()));
    assert!(stock["last_millis"].is_i64() && stock["due_at"].is_string());

    silta.sandbox.warehouse_server.faults.script("GET", "/api/v1/stock", Fault::Status(500));
    silta.clock.advance(secs(900));
    silta.sweep().await;
    let failed = sweep("stock").await;
    assert_eq!(failed["last_error"], "system_failed");
    assert_eq!(failed["last_found"], stock["last_found"], "the last good one is still told");
    silta.hears_of_stock("A").await;
    assert_eq!(silta.shop.quantity("A"), Some(5));
}
