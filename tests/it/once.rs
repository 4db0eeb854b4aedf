//! No sequence of webhooks, polls, hand transfers, retries, edits, cancels and crashes ever makes a second order or a
//! second completion.

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::json;
use silta::dev::sandbox::{Fault, OrderSpec};

use crate::harness::{TestSilta, secs};

/// Something that happens to the one order of the test.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The shop tells of it.
    Webhook,
    /// The warehouse tells of it.
    Callback,
    /// The polls run.
    Poll,
    /// A person asks: transfer, hold, release, cancel, refresh.
    Asks(&'static str),
    /// A person replays its newest task.
    Replay,
    /// Both sides are compared.
    Compare,
    /// The shop's order changes: paid, edited, cancelled.
    Pays,
    Edits(i64),
    Cancels,
    /// The warehouse moves it on.
    Collects,
    Ships,
    /// The next call of this kind goes wrong.
    Faults(&'static str, Fault),
    /// The warehouse's search shows orders so many seconds late.
    Lags(u64),
    /// Attempts are broken off in mid-call, as by a crash: their leases run out later.
    Crashes,
    /// What is due is done.
    Works,
    /// Time passes.
    Passes(u64),
}

fn fault() -> impl Strategy<Value = Step> {
    // What was applied and not answered is the dangerous kind.
    let fault = prop_oneof![
        1 => Just(Fault::DropBefore),
        3 => Just(Fault::DropAfter),
        1 => Just(Fault::Status(500)),
        3 => Just(Fault::StatusAfter(504)),
        2 => Just(Fault::Garbage),
        1 => Just(Fault::TooMany(2)),
    ];
    let call = prop_oneof![4 => Just("POST"), 1 => Just("GET"), 1 => Just("PUT")];
    (call, fault).prop_map(|(call, fault)| Step::Faults(call, fault))
}

fn lag() -> impl Strategy<Value = Step> {
    prop_oneof![Just(0_u64), Just(15)].prop_map(Step::Lags)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Webhook),
        2 => Just(Step::Callback),
        1 => Just(Step::Poll),
        2 => prop_oneof![Just("transfer"), Just("hold"), Just("release"), Just("cancel"), Just("refresh")].prop_map(Step::Asks),
        1 => Just(Step::Replay),
        1 => Just(Step::Compare),
        2 => Just(Step::Pays),
        1 => (1..5_i64).prop_map(Step::Edits),
        1 => Just(Step::Cancels),
        1 => Just(Step::Collects),
        2 => Just(Step::Ships),
        3 => fault(),
        1 => lag(),
        2 => Just(Step::Crashes),
        5 => Just(Step::Works),
        3 => prop_oneof![1 => Just(1_u64), 3 => Just(11), 1 => Just(65), 1 => Just(700)].prop_map(Step::Passes),
    ]
}

async fn take(silta: &TestSilta, order: u64, step: Step) {
    let reference = format!("shop-{order}");
    match step {
        Step::Webhook => drop(silta.send_webhook(silta.shop.order_created(order)).await),
        Step::Callback => drop(silta.send_webhook(silta.warehouse.order_shipped(&reference)).await),
        Step::Poll => drop(silta.poller.poll_due().await),
        Step::Asks(ask) => {
            drop(silta.api.post(&format!("/admin/v1/orders/shop/{order}/{ask}"), json!({})).await);
        }
        Step::Replay => {
            let listed = silta.api.get("/admin/v1/tasks?kind=order&limit=1").await;
            if let Some(id) = listed.items().first().and_then(|it| it["id"].as_str()) {
                drop(silta.api.post(&format!("/admin/v1/tasks/{id}/replay"), json!({})).await);
            }
        }
        Step::Compare => {
            let body = json!({ "connection": "shop", "what": "orders" });
            drop(silta.api.post("/admin/v1/syncs", body).await);
            silta.sandbox.shop_server.faults.clear();
            silta.sandbox.warehouse_server.faults.clear();
            drop(silta.syncer.run_due().await);
        }
        Step::Pays => silta.shop.mark_paid(order),
        Step::Edits(pieces) => silta.shop.change_quantity(order, pieces),
        Step::Cancels => {
            if silta.shop.order(order).is_some_and(|order| order.status == "OPEN") {
                silta.shop.cancel_order(order);
            }
        }
        Step::Collects => drop(silta.warehouse.collect_order(&reference)),
        Step::Ships => drop(silta.warehouse.ship_order(&reference)),
        Step::Faults(method, fault) => {
            silta.sandbox.shop_server.faults.script(method, "orders", fault);
            silta.sandbox.warehouse_server.faults.script(method, "orders", fault);
        }
        Step::Lags(seconds) => silta.warehouse.delay_search(secs(seconds)),
        Step::Crashes => {
            let worker = silta.second_worker();
            let work = tokio::spawn(async move { worker.run_until_idle().await });
            // Somewhere within the reads and the call: wherever it is, it is dropped there.
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            work.abort();
            drop(work.await);
        }
        Step::Works => drop(silta.run_until_idle().await),
        Step::Passes(seconds) => silta.clock.advance(secs(seconds)),
    }
}

