//! No sequence of webhooks, polls, transfers, retries, edits, cancellations, re-openings, crashes, firewalls, maintenance
//! pages and clocks that differ makes a second order or a second completion.
//!
//! `SILTA_HISTORIES=1000` runs as many histories instead of the usual sixty.

use std::sync::Arc;

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::json;
use silta::{
    dev::sandbox::{Fault, OrderSpec},
    runtime::clock::OffsetClock,
    worker::Worker,
};

use crate::harness::{TestSilta, secs};

/// One step in the life of the test's only order.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The shop sends a webhook about it.
    Webhook,
    /// The warehouse sends a webhook about it.
    WarehouseWebhook,
    /// Due polls run.
    Poll,
    /// An operator asks for transfer, hold, release, cancel or refresh.
    OperatorAction(&'static str),
    /// An operator replays its newest task.
    Replay,
    /// A full sync of orders runs.
    Compare,
    /// The order changes in the shop: paid, edited or cancelled.
    Pay,
    Edit(i64),
    Cancel,
    /// Somebody opens it again in the shop.
    Reopen,
    /// Somebody adds a shipment to it in the shop, or books a return.
    AddShipment,
    BookReturn,
    /// The warehouse ships its first replacement.
    ShipReplacement,
    /// The order moves on at the warehouse: collected or shipped.
    Collect,
    Ship,
    /// The next call of this method fails.
    Fail(&'static str, Fault),
    /// The warehouse's search shows orders this many seconds late.
    SearchLag(u64),
    /// Running attempts are dropped, as by a crash; their leases run out later.
    Crash,
    /// Due tasks run.
    Work,
    /// Due tasks run in another process, whose clock is so many seconds ahead.
    WorkElsewhere(i64),
    /// Time passes.
    Advance(u64),
}

fn fault() -> impl Strategy<Value = Step> {
    // Faults that are applied but not answered are the dangerous kind.
    let fault = prop_oneof![
        1 => Just(Fault::DropBefore),
        3 => Just(Fault::DropAfter),
        1 => Just(Fault::Status(500)),
        3 => Just(Fault::StatusAfter(504)),
        2 => Just(Fault::Garbage),
        1 => Just(Fault::TooMany(2)),
        1 => Just(Fault::Status(403)),
        1 => Just(Fault::Status(404)),
        1 => Just(Fault::Page(200)),
        1 => Just(Fault::Page(503)),
    ];
    let call = prop_oneof![4 => Just("POST"), 1 => Just("GET"), 1 => Just("PUT")];
    (call, fault).prop_map(|(call, fault)| Step::Fail(call, fault))
}

fn lag() -> impl Strategy<Value = Step> {
    prop_oneof![Just(0_u64), Just(15)].prop_map(Step::SearchLag)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Webhook),
        2 => Just(Step::WarehouseWebhook),
        1 => Just(Step::Poll),
        2 => prop_oneof![Just("transfer"), Just("hold"), Just("release"), Just("cancel"), Just("refresh"), Just("adopt"), Just("send-replacement")].prop_map(Step::OperatorAction),
        1 => Just(Step::Replay),
        1 => Just(Step::Compare),
        2 => Just(Step::Pay),
        1 => (1..5_i64).prop_map(Step::Edit),
        1 => Just(Step::Cancel),
        1 => Just(Step::Reopen),
        1 => Just(Step::AddShipment),
        1 => Just(Step::BookReturn),
        1 => Just(Step::ShipReplacement),
        1 => Just(Step::Collect),
        2 => Just(Step::Ship),
        3 => fault(),
        1 => lag(),
        2 => Just(Step::Crash),
        5 => Just(Step::Work),
        3 => prop_oneof![Just(-3600_i64), Just(-15), Just(15), Just(3600)].prop_map(Step::WorkElsewhere),
        3 => prop_oneof![1 => Just(1_u64), 3 => Just(11), 1 => Just(65), 1 => Just(700)].prop_map(Step::Advance),
    ]
}

/// Another process of the same service, whose clock can be set.
struct Replica {
    worker: Worker,
    clock: Arc<OffsetClock>,
}

