//! The order endpoints of the fake shop.

use std::collections::HashMap;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    shop::Shop,
    shop_response::{Params, TimeFilter, one, page_json, refuse, rows_of_page, sort},
    shop_state::{Order, merge},
};

pub(super) async fn list_orders(State(shop): State<Shop>, Query(params): Params) -> Response {
    let now = shop.now();
    let state = shop.state();
    let mut orders: Vec<_> = state.orders.values().collect(); // by id
    sort(&mut orders, &params, |order| order.updated_at);
    let Some(times) = TimeFilter::parse(&params) else {
        return refuse(StatusCode::BAD_REQUEST, "no time");
    };
    let expanded = params.contains_key("expand");
    orders.retain(|order| {
        times.matches(order.created_at, order.updated_at) && order.updated_at + state.list_lag <= now
    });
    if orders.iter().any(|order| Some(order.id) == state.unlistable_order) {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "internal error");
    }
    let products = state.ids_by_code();
    let poisons = rows_of_page(&orders, &params).iter().filter_map(|order| state.poisoned.get(&order.id));
    let page = page_json(&orders, &params, |order| {
        let mut json = order_json(order, &products, expanded);
        if state.poisoned.contains_key(&order.id) {
            json["poison"] = "".into();
        }
        json
    });
    match poisons.copied().next() {
        Some(poison) => poison.spoil(page, true),
        None => Json(page).into_response(),
    }
}

pub(super) async fn show_order(State(shop): State<Shop>, Path(id): Path<u64>) -> Response {
    answer_order(&shop, id, true)
}

fn answer_order(shop: &Shop, id: u64, expanded: bool) -> Response {
    let state = shop.state();
    let found = state.orders.get(&id).map(|order| order_json(order, &state.ids_by_code(), expanded));
    found.map_or_else(|| refuse(StatusCode::NOT_FOUND, "no such order"), |it| one(&it))
}

/// An order as JSON. Numbers are numbers for one order and text for the next; an unset address is an empty list.
fn order_json(order: &Order, products: &HashMap<&str, u64>, expanded: bool) -> Value {
    let loose =
        |number: u64| if order.id.is_multiple_of(2) { json!(number) } else { json!(number.to_string()) };
    let mut json = json!({
        "id": loose(order.id),
        "created_at": order.created_at.to_rfc3339(),
        "updated_at": order.updated_at.to_rfc3339(),
        "status": order.status,
        "shipping_method_id": loose(order.shipping_method_id),
        "payment_method_id": if order.cash_on_delivery { 9 } else { 8 },
        "different_shipping_address": false,
        "shipping_address": [],
        "customer_information": {
            "first_name": "Testi", "last_name": "Asiakas", "street_address": "Testikatu 1", "postal_code": "00100",
            "city": "Helsinki", "country": order.country, "phone": "+358401234567", "email": "asiakas@example.com",
        },
        "total": "19.90",
    });
    if expanded {
        let lines = order.lines.iter().map(|(code, pieces)| {
            json!({
                "product_code": code, "quantity": pieces, "download_id": null, "unit_price": "19.90", "vat_rate": 25.5,
                "product_id": products.get(code.as_str()),
            })
        });
        let added = order.added_lines.iter().map(|(shipment, code, pieces)| {
            json!({
                "product_code": code, "quantity": pieces, "download_id": null, "unit_price": "19.90", "vat_rate": 25.5,
                "product_id": products.get(code.as_str()), "shipment_id": loose(*shipment),
            })
        });
        json["products"] = lines.chain(added).collect();
        let status = if order.is_paid { "PAID" } else { "OPEN" };
        json["payments"] = json!([{
            "id": order.id, "payment_method_id": if order.cash_on_delivery { 9 } else { 8 },
            "amount": "19.90", "currency": "EUR", "is_paid": order.is_paid, "is_confirmed": true, "status": status,
        }]);
        let shipments = order.shipments.iter().map(|it| {
            let done = it.completions > 0;
            json!({
                "id": loose(it.id), "type": it.kind, "status": if done { "COMPLETED" } else { "OPEN" },
                "completed_at": done.then(|| order.updated_at.to_rfc3339()), "tracking_code": it.tracking_code,
                "external_pickup_point_id": it.pickup_point,
            })
        });
        json["shipments"] = shipments.collect();
    }
    merge(&mut json, &order.patch);
    for payment in json["payments"].as_array_mut().into_iter().flatten() {
        if payment["id"].as_u64().is_some_and(|id| order.activated.contains(&id)) {
            (payment["status"], payment["is_paid"]) = (json!("PAID"), json!(true));
        }
    }
    json
}