/// What must hold at every moment.
fn holds(silta: &TestSilta, order: u64) -> Result<(), TestCaseError> {
    prop_assert!(silta.warehouse_count(order) <= 1, "a second order");
    let order = silta.shop.order(order).unwrap();
    let completions = order.shipments.iter().map(|it| it.completions).max().unwrap_or_default();
    prop_assert!(completions <= 1, "a second completion");
    Ok(())
}

/// A day of one order: paid at once or not, in good or bad weather from the beginning.
async fn play(is_paid: bool, opening: Vec<Step>, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut silta = TestSilta::start_with_settings(&[("orders.edit", "true")]).await;
    silta.leave_unfinished();
    silta.warehouse.allow_edits();
    silta.warehouse.receive_goods("A", 1000);
    let spec = OrderSpec::of("A", 1);
    let order = silta.shop.place_order(if is_paid { spec } else { spec.unpaid() });
    silta.send_webhook(silta.shop.order_created(order)).await;
    for step in opening.into_iter().chain(steps) {
        take(&silta, order, step).await;
        holds(&silta, order)?;
    }
    // And in the end all comes to rest: paid, left alone and looked at, it is at the warehouse exactly once.
    silta.sandbox.shop_server.faults.clear();
    silta.sandbox.warehouse_server.faults.clear();
    silta.warehouse.delay_search(secs(0));
    silta.advance(secs(4 * 3600)).await;
    silta.api.post(&format!("/admin/v1/orders/shop/{order}/refresh"), json!({})).await;
    silta.advance(secs(3600)).await;
    holds(&silta, order)?;
    prop_assert_eq!(silta.count("task where settled_at is null").await, 0);
    let (shop, intent) = (silta.shop.order(order).unwrap(), silta.show_order(order).await);
    let asked: Option<String> =
        silta.scalar_optional("select action from intent order by id desc limit 1").await;
    let free = !matches!(asked.as_deref(), Some("hold" | "cancel"));
    if shop.is_paid && shop.status == "OPEN" && free && intent["status"] == "not_transferred" {
        prop_assert_eq!(silta.warehouse_count(order), 1, "a paid order that nobody keeps");
    }
    Ok(())
}

#[test]
fn no_sequence_places_or_completes_an_order_twice() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = ProptestConfig {
        cases: 60,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new(config);
    // Half of the days begin where it hurts: an answer lost, a search that lags, and another try right after.
    let hasty = prop_oneof![Just(vec![]), Just(vec![Step::Works, Step::Passes(11), Step::Works])];
    let opening = (lag(), fault(), hasty).prop_map(|(lag, fault, hasty)| {
        let weather = vec![lag, fault];
        [weather, hasty].concat()
    });
    let days = (any::<bool>(), opening, prop::collection::vec(step(), 5..40));
    let result =
        runner.run(&days, |(is_paid, opening, steps)| runtime.block_on(play(is_paid, opening, steps)));
    if let Err(error) = result {
        panic!("{error}");
    }
}