async fn perform(silta: &TestSilta, replica: &Replica, order: u64, step: Step) {
    let reference = format!("shop-{order}");
    match step {
        Step::Webhook => drop(silta.send_webhook(silta.shop.order_created(order)).await),
        Step::WarehouseWebhook => drop(silta.send_webhook(silta.warehouse.order_shipped(&reference)).await),
        Step::Poll => drop(silta.poller.poll_due().await),
        Step::OperatorAction(ask) => {
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
        Step::Pay => silta.shop.mark_paid(order),
        Step::Edit(pieces) => silta.shop.change_quantity(order, pieces),
        Step::Cancel => {
            if silta.shop.order(order).is_some_and(|order| order.status == "OPEN") {
                silta.shop.cancel_order(order);
            }
        }
        Step::Reopen => {
            if silta.shop.order(order).is_some_and(|order| order.status != "OPEN") {
                silta.shop.reopen_order(order);
            }
        }
        Step::AddShipment => {
            if silta.shop.order(order).is_some_and(|order| order.status != "CANCELLED") {
                silta.shop.add_shipment(order, &[("A", 1)]);
            }
        }
        Step::BookReturn => {
            if silta.warehouse.find(&reference).is_some_and(|it| it.status == "Shipped") {
                silta.shop.book_return(order, "A", 1);
            }
        }
        Step::ShipReplacement => drop(silta.warehouse.ship_order(&format!("{reference}-R1"))),
        Step::WorkElsewhere(ahead) => {
            replica.clock.set(chrono::Duration::seconds(ahead));
            drop(replica.worker.run_until_idle().await);
        }
        Step::Collect => drop(silta.warehouse.collect_order(&reference)),
        Step::Ship => drop(silta.warehouse.ship_order(&reference)),
        Step::Fail(method, fault) => {
            silta.sandbox.shop_server.faults.script(method, "orders", fault);
            silta.sandbox.warehouse_server.faults.script(method, "orders", fault);
        }
        Step::SearchLag(seconds) => silta.warehouse.delay_search(secs(seconds)),
        Step::Crash => {
            let worker = silta.second_worker();
            let work = tokio::spawn(async move { worker.run_until_idle().await });
            // Dropped at an arbitrary point within the reads and the call.
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            work.abort();
            drop(work.await);
        }
        Step::Work => drop(silta.run_until_idle().await),
        Step::Advance(seconds) => silta.clock.advance(secs(seconds)),
    }
}

/// Checks what must hold at every moment.
fn check_invariants(silta: &TestSilta, order: u64) -> Result<(), TestCaseError> {
    prop_assert!(silta.warehouse_count(order) <= 1, "a second order");
    for number in 1..=5 {
        let replacement = format!("shop-{order}-R{number}");
        prop_assert!(silta.warehouse.count(&replacement) <= 1, "a second {replacement}");
    }
    let order = silta.shop.order(order).unwrap();
    let completions = order.shipments.iter().map(|it| it.completions).max().unwrap_or_default();
    prop_assert!(completions <= 1, "a second completion");
    let returns = order.shipments.iter().filter(|it| it.kind == "RETURN").map(|it| it.completions).max();
    prop_assert_eq!(returns.unwrap_or_default(), 0, "a completed return row");
    Ok(())
}

/// Runs one case: an order that is paid at once or not, some first steps and random further ones.
async fn run_case(is_paid: bool, first_steps: Vec<Step>, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut silta = TestSilta::start_with_settings(&[("orders.edit", "true")]).await;
    silta.leave_unfinished();
    silta.warehouse.allow_edits();
    silta.warehouse.receive_goods("A", 1000);
    let clock = Arc::new(OffsetClock::of(silta.clock.clone()));
    let replica = Replica { worker: silta.second_worker_under(clock.clone()), clock };
    let spec = OrderSpec::of("A", 1);
    let order = silta.shop.place_order(if is_paid { spec } else { spec.unpaid() });
    silta.send_webhook(silta.shop.order_created(order)).await;
    for step in first_steps.into_iter().chain(steps) {
        perform(&silta, &replica, order, step).await;
        check_invariants(&silta, order)?;
    }
    // In the end everything settles: a paid order that nobody holds is at the warehouse exactly once.
    silta.sandbox.shop_server.faults.clear();
    silta.sandbox.warehouse_server.faults.clear();
    silta.warehouse.delay_search(secs(0));
    silta.advance(secs(4 * 3600)).await;
    silta.api.post(&format!("/admin/v1/orders/shop/{order}/refresh"), json!({})).await;
    silta.advance(secs(3600)).await;
    check_invariants(&silta, order)?;
    prop_assert_eq!(silta.count("task where settled_at is null").await, 0);
    let (shop, intent) = (silta.shop.order(order).unwrap(), silta.show_order(order).await);
    let asked: Option<String> = silta
        .scalar_optional(
            "select kind from intent where kind <> 'send_replacement' order by number desc limit 1",
        )
        .await;
    let is_released = !matches!(asked.as_deref(), Some("hold" | "cancel"));
    let is_given_up = intent["reason"] == "repeated_too_often";
    let is_open = shop.is_paid && shop.status == "OPEN" && !is_given_up;
    if is_open && is_released && intent["status"] == "not_transferred" {
        prop_assert_eq!(silta.warehouse_count(order), 1, "a paid order that nobody holds");
    }
    Ok(())
}

/// How many histories to run.
fn histories() -> u32 {
    let given = std::env::var_os("SILTA_HISTORIES");
    given.and_then(|count| count.to_str()?.parse().ok()).unwrap_or(60)
}

#[test]
fn no_sequence_places_or_completes_an_order_twice() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = ProptestConfig {
        cases: histories(),
        max_shrink_iters: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new(config);
    // Each case begins with a fault and perhaps a lagging search; half of them retry right after it.
    let retry = prop_oneof![Just(vec![]), Just(vec![Step::Work, Step::Advance(11), Step::Work])];
    let first_steps = (lag(), fault(), retry).prop_map(|(lag, fault, retry)| {
        let fault = vec![lag, fault];
        [fault, retry].concat()
    });
    let cases = (any::<bool>(), first_steps, prop::collection::vec(step(), 5..40));
    let result = runner
        .run(&cases, |(is_paid, first_steps, steps)| runtime.block_on(run_case(is_paid, first_steps, steps)));
    if let Err(error) = result {
        panic!("{error}");
    }
}
