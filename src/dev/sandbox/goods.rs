//! What lies at the fake warehouse: its products, its stock, and how both move.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::{
    courier::Webhook,
    warehouse::{State, Warehouse},
};

#[derive(Clone, Debug)]
pub(super) struct Stock {
    pub(super) physical: i64,
    pub(super) reserved: i64,
    pub(super) modified: DateTime<Utc>,
}

impl Warehouse {
    /// Goods arrive.
    pub fn receive_goods(&self, code: &str, pieces: i64) {
        let now = self.now();
        let mut state = self.state();
        let stock = stock_entry(&mut state, code, now);
        stock.physical += pieces;
        stock.modified = now;
        let State { orders, stock, .. } = &mut *state;
        for order in orders.iter_mut().filter(|order| order.status == "Pending") {
            // Its own pieces are among the reserved ones already.
            if order
                .lines
                .iter()
                .all(|(code, _)| stock.get(code).is_some_and(|it| it.physical >= it.reserved))
            {
                order.status = "New";
                order.edited_at = now;
            }
        }
    }

    /// Somebody counts the shelf: so many pieces lie there.
    pub fn count_stock(&self, code: &str, pieces: i64) {
        let now = self.now();
        let mut state = self.state();
        let stock = stock_entry(&mut state, code, now);
        (stock.physical, stock.modified) = (pieces, now);
    }

    /// An answer that lags: the figure and its time are what they were so long ago.
    pub fn report_stale_stock(&self, code: &str, pieces: i64, by: std::time::Duration) {
        let at = self.now() - Duration::from_std(by).unwrap_or_default();
        if let Some(stock) = self.state().stock.get_mut(code) {
            (stock.physical, stock.modified) = (pieces, at);
        }
    }

    /// Somebody edits a product there by hand.
    pub fn rename_product(&self, code: &str, name: &str) {
        if let Some(product) = self.state().products.get_mut(code) {
            product["name"] = name.into();
        }
    }

    /// Somebody makes a product there by hand, or it is identified on arrival.
    pub fn add_product(&self, code: &str, product: Value) {
        let now = self.now();
        let mut state = self.state();
        state.products.insert(code.to_owned(), product);
        stock_entry(&mut state, code, now);
    }

    /// From now on lists of products and stock break off after so many items.
    pub fn truncate_lists(&self, after: Option<usize>) {
        self.state().list_limit = after;
    }

    /// A product as it was last written.
    pub fn product(&self, code: &str) -> Option<Value> {
        self.state().products.get(code).cloned()
    }

    /// Every product code.
    pub fn codes(&self) -> Vec<String> {
        self.state().products.keys().cloned().collect()
    }

    /// Pieces free for orders.
    pub fn available(&self, code: &str) -> Option<i64> {
        self.state().stock.get(code).map(|stock| stock.physical - stock.reserved)
    }

    /// Every code with the pieces free for orders.
    pub fn available_by_code(&self) -> Vec<(String, i64)> {
        self.state()
            .stock
            .iter()
            .map(|(code, stock)| (code.clone(), stock.physical - stock.reserved))
            .collect()
    }

    /// What the warehouse would send about a changed stock figure.
    pub fn stock_changed(&self, code: &str) -> Webhook {
        Webhook::from_warehouse(&json!({ "type": 2, "productCode": code }))
    }
}

/// The place of a code on the shelf: an empty one where it had none.
fn stock_entry<'s>(state: &'s mut State, code: &str, now: DateTime<Utc>) -> &'s mut Stock {
    state.stock.entry(code.to_owned()).or_insert(Stock { physical: 0, reserved: 0, modified: now })
}

/// Reserves what an order takes, or with -1 frees it.
pub(super) fn reserve(state: &mut State, lines: &[(String, i64)], sign: i64, now: DateTime<Utc>) {
    for (code, pieces) in lines {
        let stock = stock_entry(state, code, now);
        stock.reserved += sign * pieces;
        stock.modified = now;
    }
}
