//! Query parameters of lists: pages by cursor (`limit` 1–200, opaque `cursor`, newest first) and filters.

use axum::{
    extract::{FromRequestParts, Path, Query, rejection::PathRejection},
    http::{Uri, request::Parts},
};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    store,
    web::problem::{Code, Problem},
};

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 200;

/// The requested page.
#[derive(Clone, Debug)]
pub(super) struct Page<C = Uuid> {
    limit: i64,
    cursor: Option<C>,
}

/// A page of a list.
#[derive(Serialize)]
pub(super) struct Listing<T, C = Uuid> {
    items: Vec<T>,
    next: Option<C>,
}

impl<T> From<store::Listed<T>> for Listing<T> {
    fn from(listed: store::Listed<T>) -> Self {
        Self { items: listed.rows, next: listed.next }
    }
}

impl Page {
    /// The page to read: one row more than requested, to know whether there is a next page.
    pub(super) fn store_page(&self) -> store::Page {
        store::Page { before: self.cursor, limit: self.limit + 1 }
    }
}

impl<C: Clone> Page<C> {
    /// The cursor and the number of rows to read, for lists with an order of their own.
    pub(super) fn cursor_and_limit(&self) -> (Option<C>, i64) {
        (self.cursor.clone(), self.limit + 1)
    }

    /// The rows read as a page.
    pub(super) fn listing<T>(&self, mut rows: Vec<T>, id: impl Fn(&T) -> C) -> Listing<T, C> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(id);
        Listing { items: rows, next }
    }
}

#[derive(Deserialize)]
struct RawPage<C> {
    limit: Option<i64>,
    cursor: Option<C>,
}

/// Extracts the page from the query.
pub(super) struct PageQuery<C = Uuid>(pub(super) Page<C>);

impl<S: Send + Sync, C: DeserializeOwned> FromRequestParts<S> for PageQuery<C> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Page::from_uri(&parts.uri).map(Self)
    }
}

impl<C: DeserializeOwned> Page<C> {
    /// Parses the page from a URI.
    pub(super) fn from_uri(uri: &Uri) -> Result<Self, Problem> {
        let Query(RawPage { limit, cursor }) =
            Query::try_from_uri(uri).map_err(|error| Problem::new(Code::Invalid, error.body_text()))?;
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::new(Code::Invalid, format!("limit must be 1 to {MAX_LIMIT}")));
        }
        Ok(Self { limit, cursor })
    }
}

/// Extracts a filter from the query: all keys but `limit` and `cursor`. Unknown keys are rejected.
pub(super) struct FilterQuery<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for FilterQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let invalid = |detail: String| Problem::new(Code::Invalid, detail);
        let Query(pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|error| invalid(error.body_text()))?;
        let filter = pairs.into_iter().filter(|(key, _)| key != "limit" && key != "cursor");
        let map = filter.map(|(key, value)| (key, serde_json::Value::String(value))).collect();
        let filter = serde_json::from_value(serde_json::Value::Object(map));
        filter.map(Self).map_err(|error| invalid(error.to_string()))
    }
}

/// A boolean of a query, whose values are texts.
pub(super) fn deserialize_bool<'de, D: Deserializer<'de>>(given: D) -> Result<bool, D::Error> {
    String::deserialize(given)?.parse().map_err(serde::de::Error::custom)
}

/// Rejects a value outside the filter's closed set.
pub(super) fn require_one_of(name: &str, given: Option<&str>, words: &[&str]) -> Result<(), Problem> {
    match given {
        Some(word) if !words.contains(&word) => {
            Err(Problem::new(Code::Invalid, format!("{name} must be one of {}", words.join(", "))))
        }
        _ => Ok(()),
    }
}

/// Extracts the id from the path; a value that is no UUID is not found.
pub(super) struct IdPath(pub(super) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for IdPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id: Result<Path<Uuid>, PathRejection> = Path::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(id)).map_err(|_| Code::NotFound.into())
    }
}

/// The page limits that a URI parses to, with each kind of cursor; `None` if rejected. For the fuzz targets.
#[doc(hidden)]
pub fn parse_limits(uri: &Uri) -> [Option<i64>; 2] {
    let by_id = Page::<Uuid>::from_uri(uri).ok().map(|page| page.cursor_and_limit().1 - 1);
    let by_name = Page::<String>::from_uri(uri).ok().map(|page| page.cursor_and_limit().1 - 1);
    [by_id, by_name]
}
