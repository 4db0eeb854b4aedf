//! The two failure tables of `vendors/http/error.rs`, one row for each call of each flow and each kind of failure: what
//! the failure makes of the task, and that the action happens once in the end.

use serde_json::json;
use silta::dev::sandbox::{Fault, OrderSpec, Server, Webhook};

use crate::harness::{TestOptions, TestSilta, secs};

/// The effect of a call at the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Read,
    Idempotent,
    Once,
}

/// Every call that a flow makes; [`CALLS`] has its method, path and effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    ReadShopOrder,
    SearchOrder,
    PlaceOrder,
    EditOrder,
    CancelOrder,
    QuickProcess,
    ActivatePayment,
    WriteTracking,
    CompleteShipment,
    ReadWarehouseStock,
    ReadShopStock,
    SetStock,
    ReadShopProduct,
    ReadWarehouseProduct,
    CreateProduct,
    UpdateProduct,
}

use Effect::{Idempotent, Once, Read};

const CALLS: [(Call, &str, &str, Effect); 16] = [
    (Call::ReadShopOrder, "GET", "/api/v0/orders/", Read),
    (Call::SearchOrder, "GET", "/api/v1/orders", Read),
    (Call::PlaceOrder, "POST", "/api/v1/orders", Once),
    (Call::EditOrder, "PUT", "/api/v1/orders/", Idempotent),
    (Call::CancelOrder, "PUT", "/api/v1/orders/", Idempotent),
    (Call::QuickProcess, "POST", "/quick-process", Once),
    (Call::ActivatePayment, "POST", "/activate", Once),
    (Call::WriteTracking, "PATCH", "/shipments/", Once),
    (Call::CompleteShipment, "POST", "/complete", Once),
    (Call::ReadWarehouseStock, "GET", "/api/v1/stock", Read),
    (Call::ReadShopStock, "GET", "/api/v1/stock/", Read),
    (Call::SetStock, "PATCH", "/api/v1/stock/", Idempotent),
    (Call::ReadShopProduct, "GET", "/api/v1/products/", Read),
    (Call::ReadWarehouseProduct, "GET", "/api/v1/products", Read),
    (Call::CreateProduct, "POST", "/api/v1/products", Once),
    (Call::UpdateProduct, "PUT", "/api/v1/products/", Idempotent),
];

/// Each fault, and the expected task state after a read, an idempotent call and a call that must happen once.
const FAULTS: [(Fault, [&str; 3]); 32] = [
    (Fault::DropBefore, ["pending answer_lost", "pending answer_lost", "in_doubt answer_lost"]),
    (Fault::DropAfter, ["pending answer_lost", "pending answer_lost", "in_doubt answer_lost"]),
    (Fault::Hang, ["pending answer_lost", "pending answer_lost", "in_doubt answer_lost"]),
    (Fault::Status(500), ["pending vendor_failed", "pending vendor_failed", "in_doubt vendor_failed"]),
    (Fault::StatusAfter(500), ["pending vendor_failed", "pending vendor_failed", "in_doubt vendor_failed"]),
    (Fault::Status(502), ["pending vendor_failed", "pending vendor_failed", "in_doubt vendor_failed"]),
    (Fault::StatusAfter(502), ["pending vendor_failed", "pending vendor_failed", "in_doubt vendor_failed"]),
    (Fault::Status(503), ["pending vendor_failed", "pending vendor_failed", "in_doubt vendor_failed"]),
    (Fault::Status(504), ["pending vendor_failed", "pending vendor_failed", "in_doubt vendor_failed"]),
    (Fault::StatusAfter(504), ["pending vendor_failed", "pending vendor_failed", "in_doubt vendor_failed"]),
    (
        Fault::Garbage,
        ["pending answer_unreadable", "pending answer_unreadable", "in_doubt answer_unreadable"],
    ),
    (Fault::HalfAnswer, ["pending answer_lost", "pending answer_lost", "in_doubt answer_lost"]),
    (
        Fault::Page(200),
        ["pending answer_unreadable", "pending answer_unreadable", "in_doubt answer_unreadable"],
    ),
    (Fault::TooMany(3), ["pending rate_limited"; 3]),
    (Fault::RetryAfter(503, "3"), ["pending vendor_failed"; 3]),
    (Fault::Status(302), ["pending vendor_failed"; 3]),
    (Fault::Page(307), ["pending vendor_failed"; 3]),
    (Fault::Status(408), ["pending vendor_failed", "pending vendor_failed", "in_doubt vendor_failed"]),
    (Fault::Status(421), ["pending vendor_failed", "pending vendor_failed", "in_doubt vendor_failed"]),
    (Fault::Status(423), ["pending vendor_failed", "pending vendor_failed", "in_doubt vendor_failed"]),
    (Fault::Status(425), ["pending vendor_failed"; 3]),
    (Fault::Page(503), ["pending vendor_failed", "pending vendor_failed", "in_doubt vendor_failed"]),
    (Fault::Status(409), ["dead conflict", "pending conflict", "pending conflict"]),
    (Fault::Status(400), ["dead refused"; 3]),
    (Fault::Status(404), ["pending vendor_failed", "dead refused", "dead refused"]),
    (Fault::Status(405), ["dead refused"; 3]),
    (Fault::Status(410), ["dead refused"; 3]),
    (Fault::Status(413), ["dead refused"; 3]),
    (Fault::Status(422), ["dead refused"; 3]),
    (Fault::Status(401), ["pending access_denied"; 3]),
    (Fault::Status(403), ["pending access_denied"; 3]),
    (Fault::Page(403), ["pending access_denied"; 3]),
];

