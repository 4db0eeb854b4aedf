//! The fake shop and its orders. Its catalogue is in `shop_catalogue`, its HTTP interface in `shop_http`.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Value, json};

use super::{
    order_spec::OrderSpec,
    poison::Poison,
    shop_state::{Order, Shipment, State, merge},
    vendor_clock::VendorClock,
    webhook::Webhook,
};
use crate::runtime::clock::Clock;

/// The fake shop: a handle to its shared state.
#[derive(Clone)]
pub struct Shop {
    state: Arc<Mutex<State>>,
    pub(super) clock: VendorClock,
}

impl Shop {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Arc::default(), clock: VendorClock::new(clock) }
    }

    /// Sets the shop's clock ahead of the tests' by so many seconds.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.clock.set_ahead(seconds);
    }

    /// From now on, answers have no `Date`.
    pub fn hide_date(&self) {
        self.clock.hide_date();
    }

    /// From now on, each page of a list of orders that holds one of these is spoilt; `None` ends that.
    pub fn poison_orders(&self, ids: &[u64], poison: Option<Poison>) {
        let mut state = self.state();
        for id in ids {
            match poison {
                Some(poison) => drop(state.poisoned.insert(*id, poison)),
                None => drop(state.poisoned.remove(id)),
            }
        }
    }

    /// From now on, lists show a change only after this delay.
    pub fn delay_lists(&self, by: std::time::Duration) {
        self.state().list_lag = Duration::from_std(by).unwrap_or_default();
    }

    /// Adds a shipping method, a payment method or a supplier: `shipping-methods`, `payment-methods` or `suppliers`.
    pub fn add_method(&self, list: &'static str, method: Value) {
        self.state().methods.push((list, method));
    }

    /// Changes an order without any difference but its time.
    pub fn touch_order(&self, id: u64) {
        self.change(id, |_| {});
    }

    /// Webhook subscriptions: uuid, topic, url.
    pub fn subscriptions(&self) -> Vec<[String; 3]> {
        self.state().subscriptions.clone()
    }

    /// Numbers subscriptions from here on, so that one of a restarted sandbox is never taken for an older one.
    pub fn number_subscriptions_from(&self, first: u32) {
        self.state().subscribed = first;
    }

    /// Removes every webhook subscription, as a person can in the shop.
    pub fn remove_subscriptions(&self) {
        self.state().subscriptions.clear();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Places an order as a shopper would; returns its number.
    pub fn place_order(&self, spec: OrderSpec) -> u64 {
        let now = self.now();
        let mut state = self.state();
        let id = state.orders.len() as u64 + 1001;
        for (code, pieces) in &spec.lines {
            state.stock.entry(code.clone()).or_default().reserved += pieces;
        }
        let shipments = (0..spec.shipments as u64).map(|at| Shipment {
            id: id * 10 + at,
            kind: "DELIVERY",
            tracking_code: None,
            completions: 0,
            pickup_point: spec.pickup_point.clone(),
        });
        let order = Order {
            id,
            status: "OPEN",
            is_paid: spec.is_paid,
            cash_on_delivery: spec.cash_on_delivery,
            activated: Vec::new(),
            lines: spec.lines,
            added_lines: Vec::new(),
            shipments: shipments.collect(),
            shipping_method_id: spec.shipping_method_id,
            country: spec.country,
            patch: spec.patch,
            created_at: now,
            updated_at: now,
        };
        state.orders.insert(id, order);
        id
    }

    /// Marks an order as paid. No webhook is sent about it.
    pub fn mark_paid(&self, id: u64) {
        self.change(id, |order| order.is_paid = true);
    }

    /// Cancels an order and frees what it reserved.
    pub fn cancel_order(&self, id: u64) {
        self.change(id, |order| order.status = "CANCELLED");
        let mut state = self.state();
        let State { orders, stock, .. } = &mut *state;
        for (code, pieces) in orders.get(&id).into_iter().flat_map(|order| &order.lines) {
            stock.entry(code.clone()).or_default().reserved -= pieces;
        }
    }

    /// Opens a completed or cancelled order again, to correct it.
    pub fn reopen_order(&self, id: u64) {
        self.change(id, |order| order.status = "OPEN");
    }

    /// Changes the country of an order's address.
    pub fn change_country(&self, id: u64, country: &str) {
        self.change(id, |order| country.clone_into(&mut order.country));
    }

    /// Changes the quantity of an order's first line.
    pub fn change_quantity(&self, id: u64, pieces: i64) {
        self.change(id, |order| order.lines[0].1 = pieces);
    }

    /// Merges a patch over an order's JSON.
    pub fn edit_order(&self, id: u64, patch: &Value) {
        self.change(id, |order| merge(&mut order.patch, patch));
    }

    /// From now on, a list that holds this order is answered 500.
    pub fn fail_lists_with(&self, id: Option<u64>) {
        self.state().unlistable_order = id;
    }

    /// From now on, the tracking code of a shipment can be written.
    pub fn accept_tracking(&self) {
        self.state().accepts_tracking = true;
    }

    pub(super) fn change(&self, id: u64, change: impl FnOnce(&mut Order)) {
        let now = self.now();
        if let Some(order) = self.state().orders.get_mut(&id) {
            change(order);
            order.updated_at = now;
        }
    }

    pub(super) fn activate(&self, id: u64, payment: u64) {
        self.change(id, |order| order.activated.push(payment));
    }

    /// An order of the shop.
    pub fn order(&self, id: u64) -> Option<Order> {
        self.state().orders.get(&id).cloned()
    }

    /// All orders.
    pub fn orders(&self) -> Vec<Order> {
        self.state().orders.values().cloned().collect()
    }

    /// True where the shopper was mailed about the parcel.
    pub fn was_mailed(&self, id: u64) -> bool {
        self.state().mailed.contains(&id)
    }

    /// The number of requests that changed something.
    pub fn writes(&self) -> usize {
        self.state().writes
    }

    /// The webhook about a new order.
    pub fn order_created(&self, id: u64) -> Webhook {
        Webhook::from_shop(&json!({ "topic": "order.created", "data": { "id": id } }))
    }

    /// The webhook about a changed order. No such topic is publicly known; Silta handles it all the same.
    pub fn order_updated(&self, id: u64) -> Webhook {
        let updated_at = self.state().orders.get(&id).map(|order| order.updated_at.to_rfc3339());
        Webhook::from_shop(
            &json!({ "topic": "order.updated", "data": { "id": id, "updated_at": updated_at } }),
        )
    }
}
