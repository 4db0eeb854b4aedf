//! The fake shop over HTTP, quirks included (docs/contract.md §1.1 to §1.7). The order endpoints are in
//! `shop_orders_http`.

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, patch, post},
};
use base64::Engine;
use serde_json::{Value, json};

use super::{
    credentials,
    shop::Shop,
    shop_orders_http::{
        activate_payment, complete_shipment, list_orders, patch_shipment, quick_process, show_order,
    },
    shop_response::{Params, TimeFilter, one, page, refuse, sort},
    shop_state::{Product, StockItem, merge},
    vendor_clock,
};

pub(super) fn router(shop: Shop) -> Router {
    Router::new()
        .route("/api/v0/orders", get(list_orders))
        .route("/api/v0/orders/{id}", get(show_order))
        .route("/api/v0/orders/{id}/quick-process", post(quick_process))
        .route("/api/v0/orders/{id}/payments/{payment}/activate", post(activate_payment))
        .route("/api/v0/orders/{id}/shipments/{shipment}", patch(patch_shipment))
        .route("/api/v0/orders/{id}/shipments/{shipment}/complete", post(complete_shipment))
        .route("/api/v1/suppliers", get(suppliers))
        .route("/api/v1/products", get(list_products))
        .route("/api/v1/products/{id}", get(show_product))
        .route("/api/v1/stock", get(list_stock))
        .route("/api/v1/stock/{code}", patch(patch_stock).get(show_stock))
        .route("/api/v1/shipping-methods", get(shipping_methods))
        .route("/api/v1/payment-methods", get(payment_methods))
        .route("/api/v1/webhooks", get(list_subscriptions).post(subscribe))
        .route("/api/v1/webhooks/{uuid}", delete(unsubscribe))
        .fallback(|| async { refuse(StatusCode::NOT_FOUND, "no such endpoint") })
        .layer(middleware::from_fn(check_headers))
        .layer(middleware::from_fn_with_state(shop.clock.clone(), vendor_clock::date))
        .with_state(shop)
}

async fn check_headers(request: Request, next: Next) -> Response {
    match header_error(&request) {
        Some(response) => response,
        None => next.run(request).await,
    }
}

