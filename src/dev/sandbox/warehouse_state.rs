//! The fake warehouse's state.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use serde_json::Value;

use super::poison::Poison;

/// Everything that the fake warehouse keeps.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "switches of tests, each of its own")]
pub(super) struct State {
    /// The oldest first. Two may have one reference: the warehouse accepts that, the reconciliation counts it.
    pub(super) orders: Vec<Order>,
    /// Positions of the orders that the warehouse made from others.
    pub(super) exchanges: Vec<usize>,
    /// References in lower case with the positions of their orders; a search adds those that are missing.
    references: BTreeSet<(String, usize)>,
    pub(super) products: BTreeMap<String, Value>,
    pub(super) stock: BTreeMap<String, Stock>,
    /// Parcels shipped so far: each has a tracking code of its own.
    pub(super) parcels: u32,
    pub(super) access_tokens: BTreeMap<String, DateTime<Utc>>,
    pub(super) refresh_tokens: Vec<String>,
    /// Webhook subscriptions: id, type, url, key.
    pub(super) subscriptions: Vec<[String; 4]>,
    /// Password grants and refreshes, for tests to count.
    pub(super) grants: (usize, usize),
    /// What new tokens say about how long they live, in seconds, in place of their real lifetime.
    pub(super) stated_lifetime: Option<Value>,
    /// How long new access tokens live, unless as long as usual.
    pub(super) token_lifetime: Option<Duration>,
    pub(super) search_lag: Duration,
    /// The list of orders is sorted by time of change.
    pub(super) sorts_by_time: bool,
    /// An order that spoils each page of the list that holds it.
    pub(super) poisoned: Option<(String, Poison)>,
    /// Lists of products and stock end silently after this many items.
    pub(super) list_limit: Option<usize>,
    /// "Allow API edits" in the merchant's settings; off unless set, as at the real warehouse.
    pub(super) allows_edits: bool,
    /// References of new orders are written in upper case.
    pub(super) upper_case: bool,
    /// Orders without a phone number are put on hold.
    pub(super) requires_phone: bool,
}

impl State {
    /// The positions of the orders whose reference begins so, in any case; of all where none is wanted.
    pub(super) fn search(&mut self, wanted: Option<&str>) -> Vec<usize> {
        let Some(wanted) = wanted.map(str::to_lowercase) else { return (0..self.orders.len()).collect() };
        for position in self.references.len()..self.orders.len() {
            self.references.insert((self.orders[position].reference.to_lowercase(), position));
        }
        let from = self.references.range((wanted.clone(), 0)..);
        let found = from.take_while(|(reference, _)| reference.starts_with(&wanted));
        let mut positions: Vec<_> = found.map(|(_, position)| *position).collect();
        // What was made from the order is found with it.
        let origin =
            |position: &usize| self.orders[*position].sent["originReference"].as_str().map(str::to_lowercase);
        positions.extend(self.exchanges.iter().filter(|it| origin(it).as_ref() == Some(&wanted)));
        positions.sort_unstable();
        positions.dedup();
        positions
    }

    /// The stock of a code; an empty one where the code is new.
    pub(super) fn stock_of(&mut self, code: &str, now: DateTime<Utc>) -> &mut Stock {
        self.stock.entry(code.to_owned()).or_insert(Stock { physical: 0, reserved: 0, modified: now })
    }

    /// Reserves what an order takes, or frees it with a `sign` of -1.
    pub(super) fn reserve(&mut self, lines: &[(String, i64)], sign: i64, now: DateTime<Utc>) {
        for (code, pieces) in lines {
            let stock = self.stock_of(code, now);
            stock.reserved += sign * pieces;
            stock.modified = now;
        }
    }

    /// Moves the first order with a reference out of one of these states; returns its lines.
    pub(super) fn advance(
        &mut self,
        reference: &str,
        from: &[&str],
        to: &'static str,
        now: DateTime<Utc>,
    ) -> Option<Vec<(String, i64)>> {
        let matches = |it: &&mut Order| it.reference == reference && from.contains(&it.status);
        let order = self.orders.iter_mut().find(matches)?;
        order.status = to;
        order.edited_at = now;
        Some(order.lines.clone())
    }

    /// The first order with a reference.
    pub(super) fn order_mut(&mut self, reference: &str) -> Option<&mut Order> {
        self.orders.iter_mut().find(|order| order.reference == reference)
    }
}

/// An order at the warehouse.
#[derive(Clone, Debug)]
pub struct Order {
    /// The warehouse's id.
    pub id: String,
    /// As its sender named it.
    pub reference: String,
    /// New, Pending, Collecting, Shipped, Cancelled, ….
    pub status: &'static str,
    /// Codes and pieces.
    pub lines: Vec<(String, i64)>,
    /// The whole request, for tests that look closer.
    pub sent: Value,
    /// Why the order is in its status.
    pub comments: Option<String>,
    /// The parcel's tracking code, once it is shipped.
    pub tracking: Option<String>,
    /// The search no longer shows it.
    pub is_hidden: bool,
    /// How far the parcel is, where the carrier says so.
    pub tracking_status: Option<String>,
    /// When it arrived.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub edited_at: DateTime<Utc>,
}

/// What lies on the shelf of one product code.
#[derive(Clone, Debug)]
pub(super) struct Stock {
    pub(super) physical: i64,
    pub(super) reserved: i64,
    pub(super) modified: DateTime<Utc>,
}