/// A subject whose next attempt makes the call under test, and the webhook that starts it.
struct Prepared {
    subject: String,
    webhook: Webhook,
}

/// Prepares a new subject so that its next attempt makes this call.
async fn prepare(silta: &TestSilta, call: Call, number: u64) -> Prepared {
    let TestSilta { shop, warehouse, .. } = silta;
    let code = format!("C-{number}");
    let order = |id: u64| format!("order:{id}");
    match call {
        Call::ReadShopOrder | Call::SearchOrder | Call::PlaceOrder => {
            let id = shop.place_order(OrderSpec::of("A", 1));
            Prepared { subject: order(id), webhook: shop.order_created(id) }
        }
        Call::EditOrder | Call::CancelOrder => {
            let id = silta.place_order(OrderSpec::of("A", 1)).await;
            silta.clock.advance(secs(61));
            match call {
                Call::EditOrder => shop.change_quantity(id, 3),
                _ => shop.cancel_order(id),
            }
            Prepared { subject: order(id), webhook: shop.order_updated(id) }
        }
        Call::QuickProcess | Call::ActivatePayment | Call::WriteTracking | Call::CompleteShipment => {
            let shipments = if call == Call::QuickProcess { 1 } else { 2 };
            let mut spec = OrderSpec::of("A", 2).with_shipments(shipments);
            if call == Call::ActivatePayment {
                let payments = json!([{ "id": 1, "status": "PENDING_ACTIVATION", "is_paid": false }]);
                spec = spec.with_json(json!({ "payments": payments }));
            }
            let id = silta.place_order(spec).await;
            let reference = format!("shop-{id}");
            assert!(warehouse.ship_order(&reference));
            Prepared { subject: order(id), webhook: warehouse.order_shipped(&reference) }
        }
        Call::ReadWarehouseStock | Call::ReadShopStock | Call::SetStock => {
            shop.add_product(number, &code, "Kahvi", 0);
            warehouse.receive_goods(&code, 5);
            Prepared { subject: format!("stock:{code}"), webhook: warehouse.stock_changed(&code) }
        }
        Call::ReadShopProduct | Call::ReadWarehouseProduct | Call::CreateProduct => {
            shop.add_product(number, &code, "Kahvi", 0);
            Prepared { subject: format!("product:{number}"), webhook: shop.product_updated(number) }
        }
        Call::UpdateProduct => {
            shop.add_product(number, &code, "Kahvi", 0);
            silta.send_webhook(shop.product_updated(number)).await;
            silta.run_until_idle().await;
            silta.clock.advance(secs(61));
            shop.add_product(number, &code, "Tee", 0);
            Prepared { subject: format!("product:{number}"), webhook: shop.product_updated(number) }
        }
    }
}

fn server(silta: &TestSilta, call: Call) -> &Server {
    match call {
        Call::ReadShopOrder
        | Call::QuickProcess
        | Call::ActivatePayment
        | Call::WriteTracking
        | Call::CompleteShipment
        | Call::ReadShopStock
        | Call::SetStock
        | Call::ReadShopProduct => &silta.sandbox.shop_server,
        Call::SearchOrder
        | Call::PlaceOrder
        | Call::EditOrder
        | Call::CancelOrder
        | Call::ReadWarehouseStock
        | Call::ReadWarehouseProduct
        | Call::CreateProduct
        | Call::UpdateProduct => &silta.sandbox.warehouse_server,
    }
}

