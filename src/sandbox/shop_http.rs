//! The fake shop over HTTP, quirks included (contract/mycashflow.md §1.1 to §1.7).

use std::collections::HashMap;

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, patch, post},
};
use base64::Engine;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    credentials,
    shop::{Order, Product, Shop, StockItem},
};

type Params = Query<HashMap<String, String>>;

pub(super) fn router(shop: Shop) -> Router {
    Router::new()
        .route("/api/v0/orders", get(list_orders))
        .route("/api/v0/orders/{id}", get(show_order))
        .route("/api/v0/orders/{id}/quick-process", post(quick_process))
        .route("/api/v0/orders/{id}/shipments/{shipment}/complete", post(complete_shipment))
        .route("/api/v1/products", get(list_products))
        .route("/api/v1/products/{id}", get(show_product))
        .route("/api/v1/stock/{code}", patch(patch_stock).get(show_stock))
        .route("/api/v1/shipping-methods", get(shipping_methods))
        .route("/api/v1/payment-methods", get(payment_methods))
        .fallback(|| async { refuse(StatusCode::NOT_FOUND, "no such endpoint") })
        .layer(middleware::from_fn(quirks))
        .with_state(shop)
}

async fn quirks(request: Request, next: Next) -> Response {
    match refusal(&request) {
        Some(refused) => refused,
        None => next.run(request).await,
    }
}

/// 401 without the right user, 406 without an Accept of JSON.
fn refusal(request: &Request) -> Option<Response> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let expected = format!("{}:{}", credentials::USER, credentials::API_KEY);
    let expected = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(expected));
    if header(header::AUTHORIZATION) != expected {
        return Some(refuse(StatusCode::UNAUTHORIZED, "wrong user or key"));
    }
    if header(header::ACCEPT) != "application/json" {
        return Some(refuse(StatusCode::NOT_ACCEPTABLE, "Accept: application/json is needed"));
    }
    None
}

fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "code": status.as_u16(), "error": error }))).into_response()
}

fn one(data: &Value) -> Response {
    Json(json!({ "data": data })).into_response()
}

async fn list_orders(State(shop): State<Shop>, Query(params): Params) -> Response {
    let state = shop.state();
    let mut orders: Vec<_> = state.orders.values().collect();
    orders.sort_by_key(|order| order.updated_at);
    let changed = orders.into_iter().map(|order| (order.updated_at, order_json(order, false)));
    page(changed.collect(), &params)
}

async fn list_products(State(shop): State<Shop>, Query(params): Params) -> Response {
    let state = shop.state();
    let mut products: Vec<_> = state.products.iter().collect();
    products.sort_by_key(|(_, product)| product.updated_at);
    let changed = products.into_iter().map(|(id, product)| (product.updated_at, product_json(*id, product)));
    page(changed.collect(), &params)
}

/// One page behind `updated_at-from`; `next` is absent on the last page.
fn page(changed: Vec<(DateTime<Utc>, Value)>, params: &HashMap<String, String>) -> Response {
    let number = |key: &str, default| params.get(key).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (page, size): (usize, usize) = (number("page", 1), number("page_size", 20));
    let from = match params.get("updated_at-from").map(|text| DateTime::parse_from_rfc3339(text)) {
        Some(Ok(from)) => Some(from.with_timezone(&Utc)),
        Some(Err(_)) => return refuse(StatusCode::BAD_REQUEST, "updated_at-from is no time"),
        None => None,
    };
    let matching: Vec<_> =
        changed.into_iter().filter(|(at, _)| from.is_none_or(|from| *at >= from)).collect();
    let count = matching.len();
    let data: Vec<_> =
        matching.into_iter().map(|(_, item)| item).skip((page - 1) * size).take(size).collect();
    let mut meta =
        json!({ "page": page, "page_size": size, "item_count": count, "page_count": count.div_ceil(size) });
    if page * size < count {
        meta["next"] = format!("?page={}", page + 1).into();
    }
    Json(json!({ "data": data, "meta": meta })).into_response()
}

async fn show_order(State(shop): State<Shop>, Path(id): Path<u64>) -> Response {
    shop.order(id)
        .map_or_else(|| refuse(StatusCode::NOT_FOUND, "no such order"), |it| one(&order_json(&it, true)))
}

