//! What the fake shop's endpoints answer with: pages, filters by time, single objects and refusals.

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

pub(super) fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "code": status.as_u16(), "error": error }))).into_response()
}

pub(super) fn one(data: &Value) -> Response {
    Json(json!({ "data": data })).into_response()
}

/// The four filters by time; both ends of a range are included.
pub(super) struct TimeFilter {
    created: [Option<DateTime<Utc>>; 2],
    updated: [Option<DateTime<Utc>>; 2],
}

impl TimeFilter {
    /// `None` where a parameter is not a time.
    pub(super) fn parse(params: &HashMap<String, String>) -> Option<Self> {
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

    pub(super) fn matches(&self, created: DateTime<Utc>, updated: DateTime<Utc>) -> bool {
        let within = |[from, to]: [Option<DateTime<Utc>>; 2], at| {
            from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to)
        };
        within(self.created, created) && within(self.updated, updated)
    }
}

/// Sorts rows that come by id as the request asks.
pub(super) fn sort<T>(
    rows: &mut [T],
    params: &HashMap<String, String>,
    updated_at: impl Fn(&T) -> DateTime<Utc>,
) {
    match params.get("sort").map(String::as_str) {
        Some("updated_at-asc") => rows.sort_by_key(updated_at),
        Some("updated_at-desc") => {
            rows.sort_by_key(updated_at);
            rows.reverse();
        }
        Some("id-desc") => rows.reverse(),
        Some(_) | None => {}
    }
}

fn page_and_size(params: &HashMap<String, String>) -> (usize, usize) {
    let number = |key: &str, default| params.get(key).and_then(|text| text.parse().ok()).unwrap_or(default);
    (number("page", 1), number("page_size", 20))
}

/// The rows of the requested page.
pub(super) fn rows_of_page<'a, T>(matching: &'a [T], params: &HashMap<String, String>) -> &'a [T] {
    let (page, size) = page_and_size(params);
    let start = ((page - 1) * size).min(matching.len());
    &matching[start..(start + size).min(matching.len())]
}

/// One page of a list; `next` is absent on the last one.
pub(super) fn page_json<T>(
    matching: &[T],
    params: &HashMap<String, String>,
    json: impl Fn(&T) -> Value,
) -> Value {
    let ((page, size), count) = (page_and_size(params), matching.len());
    let data: Vec<_> = rows_of_page(matching, params).iter().map(json).collect();
    let mut meta =
        json!({ "page": page, "page_size": size, "item_count": count, "page_count": count.div_ceil(size) });
    if page * size < count {
        meta["next"] = format!("?page={}", page + 1).into();
    }
    json!({ "data": data, "meta": meta })
}

/// The same as an answer.
pub(super) fn page<T>(
    matching: &[T],
    params: &HashMap<String, String>,
    json: impl Fn(&T) -> Value,
) -> Response {
    Json(page_json(matching, params, json)).into_response()
}
