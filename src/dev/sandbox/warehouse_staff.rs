//! What people at the fake warehouse do with its orders: make, split, change and correct them.

use serde_json::json;

use super::{warehouse::Warehouse, warehouse_state::Order};

impl Warehouse {
    /// Adds an order that Silta did not place: entered by hand, or by another tool.
    pub fn add_foreign_order(&self, reference: &str, code: &str, pieces: i64) {
        self.accept_order(
            json!({ "reference": reference, "orderLines": [{ "code": code, "quantity": pieces }] }),
        );
    }

    /// Gives the first order with a reference another one, as a person does whose own order has taken it.
    pub fn change_reference(&self, reference: &str, to: &str) {
        if let Some(order) = self.state().order_mut(reference) {
            to.clone_into(&mut order.reference);
        }
    }

    /// Makes an order by itself, as a person at the warehouse does for an exchange: it names the order that it came from.
    pub fn make_exchange_order(&self, origin: &str, reference: &str, code: &str, pieces: i64) {
        let lines = json!([{ "code": code, "quantity": pieces }]);
        self.accept_order(json!({ "reference": reference, "originReference": origin, "orderLines": lines }));
    }

    /// From now on, the search does not show the first order with a reference.
    pub fn hide_order(&self, reference: &str) {
        if let Some(order) = self.state().order_mut(reference) {
            order.is_hidden = true;
        }
    }

    /// Gives an order's parcel another tracking code, as one that it shares with a part.
    pub fn set_tracking(&self, reference: &str, code: &str) {
        if let Some(order) = self.state().order_mut(reference) {
            order.tracking = Some(code.to_owned());
        }
    }

    /// Says how far an order's parcel is.
    pub fn set_tracking_status(&self, reference: &str, status: &str) {
        let now = self.now();
        if let Some(order) = self.state().order_mut(reference) {
            order.tracking_status = Some(status.to_owned());
            order.edited_at = now;
        }
    }

    /// Sets the status of the first order with a reference, for the warehouse's own reasons.
    pub fn set_status(&self, reference: &str, status: &'static str) {
        let now = self.now();
        if let Some(order) = self.state().order_mut(reference) {
            order.status = status;
            order.edited_at = now;
        }
    }

    /// Releases an order on hold, as a person at the warehouse would.
    pub fn fix_order(&self, reference: &str) {
        self.set_status(reference, "New");
        if let Some(order) = self.state().order_mut(reference) {
            order.comments = None;
        }
    }

    /// Splits a line off into an order of its own, as the warehouse does with what is out of stock.
    pub fn split_order(&self, reference: &str, code: &str) {
        let now = self.now();
        let mut state = self.state();
        let Some(order) = state.order_mut(reference) else { return };
        let (rest, kept) = order.lines.iter().cloned().partition(|line: &(String, i64)| line.0 == code);
        (order.lines, order.edited_at, order.status) = (kept, now, "New");
        let backorder = Order {
            id: self.entropy.fence().to_string(),
            reference: format!("{reference}-2"),
            status: "Pending",
            lines: rest,
            edited_at: now,
            ..order.clone()
        };
        state.orders.push(backorder);
    }

    /// Changes the quantity of an order's first line and what it reserves; its status stays.
    pub fn change_quantity(&self, reference: &str, pieces: i64) {
        let now = self.now();
        let mut state = self.state();
        let Some(order) = state.order_mut(reference) else { return };
        order.edited_at = now;
        let Some(line) = order.lines.first_mut() else { return };
        let freed = (line.0.clone(), line.1 - pieces);
        line.1 = pieces;
        state.reserve(&[freed], -1, now);
    }
}