/// Numbers come as numbers for one order and as text for the next; an unset address is an empty list.
fn order_json(order: &Order, expanded: bool) -> Value {
    let loose =
        |number: u64| if order.id.is_multiple_of(2) { json!(number) } else { json!(number.to_string()) };
    let mut json = json!({
        "id": loose(order.id),
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
            json!({ "product_code": code, "quantity": pieces, "download_id": null, "unit_price": "19.90" })
        });
        json["products"] = lines.collect();
        let status = if order.is_paid { "PAID" } else { "OPEN" };
        json["payments"] = json!([{
            "id": order.id, "payment_method_id": if order.cash_on_delivery { 9 } else { 8 },
            "amount": "19.90", "currency": "EUR", "is_paid": order.is_paid, "is_confirmed": true, "status": status,
        }]);
        let shipments = order.shipments.iter().map(|it| {
            let done = it.completions > 0;
            json!({
                "id": loose(it.id), "status": if done { "COMPLETED" } else { "OPEN" },
                "completed_at": done.then(|| order.updated_at.to_rfc3339()), "tracking_code": it.tracking_code,
                "external_pickup_point_id": it.pickup_point,
            })
        });
        json["shipments"] = shipments.collect();
    }
    json
}

/// Only for orders of exactly one payment, all of it at once; open cash on delivery must be allowed.
async fn quick_process(State(shop): State<Shop>, Path(id): Path<u64>, Json(body): Json<Value>) -> Response {
    let Some(order) = shop.order(id) else { return refuse(StatusCode::NOT_FOUND, "no such order") };
    let allowed = body.get("allow_open_cash_on_delivery_payments") == Some(&json!(true));
    if order.cash_on_delivery && !order.is_paid && !allowed {
        return refuse(StatusCode::CONFLICT, "open cash on delivery");
    }
    if !order.cash_on_delivery && !order.is_paid {
        return refuse(StatusCode::CONFLICT, "not paid");
    }
    shop.state().writes += 1;
    if !shop.completes(id, None, body.get("tracking_code").and_then(Value::as_str)) {
        return refuse(StatusCode::CONFLICT, "the order is not open");
    }
    shop.order(id).map_or_else(|| refuse(StatusCode::NOT_FOUND, "gone"), |it| one(&order_json(&it, false)))
}

async fn complete_shipment(State(shop): State<Shop>, Path((id, shipment)): Path<(u64, u64)>) -> Response {
    shop.state().writes += 1;
    if shop.completes(id, Some(shipment), None) {
        return one(&json!({ "id": shipment, "status": "COMPLETED" }));
    }
    refuse(StatusCode::CONFLICT, "the shipment is not open")
}

async fn show_product(State(shop): State<Shop>, Path(id): Path<u64>) -> Response {
    let state = shop.state();
    let found = state.products.get(&id).map(|product| product_json(id, product));
    found.map_or_else(|| refuse(StatusCode::NOT_FOUND, "no such product"), |it| one(&it))
}

fn product_json(id: u64, product: &Product) -> Value {
    let variations = product
        .variations
        .iter()
        .map(|(id, code, name)| json!({ "id": id, "product_code": code, "name": name, "stock_item": [] }));
    json!({
        "id": id, "updated_at": product.updated_at.to_rfc3339(), "name": product.name, "product_code": product.code,
        "supplier_code": null, "stock_item": [], "brand": [], "variations": variations.collect::<Vec<_>>(),
    })
}

async fn show_stock(State(shop): State<Shop>, Path(code): Path<String>) -> Response {
    let state = shop.state();
    let found = state.stock.get(&code).map(|item| stock_json(&code, item));
    found.map_or_else(|| refuse(StatusCode::NOT_FOUND, "no such stock item"), |it| one(&it))
}

async fn patch_stock(
    State(shop): State<Shop>,
    Path(code): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    let mut state = shop.state();
    state.writes += 1;
    let Some(item) = state.stock.get_mut(&code) else {
        return refuse(StatusCode::NOT_FOUND, "no such stock item");
    };
    if let Some(quantity) = body.get("quantity").and_then(Value::as_i64) {
        item.quantity = quantity;
    }
    if let Some(enabled) = body.get("enabled").and_then(Value::as_bool) {
        item.enabled = enabled;
    }
    one(&stock_json(&code, item))
}

fn stock_json(code: &str, item: &StockItem) -> Value {
    json!({
        "code": code, "enabled": item.enabled, "quantity": item.quantity.to_string(), "reserved": item.reserved,
        "balance": item.quantity - item.reserved, "barcode": null,
    })
}

async fn shipping_methods() -> Response {
    Json(json!({ "data": [
        { "id": 1, "name": "Posti Paketti", "product_code": "POSTI-14" },
        { "id": 2, "name": "Nouto Postista", "product_code": "POSTI-PICKUP" },
        { "id": 3, "name": "Lentokone", "product_code": null },
    ], "meta": { "page": 1 } }))
    .into_response()
}

async fn payment_methods() -> Response {
    Json(json!({ "data": [
        { "id": 8, "name": "Verkkomaksu", "product_code": null },
        { "id": 9, "name": "Postiennakko", "product_code": "COD" },
    ], "meta": { "page": 1 } }))
    .into_response()
}
