//! The fake shop over HTTP, quirks included (docs/contract.md §1.1 to §1.7); its orders are in `shop_orders_http`.

use std::collections::HashMap;

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, patch, post},
};
use base64::Engine;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    credentials,
    shelves::{Product, StockItem},
    shop::{Shop, merge},
    shop_orders_http::{complete_shipment, list_orders, patch_shipment, quick_process, show_order},
};

pub(super) type Params = Query<HashMap<String, String>>;

pub(super) fn router(shop: Shop) -> Router {
    Router::new()
        .route("/api/v0/orders", get(list_orders))
        .route("/api/v0/orders/{id}", get(show_order))
        .route("/api/v0/orders/{id}/quick-process", post(quick_process))
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
        .layer(middleware::from_fn(quirks))
        .with_state(shop)
}

async fn quirks(request: Request, next: Next) -> Response {
    match header_error(&request) {
        Some(response) => response,
        None => next.run(request).await,
    }
}

/// 401 without the right user, 406 without an Accept of JSON.
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

pub(super) fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "code": status.as_u16(), "error": error }))).into_response()
}

pub(super) fn one(data: &Value) -> Response {
    Json(json!({ "data": data })).into_response()
}

async fn list_products(State(shop): State<Shop>, Query(params): Params) -> Response {
    let state = shop.state();
    let mut products: Vec<_> = state.products.iter().collect(); // by id
    if params.get("sort").is_none_or(|sort| sort != "id-asc") {
        products.sort_by_key(|(_, product)| product.updated_at);
    }
    let Some(window) = Window::of(&params) else { return refuse(StatusCode::BAD_REQUEST, "no time") };
    let wanted = |id: &u64| {
        let ids = params.get("id").map(|list| list.split(',').any(|it| it == id.to_string()));
        ids.unwrap_or(true)
    };
    products.retain(|(id, product)| wanted(id) && window.holds(product.updated_at, product.updated_at));
    page(&products, &params, |(id, product)| product_json(**id, product))
}

async fn list_stock(State(shop): State<Shop>, Query(params): Params) -> Response {
    let state = shop.state();
    let products = ids_by_code(&state);
    let items: Vec<_> = state.stock.iter().collect();
    page(&items, &params, |(code, item)| stock_json(code, item, products.get(code.as_str()).copied()))
}

/// The four range filters, each with both ends included.
pub(super) struct Window {
    created: [Option<DateTime<Utc>>; 2],
    updated: [Option<DateTime<Utc>>; 2],
}

impl Window {
    /// `None` where a time is none.
    pub(super) fn of(params: &HashMap<String, String>) -> Option<Self> {
        let time = |key: &str| match params.get(key).map(|text| DateTime::parse_from_rfc3339(text)) {
            Some(Ok(time)) => Some(Some(time.with_timezone(&Utc))),
            Some(Err(_)) => None,
            None => Some(None),
        };
        Some(Self {
            created: [time("created_at-from")?, time("created_at-to")?],
            updated: [time("updated_at-from")?, time("updated_at-to")?],
        })
    }

    pub(super) fn holds(&self, created: DateTime<Utc>, updated: DateTime<Utc>) -> bool {
        let within = |[from, to]: [Option<DateTime<Utc>>; 2], at| {
            from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to)
        };
        within(self.created, created) && within(self.updated, updated)
    }
}

/// One page; `next` is absent on the last one.
pub(super) fn page<T>(
    matching: &[T],
    params: &HashMap<String, String>,
    json: impl Fn(&T) -> Value,
) -> Response {
    let number = |key: &str, default| params.get(key).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (page, size): (usize, usize) = (number("page", 1), number("page_size", 20));
    let count = matching.len();
    let data: Vec<_> = matching.iter().skip((page - 1) * size).take(size).map(json).collect();
    let mut meta =
        json!({ "page": page, "page_size": size, "item_count": count, "page_count": count.div_ceil(size) });
    if page * size < count {
        meta["next"] = format!("?page={}", page + 1).into();
    }
    Json(json!({ "data": data, "meta": meta })).into_response()
}

/// Products by their own code and by their variations'.
pub(super) fn ids_by_code(state: &super::shop::State) -> HashMap<&str, u64> {
    let own = state.products.iter().map(|(id, product)| (product.code.as_str(), *id));
    let varied = state
        .products
        .iter()
        .flat_map(|(id, product)| product.variations.iter().map(move |(_, code, _)| (code.as_str(), *id)));
    own.chain(varied).collect()
}

async fn suppliers() -> Response {
    Json(json!({ "data": [
        { "id": 71, "name": "Kahvila Oy" },
        { "id": 72, "name": "Teetalo Oy" },
    ], "meta": { "page": 1 } }))
    .into_response()
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
    let product = ids_by_code(&state).get(code.as_str()).copied();
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
    let Some(item) = state.stock.get_mut(&code) else {
        return refuse(StatusCode::NOT_FOUND, "no such stock item");
    };
    if let Some(quantity) = body.get("quantity").and_then(Value::as_i64) {
        item.quantity = quantity;
    }
    if let Some(enabled) = body.get("enabled").and_then(Value::as_bool) {
        item.enabled = enabled;
    }
    one(&stock_json(&code, item, None))
}

fn stock_json(code: &str, item: &StockItem, product: Option<u64>) -> Value {
    json!({
        "code": code, "enabled": item.enabled, "quantity": item.quantity.to_string(), "reserved": item.reserved,
        "balance": item.quantity - item.reserved, "barcode": null, "product_id": product,
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