/// The expected state where a flow interprets a refusal more precisely than the table.
fn expected_exception(call: Call, fault: Fault, at_warehouse: bool) -> Option<&'static str> {
    let (Fault::Status(status) | Fault::Page(status)) = fault else { return None };
    // After a 401 the access token is renewed and the call repeated: a 401 had no effect.
    if status == 401 && at_warehouse {
        return Some(if call == Call::CancelOrder { "skipped cancelled_at_warehouse" } else { "done" });
    }
    let refusal = [400, 403, 404, 405, 409, 410, 422].contains(&status);
    match call {
        Call::ReadShopOrder | Call::ReadShopStock if status == 404 => Some("skipped unknown_in_shop"),
        // The shop's list, asked by its id, still has it.
        Call::ReadShopProduct if status == 404 => Some("pending answer_unreadable"),
        Call::EditOrder if refusal => Some("dead old_version_at_warehouse"),
        Call::CancelOrder if refusal => Some("dead cancelled_after_transfer"),
        Call::ActivatePayment if [400, 404, 405, 410, 413, 422].contains(&status) => {
            Some("dead payment_not_activated")
        }
        // The shipment is completed all the same.
        Call::WriteTracking if refusal => Some("done"),
        _ => None,
    }
}

#[tokio::test]
async fn every_failure_of_every_call_follows_the_tables() {
    let mut wrong = Vec::new();
    let mut rows = 0;
    for (call, method, path, effect) in CALLS {
        let settings = [
            ("outbound.timeout", "300ms"),
            ("connections.shop.orders.edit", "true"),
            ("connections.shop.orders.shipment_tracking", "true"),
        ];
        let silta = start_with_service_settings(&settings).await;
        silta.warehouse.allow_edits();
        silta.shop.accept_tracking();
        silta.warehouse.receive_goods("A", 1000);
        let at_warehouse = std::ptr::eq(server(&silta, call), &raw const silta.sandbox.warehouse_server);
        for (number, (fault, expected_by_effect)) in (100..).zip(FAULTS) {
            rows += 1;
            let Prepared { subject, webhook } = prepare(&silta, call, number).await;
            server(&silta, call).faults.script(method, path, fault);
            silta.send_webhook(webhook).await;
            silta.run_until_idle().await;
            let expected =
                expected_exception(call, fault, at_warehouse).unwrap_or(expected_by_effect[effect as usize]);
            let seen = silta.task_state(&subject).await;
            if seen != expected {
                wrong.push(format!("{call:?} {fault:?}: {seen}, not {expected}"));
            }
            silta.advance(secs(300)).await;
            let final_state = silta.task_state(&subject).await;
            let needs_operator = expected.starts_with("dead") || expected.starts_with("skipped");
            let is_cancelled = call == Call::CancelOrder && final_state == "skipped cancelled_at_warehouse";
            if final_state != "done" && !(needs_operator && final_state == expected) && !is_cancelled {
                wrong.push(format!("{call:?} {fault:?} ends as {final_state}"));
            }
            if silta.lost_and_doubled().1 > 0 {
                wrong.push(format!("{call:?} {fault:?} doubled something"));
            }
            server(&silta, call).faults.clear();
        }
        if effect == Once {
            wrong.extend(reposted_without_read(&silta).await);
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(rows, CALLS.len() * FAULTS.len());
}

/// POSTs that were sent twice without a read of the same vendor in between.
async fn reposted_without_read(silta: &TestSilta) -> Vec<String> {
    let attempts: Vec<(String, serde_json::Value)> = sqlx::query_as(
        "select subject, calls from attempt join task on task.id = task_id
         order by subject, task_id, attempt.number",
    )
    .fetch_all(&silta.pool)
    .await
    .unwrap();
    let mut wrong = Vec::new();
    let mut sent = std::collections::BTreeSet::new();
    for (subject, calls) in &attempts {
        for call in calls.as_array().unwrap() {
            let text = |key: &str| call[key].as_str().unwrap().to_owned();
            let (vendor, path) = (text("vendor"), text("path"));
            if text("method") == "GET" {
                sent.retain(|(its, at, _)| its != subject || *at != vendor);
            } else if text("method") == "POST"
                && call["status"] != 401 // surely not done: the token was renewed
                && !sent.insert((subject.clone(), vendor, path.clone()))
            {
                wrong.push(format!("{subject}: POST {path} was sent again without a look"));
            }
        }
    }
    wrong
}

async fn start_with_service_settings(settings: &[(&str, &str)]) -> TestSilta {
    let variable = |path: &str| format!("SILTA__{}", path.replace('.', "__")).to_uppercase();
    let named: Vec<_> = settings.iter().map(|(path, value)| (variable(path), *value)).collect();
    let environment: Vec<_> = named.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    TestSilta::start_with_env(TestOptions::default(), &environment).await
}