/// A payment as the shop shows it.
struct ShownPayment {
    id: Option<u64>,
    /// In capitals.
    status: String,
}

fn payments_of(order: &Order) -> Vec<ShownPayment> {
    let json = order_json(order, &HashMap::new(), true);
    let shown = |it: &Value| ShownPayment {
        id: it["id"].as_u64(),
        status: it["status"].as_str().unwrap_or_default().to_uppercase(),
    };
    json["payments"].as_array().into_iter().flatten().map(shown).collect()
}

/// Completes a whole order. Open cash on delivery must be allowed explicitly.
pub(super) async fn quick_process(
    State(shop): State<Shop>,
    Path(id): Path<u64>,
    Json(body): Json<Value>,
) -> Response {
    let Some(order) = shop.order(id) else { return refuse(StatusCode::NOT_FOUND, "no such order") };
    let allowed = body.get("allow_open_cash_on_delivery_payments") == Some(&json!(true));
    if order.cash_on_delivery && !order.is_paid && !allowed {
        return refuse(StatusCode::CONFLICT, "open cash on delivery");
    }
    let payments = payments_of(&order);
    if payments.len() != 1 {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "an order with exactly one payment only");
    }
    let is_open = payments.iter().any(|it| it.status == "OPEN");
    if !order.cash_on_delivery && is_open {
        return refuse(StatusCode::CONFLICT, "not paid");
    }
    for payment in payments.iter().filter(|it| it.status == "PENDING_ACTIVATION").filter_map(|it| it.id) {
        shop.activate(id, payment);
    }
    shop.state().writes += 1;
    if !shop.complete(id, None, body.get("tracking_code").and_then(Value::as_str)) {
        return refuse(StatusCode::CONFLICT, "the order is not open");
    }
    if body.get("send_emails") == Some(&json!(true)) {
        shop.state().mailed.push(id);
    }
    answer_order(&shop, id, false)
}

/// Activates a payment that awaits it.
pub(super) async fn activate_payment(
    State(shop): State<Shop>,
    Path((id, payment)): Path<(u64, u64)>,
) -> Response {
    let Some(order) = shop.order(id) else { return refuse(StatusCode::NOT_FOUND, "no such order") };
    shop.state().writes += 1;
    let awaits = |it: &ShownPayment| it.id == Some(payment) && it.status == "PENDING_ACTIVATION";
    if !payments_of(&order).iter().any(awaits) {
        return refuse(StatusCode::CONFLICT, "the payment does not await activation");
    }
    shop.activate(id, payment);
    one(&json!({ "id": payment, "status": "PAID" }))
}

/// Completes one shipment. All payments must be activated.
pub(super) async fn complete_shipment(
    State(shop): State<Shop>,
    Path((id, shipment)): Path<(u64, u64)>,
) -> Response {
    shop.state().writes += 1;
    let payments = shop.order(id).map(|order| payments_of(&order)).unwrap_or_default();
    if payments.iter().any(|it| it.status == "PENDING_ACTIVATION") {
        return refuse(StatusCode::CONFLICT, "a payment is not activated");
    }
    if shop.complete(id, Some(shipment), None) {
        return one(&json!({ "id": shipment, "status": "COMPLETED" }));
    }
    refuse(StatusCode::CONFLICT, "the shipment is not open")
}

pub(super) async fn patch_shipment(
    State(shop): State<Shop>,
    Path((id, shipment)): Path<(u64, u64)>,
    Json(body): Json<Value>,
) -> Response {
    let mut state = shop.state();
    if !state.accepts_tracking {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "a shipment cannot be changed");
    }
    let order = state.orders.get_mut(&id);
    let found = order.and_then(|order| order.shipments.iter_mut().find(|it| it.id == shipment));
    let Some(found) = found else { return refuse(StatusCode::NOT_FOUND, "no such shipment") };
    found.tracking_code = body.get("tracking_code").and_then(Value::as_str).map(ToOwned::to_owned);
    one(&json!({ "id": shipment }))
}
