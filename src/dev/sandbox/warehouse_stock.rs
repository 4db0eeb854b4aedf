//! The fake warehouse's products and stock.

use chrono::Duration;
use serde_json::{Value, json};

use super::{warehouse::Warehouse, warehouse_state::State, webhook::Webhook};

impl Warehouse {
    /// Receives goods; pending orders that can now be collected become new.
    pub fn receive_goods(&self, code: &str, pieces: i64) {
        let now = self.now();
        let mut state = self.state();
        let stock = state.stock_of(code, now);
        stock.physical += pieces;
        stock.modified = now;
        let State { orders, stock, .. } = &mut *state;
        for order in orders.iter_mut().filter(|order| order.status == "Pending") {
            // The reserved pieces include its own.
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

    /// Sets the physical stock, as a count of the shelf would.
    pub fn count_stock(&self, code: &str, pieces: i64) {
        let now = self.now();
        let mut state = self.state();
        let stock = state.stock_of(code, now);
        (stock.physical, stock.modified) = (pieces, now);
    }

    /// Answers with an old figure and its old time, as a lagging replica would.
    pub fn report_stale_stock(&self, code: &str, pieces: i64, by: std::time::Duration) {
        let at = self.now() - Duration::from_std(by).unwrap_or_default();
        if let Some(stock) = self.state().stock.get_mut(code) {
            (stock.physical, stock.modified) = (pieces, at);
        }
    }

    /// Counts the shelf while the warehouse's clock is ahead of the world by this much.
    pub fn count_stock_in_the_future(&self, code: &str, pieces: i64, by: std::time::Duration) {
        let at = self.now() + Duration::from_std(by).unwrap_or_default();
        let mut state = self.state();
        let stock = state.stock_of(code, at);
        (stock.physical, stock.modified) = (pieces, at);
    }

    /// Renames a product by hand.
    pub fn rename_product(&self, code: &str, name: &str) {
        if let Some(product) = self.state().products.get_mut(code) {
            product["name"] = name.into();
        }
    }

    /// Adds a product by hand, or when received goods are identified.
    pub fn add_product(&self, code: &str, product: Value) {
        let now = self.now();
        let mut state = self.state();
        state.products.insert(code.to_owned(), product);
        state.stock_of(code, now);
    }

    /// Removes a product, as a person at the warehouse can.
    pub fn remove_product(&self, code: &str) {
        self.state().products.remove(code);
    }

    /// From now on, lists of products and stock end silently after this many items.
    pub fn truncate_lists(&self, after: Option<usize>) {
        self.state().list_limit = after;
    }

    /// A product as it was written last.
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

    /// The webhook about a changed stock figure.
    pub fn stock_changed(&self, code: &str) -> Webhook {
        Webhook::from_warehouse(&json!({ "type": 2, "productCode": code }))
    }
}
