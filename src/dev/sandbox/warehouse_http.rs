//! The fake warehouse over HTTP, quirks included (docs/contract.md §2.1 to §2.6).

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use base64::Engine;
use serde_json::{Value, json};

use super::{
    vendor_clock,
    warehouse::Warehouse,
    warehouse_auth::{authenticate, grant},
    warehouse_response::{Params, modified_after, page_response, refuse, rows_of_page},
    warehouse_state::{Order, Stock},
};

pub(super) fn router(warehouse: Warehouse) -> Router {
    Router::new()
        .route("/api/v1/orders", get(list_orders).post(place_order))
        .route("/api/v1/orders/{reference}", put(edit_order))
        .route("/api/v1/products", get(list_products).post(create_product))
        .route("/api/v1/products/{code}", put(update_product))
        .route("/api/v1/stock", get(list_stock))
        .route("/api/v1/webhooks", get(list_subscriptions).post(subscribe))
        .route("/api/v1/webhooks/{id}", delete(unsubscribe))
        .layer(middleware::from_fn_with_state(warehouse.clone(), authenticate))
        .route("/OAuth/Token", post(grant))
        .fallback(|| async { refuse(StatusCode::NOT_FOUND, "no such endpoint") })
        .layer(middleware::from_fn_with_state(warehouse.clock.clone(), vendor_clock::date))
        .with_state(warehouse)
}

async fn list_orders(State(warehouse): State<Warehouse>, Query(params): Params) -> Response {
    let now = warehouse.now();
    let mut state = warehouse.state();
    let after = match modified_after(&params) {
        Ok(after) => after,
        Err(response) => return *response,
    };
    // The search matches by prefix in any case: callers must compare the whole reference.
    let wanted = params.get("reference");
    let found = state.search(wanted.map(String::as_str));
    let matching = found.iter().filter_map(|position| state.orders.get(*position));
    let visible = |order: &&Order| !order.is_hidden && order.created_at + state.search_lag <= now;
    let matching = matching.filter(visible).filter(|order| after.is_none_or(|after| order.edited_at > after));
    let mut matching: Vec<_> = matching.collect();
    if state.sorts_by_time {
        matching.sort_by_key(|order| order.edited_at);
    }
    let poisoned = state.poisoned.as_ref().filter(|_| wanted.is_none());
    let holds = |reference: &String| {
        rows_of_page(&matching, &params).iter().any(|order| order.reference == *reference)
    };
    match poisoned.filter(|(reference, _)| holds(reference)) {
        Some((reference, poison)) => {
            let row = |order: &&Order| {
                let mut json = order_json(order);
                if order.reference == *reference {
                    json["poison"] = "".into();
                }
                json
            };
            let page: Vec<_> = rows_of_page(&matching, &params).iter().map(row).collect();
            poison.spoil(page.into(), false)
        }
        None => page_response(&matching, &params, |order| order_json(order)),
    }
}

/// An order as JSON. Statuses come in either case.
fn order_json(order: &Order) -> Value {
    let is_uppercase = order.lines.first().is_some_and(|(_, pieces)| pieces % 2 == 0);
    let status = if is_uppercase { order.status.to_uppercase() } else { order.status.to_owned() };
    json!({
        "id": order.id, "reference": order.reference, "status": status, "trackingNumber": order.tracking,
        "trackingUrl": order.tracking.as_ref().map(|code| format!("https://track.example/{code}")),
        "trackingStatus": order.tracking_status, "originReference": order.sent.get("originReference"),
        "editTime": order.edited_at.to_rfc3339(), "warehouseComments": order.comments,
        "orderLines": order.lines.iter().map(|(code, pieces)| json!({ "code": code, "quantity": pieces }))
            .collect::<Vec<_>>(),
    })
}

async fn place_order(State(warehouse): State<Warehouse>, Json(sent): Json<Value>) -> Response {
    let customer =
        |key: &str| sent.pointer(&format!("/customer/{key}")).and_then(Value::as_str).unwrap_or_default();
    let is_complete = ["name", "address1", "city"].iter().all(|key| !customer(key).is_empty());
    if !is_complete || customer("countryCode").len() != 2 {
        return refuse(StatusCode::BAD_REQUEST, "customer is not valid");
    }
    match warehouse.accept_order(sent) {
        Some(order) => Json(order_json(&order)).into_response(),
        None => refuse(StatusCode::BAD_REQUEST, "the order is not valid"),
    }
}

async fn edit_order(
    State(warehouse): State<Warehouse>,
    Path(reference): Path<String>,
    Json(sent): Json<Value>,
) -> Response {
    match warehouse.apply_edit(&reference, &sent) {
        Some(true) => warehouse.find(&reference).map_or_else(
            || refuse(StatusCode::NOT_FOUND, "gone"),
            |order| Json(order_json(&order)).into_response(),
        ),
        Some(false) => refuse(StatusCode::BAD_REQUEST, "the order cannot be edited"),
        None => refuse(StatusCode::NOT_FOUND, "no such order"),
    }
}

async fn list_products(State(warehouse): State<Warehouse>, Query(params): Params) -> Response {
    let state = warehouse.state();
    let wanted = params.get("code");
    let matching = state.products.iter().filter(|(code, _)| wanted.is_none_or(|wanted| *code == wanted));
    let mut matching: Vec<_> = matching.map(|(_, product)| product).collect();
    matching.truncate(state.list_limit.unwrap_or(usize::MAX));
    page_response(&matching, &params, |product| (*product).clone())
}

