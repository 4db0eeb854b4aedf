//! Which orders a list shows, in which order, and from where on.

use chrono::{Datelike, NaiveDate, SecondsFormat};
use serde::{Deserialize, Deserializer, de::Error};
use uuid::Uuid;

use super::order_row::OrderRow;
use crate::domain::Timestamp;

/// Which orders to list; `None` means any.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrderFilter {
    /// By connection.
    pub connection: Option<String>,
    /// By status.
    pub status: Option<String>,
    /// The beginning of an order number, a reference or a tracking code, or a whole product code.
    pub q: Option<String>,
    /// By the reason of its newest task.
    pub reason: Option<String>,
    /// Only those that wait for goods at the warehouse, or only the others.
    #[serde(deserialize_with = "waiting_from_text")]
    pub waiting: Option<bool>,
    /// By the shop's name of the shipping method.
    pub shipping_method: Option<String>,
    /// Only those ordered on this day of the shop or later.
    #[serde(deserialize_with = "day_from_text")]
    pub placed_from: Option<NaiveDate>,
    /// Only those ordered on this day of the shop or earlier.
    #[serde(deserialize_with = "day_from_text")]
    pub placed_to: Option<NaiveDate>,
    /// Only those that are on their way for longer than so many hours: not delivered, cancelled or returned.
    #[serde(deserialize_with = "hours_from_text")]
    pub waits_hours: Option<u32>,
    /// What comes first.
    pub sort: OrderSort,
}

/// What comes first in a list of orders.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OrderSort {
    /// The newest.
    #[default]
    Newest,
    /// The oldest.
    Oldest,
    /// What changed last.
    LastChange,
    /// What costs most.
    Total,
}

impl OrderSort {
    /// The spelling in URLs.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SortKey {
    /// When it was first seen.
    Id,
    /// When it was ordered: the filter's days are an index's range then.
    Placed,
    /// When it last changed; what is not known comes last.
    Changed,
    /// What it costs; what is not known comes last.
    Total,
}

impl OrderFilter {
    /// What the list is sorted by.
    pub(super) fn sort_key(&self) -> SortKey {
        match self.sort {
            OrderSort::Newest | OrderSort::Oldest if self.has_days() => SortKey::Placed,
            OrderSort::Newest | OrderSort::Oldest => SortKey::Id,
            OrderSort::LastChange => SortKey::Changed,
            OrderSort::Total => SortKey::Total,
        }
    }

    /// True where the list is limited to days.
    pub(super) fn has_days(&self) -> bool {
        self.placed_from.is_some() || self.placed_to.is_some()
    }

    /// The place behind a row of this list.
    pub fn cursor_of(&self, row: &OrderRow) -> OrderCursor {
        let key = match self.sort_key() {
            SortKey::Id => CursorKey::None,
            SortKey::Placed => CursorKey::Time(row.ordered_at),
            SortKey::Changed => CursorKey::Time(row.changed_at),
            SortKey::Total => CursorKey::Total(row.total.clone()),
        };
        OrderCursor { key, id: row.id }
    }

    /// Reads a cursor of a list of this sorting; `None` where it is none.
    pub fn parse_cursor(&self, text: &str) -> Option<OrderCursor> {
        let (key, id) = text.split_once('~').map_or((None, text), |(key, id)| (Some(key), id));
        let id = id.parse().ok()?;
        let key = match (self.sort_key(), key) {
            (SortKey::Id, None) => CursorKey::None,
            (SortKey::Placed | SortKey::Changed, Some("")) => CursorKey::Time(None),
            (SortKey::Placed | SortKey::Changed, Some(time)) => CursorKey::Time(Some(time.parse().ok()?)),
            (SortKey::Total, Some("")) => CursorKey::Total(None),
            (SortKey::Total, Some(total)) => {
                let number: rust_decimal::Decimal = total.parse().ok()?;
                CursorKey::Total(Some(number.to_string()))
            }
            _ => return None,
        };
        Some(OrderCursor { key, id })
    }
}

/// A place in a list of orders: the value that the list is sorted by, and the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderCursor {
    pub(super) key: CursorKey,
    pub(super) id: Uuid,
}

/// The value that a list is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CursorKey {
    /// The id alone.
    None,
    /// A time, or none that is known.
    Time(Option<Timestamp>),
    /// A total, or none that is known.
    Total(Option<String>),
}

impl std::fmt::Display for OrderCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.key {
            CursorKey::None => {}
            CursorKey::Time(time) => {
                // PostgreSQL's own precision: the row is found again exactly.
                let time = time.map(|time| time.to_rfc3339_opts(SecondsFormat::Micros, true));
                write!(f, "{}~", time.unwrap_or_default())?;
            }
            CursorKey::Total(total) => write!(f, "{}~", total.as_deref().unwrap_or_default())?,
        }
        write!(f, "{}", self.id)
    }
}

/// One page of a list of orders.
#[derive(Clone, Debug)]
pub struct OrderPage {
    /// Only rows behind this place; `None` begins with the first.
    pub after: Option<OrderCursor>,
    /// Rows at most.
    pub limit: i64,
}

/// The value of a query, which is text.
fn waiting_from_text<'de, D: Deserializer<'de>>(given: D) -> Result<Option<bool>, D::Error> {
    String::deserialize(given)?.parse().map(Some).map_err(Error::custom)
}

fn day_from_text<'de, D: Deserializer<'de>>(given: D) -> Result<Option<NaiveDate>, D::Error> {
    let text = String::deserialize(given)?;
    parse_day(&text).map(Some).ok_or_else(|| Error::custom(format!("{text:?} is no day, as 2026-11-30")))
}

/// Reads a day of a filter.
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    text.parse().ok().filter(|day: &NaiveDate| (2000..2200).contains(&day.year()))
}

fn hours_from_text<'de, D: Deserializer<'de>>(given: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(given)?;
    let hours = text.parse().ok().filter(|hours| *hours <= MAX_HOURS);
    hours.map(Some).ok_or_else(|| Error::custom(format!("waits_hours must be 0 to {MAX_HOURS}")))
}

/// Ten years.
const MAX_HOURS: u32 = 87_600;

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(sort: OrderSort) -> OrderFilter {
        OrderFilter { sort, ..OrderFilter::default() }
    }

    #[test]
    fn cursor_is_read_as_it_was_written_and_only_in_its_own_sorting() {
        let id = "0190f7a0-0000-7000-8000-000000000001";
        for (sort, text) in [
            (OrderSort::Newest, id.to_owned()),
            (OrderSort::Oldest, id.to_owned()),
            (OrderSort::LastChange, format!("2026-11-30T18:00:00.123456Z~{id}")),
            (OrderSort::LastChange, format!("~{id}")),
            (OrderSort::Total, format!("19.90~{id}")),
            (OrderSort::Total, format!("~{id}")),
        ] {
            let cursor = sorted(sort).parse_cursor(&text).expect("readable");
            assert_eq!(cursor.to_string(), text);
        }
        for (sort, text) in [
            (OrderSort::Newest, format!("19.90~{id}")),
            (OrderSort::Total, id.to_owned()),
            (OrderSort::Total, format!("Infinity~{id}")),
            (OrderSort::LastChange, format!("yesterday~{id}")),
            (OrderSort::Newest, "next".to_owned()),
        ] {
            assert_eq!(sorted(sort).parse_cursor(&text), None, "{text}");
        }
    }
}
