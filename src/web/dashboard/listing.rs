//! Filters, cursors and pages of the lists.

use maud::{Markup, html};
use serde::Deserialize;

use super::user::User;
use crate::store;

/// Rows of a list on one page.
pub(super) const ROWS: i64 = 50;

/// The query of a list: a filter whose empty fields match everything, and a cursor.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    #[serde(deserialize_with = "trimmed")]
    pub(super) connection: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) state: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) kind: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) subject: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) reason: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) source: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) topic: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) q: Option<String>,
    pub(super) detail: String,
    pub(super) done: String,
    cursor: String,
}

/// The text of a field without spaces around it; `None` where it is empty.
pub(super) fn trimmed<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(value)?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

impl ListQuery {
    /// The page to read: one row more than is shown, to know whether there is a next page. An invalid cursor reads
    /// the first page.
    pub(super) fn page(&self) -> store::Page {
        store::Page { before: self.cursor.parse().ok(), limit: ROWS + 1 }
    }
}

/// The rows to show and the cursor of the next page, from rows of which one more was read than is shown.
pub(super) fn split_page<T, C>(mut rows: Vec<T>, id: impl Fn(&T) -> C) -> (Vec<T>, Option<C>) {
    let limit = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(id);
    (rows, next)
}

/// The link to the next page: the same filter with a cursor.
pub(super) fn older_link(
    user: &User,
    path: &str,
    filter: &[(&str, Option<&str>)],
    next: Option<impl ToString>,
) -> Markup {
    html! {
        @if let Some(next) = next {
            p.older { a href=(url(path, filter, Some(&next.to_string()))) rel="next" { (user.words().show_older) } }
        }
    }
}

/// A path with the pairs that have a value as its query.
pub(super) fn url(path: &str, pairs: &[(&str, Option<&str>)], cursor: Option<&str>) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let cursor = [("cursor", cursor)];
    let given = pairs.iter().chain(&cursor).filter_map(|(name, value)| Some((name, (*value)?)));
    let given: Vec<_> = given.map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if given.is_empty() { path.to_owned() } else { format!("{path}?{}", given.join("&")) }
}

/// The path of an order's page.
pub(super) fn order_path(connection: &str, order_id: &str) -> String {
    let encode = |segment| percent_encoding::utf8_percent_encode(segment, SEGMENT);
    format!("/orders/{}/{}", encode(connection), encode(order_id))
}

/// What is encoded in a segment of a path.
const SEGMENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