async fn create_product(State(warehouse): State<Warehouse>, Json(sent): Json<Value>) -> Response {
    write_product(&warehouse, None, sent)
}

async fn update_product(
    State(warehouse): State<Warehouse>,
    Path(code): Path<String>,
    Query(params): Params,
    Json(sent): Json<Value>,
) -> Response {
    let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&code).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    match (params.get("base64url").map(String::as_str), decoded) {
        (Some("true"), Some(code)) => write_product(&warehouse, Some(&code), sent),
        (Some("true"), None) => refuse(StatusCode::BAD_REQUEST, "not base64url"),
        _ => write_product(&warehouse, Some(&code), sent),
    }
}

/// Creates a product (`old` is none) or updates one. Another code in the body renames it; an EAN once set stays.
fn write_product(warehouse: &Warehouse, old: Option<&str>, mut sent: Value) -> Response {
    let now = warehouse.now();
    let Some(code) = sent.get("code").and_then(Value::as_str).map(ToOwned::to_owned) else {
        return refuse(StatusCode::BAD_REQUEST, "code is needed");
    };
    if let Some(field) = wrong_customs_field(&sent) {
        return refuse(StatusCode::BAD_REQUEST, &format!("{field} is not valid"));
    }
    let mut state = warehouse.state();
    let before = match old {
        None if state.products.contains_key(&code) => return refuse(StatusCode::BAD_REQUEST, "code exists"),
        None => None,
        Some(old) => match state.products.remove(old) {
            Some(before) => Some(before),
            None => return refuse(StatusCode::NOT_FOUND, "no such product"),
        },
    };
    if let Some(ean) = before.as_ref().and_then(|before| before.get("eanCode")).filter(|ean| !ean.is_null()) {
        sent["eanCode"] = ean.clone();
    }
    sent["id"] = before.map_or_else(|| json!(warehouse.entropy.fence()), |before| before["id"].clone());
    // A renamed product keeps its stock.
    let old_stock = old.filter(|old| *old != code).and_then(|old| state.stock.remove(old));
    state.products.insert(code.clone(), sent.clone());
    let stock = old_stock.unwrap_or(Stock { physical: 0, reserved: 0, modified: now });
    state.stock.entry(code).or_insert(Stock { modified: now, ..stock });
    Json(sent).into_response()
}

/// A field, and whether its text is right.
type Check = (&'static str, fn(&str) -> bool);

/// A field for customs that is there and wrong.
fn wrong_customs_field(sent: &Value) -> Option<&'static str> {
    let is_wrong = |field: &str, is_right: fn(&str) -> bool| {
        sent.get(field).is_some_and(|value| !value.as_str().is_some_and(is_right))
    };
    let checks: [Check; 3] = [
        ("countryOfOrigin", |text| text.len() == 2),
        ("customsDescription", |text| (1..=50).contains(&text.chars().count())),
        ("hsCode", |text| text.len() == 8 && text.bytes().all(|it| it.is_ascii_digit())),
    ];
    checks.into_iter().find(|(field, is_right)| is_wrong(field, *is_right)).map(|(field, _)| field)
}

async fn list_stock(State(warehouse): State<Warehouse>, Query(params): Params) -> Response {
    let state = warehouse.state();
    let after = match modified_after(&params) {
        Ok(after) => after,
        Err(response) => return *response,
    };
    let wanted = params.get("productCode");
    let matching = state.stock.iter().filter(|(code, stock)| {
        wanted.is_none_or(|wanted| *code == wanted) && after.is_none_or(|after| stock.modified > after)
    });
    let mut matching: Vec<_> = matching.collect();
    if state.sorts_by_time {
        matching.sort_by_key(|(_, stock)| stock.modified);
    }
    matching.truncate(state.list_limit.unwrap_or(usize::MAX));
    page_response(&matching, &params, |(code, stock)| {
        json!({
            "productCode": code, "stock": stock.physical, "stockAvailable": stock.physical - stock.reserved,
            "reserved": stock.reserved, "modified": stock.modified.to_rfc3339(),
        })
    })
}

async fn list_subscriptions(State(warehouse): State<Warehouse>) -> Response {
    let items: Vec<_> = warehouse.state().subscriptions.iter().map(subscription).collect();
    Json(items).into_response()
}

/// Registers a webhook. The host of its URL needs a dot (docs/contract.md §2.7).
async fn subscribe(State(warehouse): State<Warehouse>, Json(body): Json<Value>) -> Response {
    let [Some(url), Some(key), Some(kind)] = ["url", "key", "type"].map(|key| body[key].as_str()) else {
        return refuse(StatusCode::BAD_REQUEST, "url, key and type are needed");
    };
    let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
    if !host.contains('.') {
        return refuse(StatusCode::BAD_REQUEST, "the url is invalid");
    }
    let subscription_row =
        [warehouse.entropy.fence().to_string(), kind.to_owned(), url.to_owned(), key.to_owned()];
    let answer = subscription(&subscription_row);
    warehouse.state().subscriptions.push(subscription_row);
    Json(answer).into_response()
}

async fn unsubscribe(State(warehouse): State<Warehouse>, Path(id): Path<String>) -> Response {
    let mut state = warehouse.state();
    let before = state.subscriptions.len();
    state.subscriptions.retain(|[known, ..]| *known != id);
    if state.subscriptions.len() == before {
        return refuse(StatusCode::NOT_FOUND, "no such webhook");
    }
    StatusCode::NO_CONTENT.into_response()
}

fn subscription([id, kind, url, _]: &[String; 4]) -> Value {
    json!({ "id": id, "type": kind, "url": url, "customHeaders": {} })
}
