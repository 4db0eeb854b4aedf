//! The state of the list of orders, which is its address: filter, sorting and place.

use chrono::{Days, NaiveDate};
use serde::Deserialize;

use super::{
    listing::{trimmed, url},
    user::User,
};
use crate::store::views::orders::{OrderFilter, OrderSort, parse_day};

/// The path of the list.
pub(super) const LIST: &str = "/orders";

/// The query of the list; an empty field matches everything, and one that says nothing is left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OrderQuery {
    #[serde(deserialize_with = "trimmed")]
    pub(super) q: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) status: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) connection: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) method: Option<String>,
    /// So many days, today among them.
    #[serde(deserialize_with = "trimmed")]
    pub(super) placed: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) from: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) to: Option<String>,
    /// Hours.
    #[serde(deserialize_with = "trimmed")]
    pub(super) waits: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) reason: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) waiting: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) sort: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    pub(super) cursor: Option<String>,
}

impl OrderQuery {
    /// The filter that it stands for.
    pub(super) fn filter(&self, user: &User) -> OrderFilter {
        OrderFilter {
            connection: self.connection.clone(),
            status: self.status.clone(),
            q: self.q.clone(),
            reason: self.reason.clone(),
            waiting: self.waiting.as_deref().map(|waiting| waiting == "true"),
            shipping_method: self.method.clone(),
            placed_from: self.first_day(user),
            placed_to: self.to.as_deref().and_then(parse_day),
            waits_hours: self.waits.as_deref().and_then(|hours| hours.parse().ok()),
            sort: self.sort(),
        }
    }

    /// What comes first.
    pub(super) fn sort(&self) -> OrderSort {
        self.sort.as_deref().and_then(|sort| sort.parse().ok()).unwrap_or_default()
    }

    /// The first day: the later of the one that is named and the last so many days of the shop.
    fn first_day(&self, user: &User) -> Option<NaiveDate> {
        let named = self.from.as_deref().and_then(parse_day);
        let days: Option<u64> = self.placed.as_deref().and_then(|days| days.parse().ok());
        let today = user.now.with_timezone(&user.zone).date_naive();
        let last = days.and_then(|days| today.checked_sub_days(Days::new(days.saturating_sub(1))));
        named.max(last)
    }

    /// Its filter as pairs of the address.
    pub(super) fn pairs(&self) -> [(&'static str, Option<&str>); 11] {
        [
            ("q", self.q.as_deref()),
            ("status", self.status.as_deref()),
            ("connection", self.connection.as_deref()),
            ("method", self.method.as_deref()),
            ("placed", self.placed.as_deref()),
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
            ("waits", self.waits.as_deref()),
            ("reason", self.reason.as_deref()),
            ("waiting", self.waiting.as_deref()),
            ("sort", self.sort.as_deref()),
        ]
    }

    /// The address of the first page of this list, with one of its fields another one.
    pub(super) fn with(&self, name: &str, value: Option<&str>) -> String {
        url(LIST, &self.pairs().map(|(key, known)| (key, if key == name { value } else { known })), None)
    }

    /// The address of the first page of this list.
    pub(super) fn address(&self) -> String {
        self.with("", None)
    }

    /// True where something is filtered out.
    pub(super) fn is_filtered(&self) -> bool {
        self.pairs().iter().any(|(name, value)| *name != "sort" && value.is_some())
    }
}
