//! What the fake warehouse's endpoints answer with: pages, filters by time and refusals.

use std::collections::HashMap;

use axum::{
    Json,
    extract::Query,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

pub(super) type Params = Query<HashMap<String, String>>;

pub(super) fn refuse(status: StatusCode, message: &str) -> Response {
    let body = json!({ "statusCode": status.as_u16(), "statusDescription": null, "message": message });
    (status, Json(body)).into_response()
}

/// The time of the filter `modifiedAfter`, or the refusal of one that is no time.
pub(super) fn modified_after(
    params: &HashMap<String, String>,
) -> Result<Option<DateTime<Utc>>, Box<Response>> {
    let parsed = params.get("modifiedAfter").map(|text| DateTime::parse_from_rfc3339(text)).transpose();
    parsed
        .map(|time| time.map(|time| time.with_timezone(&Utc)))
        .map_err(|_| Box::new(refuse(StatusCode::BAD_REQUEST, "modifiedAfter is no time")))
}

fn page_and_limit(params: &HashMap<String, String>) -> (usize, usize) {
    let number = |key: &str, default| params.get(key).and_then(|text| text.parse().ok()).unwrap_or(default);
    (number("page", 1), number("limit", 50))
}

/// The items of the requested page.
pub(super) fn rows_of_page<'a, T>(items: &'a [T], params: &HashMap<String, String>) -> &'a [T] {
    let (page, limit) = page_and_limit(params);
    let start = (page.saturating_sub(1) * limit).min(items.len());
    &items[start..(start + limit).min(items.len())]
}

/// One page: a bare list of at most 250 items, or the literal null where there are none.
pub(super) fn page_response<T>(
    items: &[T],
    params: &HashMap<String, String>,
    json: impl Fn(&T) -> Value,
) -> Response {
    let (page, limit) = page_and_limit(params);
    if !(1..=250).contains(&limit) || page == 0 {
        return refuse(StatusCode::BAD_REQUEST, "limit must be 1 to 250");
    }
    let items: Vec<_> = rows_of_page(items, params).iter().map(json).collect();
    if items.is_empty() { Json(Value::Null).into_response() } else { Json(items).into_response() }
}