/// 401 without the right user, 406 without an `Accept` of JSON.
fn header_error(request: &Request) -> Option<Response> {
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

async fn list_products(State(shop): State<Shop>, Query(params): Params) -> Response {
    let state = shop.state();
    let mut products: Vec<_> = state.products.iter().collect(); // by id
    sort(&mut products, &params, |(_, product)| product.updated_at);
    let Some(times) = TimeFilter::parse(&params) else {
        return refuse(StatusCode::BAD_REQUEST, "no time");
    };
    let wanted = |id: &u64| {
        let ids = params.get("id").map(|list| list.split(',').any(|it| it == id.to_string()));
        ids.unwrap_or(true)
    };
    products.retain(|(id, product)| wanted(id) && times.matches(product.updated_at, product.updated_at));
    page(&products, &params, |(id, product)| product_json(**id, product))
}

async fn list_stock(State(shop): State<Shop>, Query(params): Params) -> Response {
    let state = shop.state();
    let products = state.ids_by_code();
    let items: Vec<_> = state.stock.iter().collect();
    page(&items, &params, |(code, item)| stock_json(code, item, products.get(code.as_str()).copied()))
}

async fn suppliers(State(shop): State<Shop>) -> Response {
    methods(
        &shop,
        "suppliers",
        json!([{ "id": 71, "name": "Kahvila Oy" }, { "id": 72, "name": "Teetalo Oy" }]),
    )
}

/// A short list, and what was added to it.
fn methods(shop: &Shop, list: &str, mut data: Value) -> Response {
    let state = shop.state();
    let added = state.methods.iter().filter(|(its, _)| *its == list).map(|(_, method)| method.clone());
    data.as_array_mut().into_iter().for_each(|rows| rows.extend(added.clone()));
    Json(json!({ "data": data, "meta": { "page": 1 } })).into_response()
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
    let mut json = json!({
        "id": id, "updated_at": product.updated_at.to_rfc3339(), "name": product.name, "product_code": product.code,
        "supplier_code": null, "supplier_id": product.supplier, "stock_item": [], "brand": [], "variations": variations.collect::<Vec<_>>(),
    });
    merge(&mut json, &product.patch);
    json
}

async fn show_stock(State(shop): State<Shop>, Path(code): Path<String>) -> Response {
    let state = shop.state();
    let product = state.ids_by_code().get(code.as_str()).copied();
    let found = state.stock.get(&code).map(|item| stock_json(&code, item, product));
    found.map_or_else(|| refuse(StatusCode::NOT_FOUND, "no such stock item"), |it| one(&it))
}

async fn patch_stock(
    State(shop): State<Shop>,
    Path(code): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    let mut state = shop.state();
    state.writes += 1;
    let forgets = state.forgets_untracked;
    let Some(item) = state.stock.get_mut(&code) else {
        return refuse(StatusCode::NOT_FOUND, "no such stock item");
    };
    if let Some(enabled) = body.get("enabled").and_then(Value::as_bool) {
        item.enabled = enabled;
    }
    if let Some(quantity) = body.get("quantity").and_then(Value::as_i64)
        && (item.enabled || !forgets)
    {
        item.quantity = quantity;
    }
    one(&stock_json(&code, item, None))
}

fn stock_json(code: &str, item: &StockItem, product: Option<u64>) -> Value {
    json!({
        "code": code, "enabled": item.enabled, "quantity": item.quantity.to_string(), "reserved": item.reserved,
        "balance": item.quantity - item.reserved, "barcode": null, "product_id": product,
    })
}

async fn shipping_methods(State(shop): State<Shop>) -> Response {
    let data = json!([
        { "id": 1, "name": "Posti Paketti", "product_code": "POSTI-14" },
        { "id": 2, "name": "Nouto Postista", "product_code": "POSTI-PICKUP" },
        { "id": 3, "name": "Lentokone", "product_code": null },
    ]);
    methods(&shop, "shipping-methods", data)
}

async fn payment_methods(State(shop): State<Shop>) -> Response {
    let data = json!([
        { "id": 8, "name": "Verkkomaksu", "product_code": null },
        { "id": 9, "name": "Postiennakko", "product_code": "COD" },
    ]);
    methods(&shop, "payment-methods", data)
}

async fn list_subscriptions(State(shop): State<Shop>) -> Response {
    let state = shop.state();
    let items: Vec<_> = state.subscriptions.iter().map(subscription).collect();
    Json(json!({ "data": items, "meta": { "page": 1, "page_count": 1, "item_count": items.len() } }))
        .into_response()
}

async fn subscribe(State(shop): State<Shop>, Json(body): Json<Value>) -> Response {
    let [Some(topic), Some(url)] = ["topic", "url"].map(|key| body[key].as_str()) else {
        return refuse(StatusCode::BAD_REQUEST, "topic and url are needed");
    };
    let mut state = shop.state();
    state.subscribed += 1;
    let subscription_row =
        [format!("{:08x}-ae65-11ec-aef4-0242ac130002", state.subscribed), topic.to_owned(), url.to_owned()];
    state.subscriptions.push(subscription_row.clone());
    one(&subscription(&subscription_row))
}

async fn unsubscribe(State(shop): State<Shop>, Path(uuid): Path<String>) -> Response {
    let mut state = shop.state();
    let before = state.subscriptions.len();
    state.subscriptions.retain(|[known, ..]| *known != uuid);
    if state.subscriptions.len() == before {
        return refuse(StatusCode::NOT_FOUND, "no such webhook");
    }
    StatusCode::NO_CONTENT.into_response()
}

fn subscription([uuid, topic, url]: &[String; 3]) -> Value {
    json!({ "uuid": uuid, "user_id": 7, "topic": topic, "expands": [], "url": url })
}
