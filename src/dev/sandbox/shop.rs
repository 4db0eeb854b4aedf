//! The fake shop's state and verbs; what it looks like over HTTP is in `shop_http`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    courier::Webhook,
    order_spec::OrderSpec,
    shelves::{Product, StockItem},
};
use crate::runtime::clock::Clock;

/// The fake shop.
#[derive(Clone)]
pub struct Shop {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) orders: BTreeMap<u64, Order>,
    pub(super) products: BTreeMap<u64, Product>,
    pub(super) stock: BTreeMap<String, StockItem>,
    /// Requests answered, by method: a test can count the writes.
    pub(super) writes: usize,
    /// Orders whose shoppers were mailed about their parcel.
    pub(super) mailed: Vec<u64>,
    /// A list that holds an order of this number is answered 500, as one live store did for one bad order.
    pub(super) unlistable_order: Option<u64>,
    /// Webhook subscriptions: uuid, topic, url; and how many were ever made.
    pub(super) subscriptions: Vec<[String; 3]>,
    pub(super) subscribed: u32,
    /// Can a shipment's tracking code be written? Nobody knows of the true shop.
    pub(super) accepts_tracking: bool,
}

/// An order of the shop.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its number.
    pub id: u64,
    /// OPEN, COMPLETED or CANCELLED.
    pub status: &'static str,
    /// The money is in.
    pub is_paid: bool,
    /// Cash on delivery.
    pub cash_on_delivery: bool,
    /// Codes and pieces.
    pub lines: Vec<(String, i64)>,
    /// How many shipments it leaves in.
    pub shipments: Vec<Shipment>,
    /// How it goes.
    pub shipping_method_id: u64,
    /// Two letters; other things to be wrong.
    pub country: String,
    /// Merged over what the shop says of it: whatever a test wants it to say.
    pub patch: Value,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A shipment of an order.
#[derive(Clone, Debug)]
pub struct Shipment {
    /// Its id.
    pub id: u64,
    /// The code written to it.
    pub tracking_code: Option<String>,
    /// How often it was completed: more than once is a doubled action.
    pub completions: u32,
    /// The chosen pickup point.
    pub pickup_point: Option<String>,
}

impl Shop {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Arc::default(), clock }
    }

    /// Webhook subscriptions: uuid, topic, url.
    pub fn subscriptions(&self) -> Vec<[String; 3]> {
        self.state().subscriptions.clone()
    }

    /// Somebody removes every webhook subscription.
    pub fn remove_subscriptions(&self) {
        self.state().subscriptions.clear();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A shopper orders; answers the number.
    pub fn place_order(&self, spec: OrderSpec) -> u64 {
        let now = self.now();
        let mut state = self.state();
        let id = state.orders.len() as u64 + 1001;
        for (code, pieces) in &spec.lines {
            state.stock.entry(code.clone()).or_default().reserved += pieces;
        }
        let shipments = (0..spec.shipments as u64).map(|at| Shipment {
            id: id * 10 + at,
            tracking_code: None,
            completions: 0,
            pickup_point: spec.pickup_point.clone(),
        });
        let order = Order {
            id,
            status: "OPEN",
            is_paid: spec.is_paid,
            cash_on_delivery: spec.cash_on_delivery,
            lines: spec.lines,
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

    /// The shopper pays. No webhook tells of it.
    pub fn mark_paid(&self, id: u64) {
        self.change(id, |order| order.is_paid = true);
    }

    /// The shopkeeper cancels; what the order held is free again.
    pub fn cancel_order(&self, id: u64) {
        self.change(id, |order| order.status = "CANCELLED");
        let mut state = self.state();
        let State { orders, stock, .. } = &mut *state;
        for (code, pieces) in orders.get(&id).into_iter().flat_map(|order| &order.lines) {
            stock.entry(code.clone()).or_default().reserved -= pieces;
        }
    }

    /// The shopkeeper fixes the address.
    pub fn change_country(&self, id: u64, country: &str) {
        self.change(id, |order| country.clone_into(&mut order.country));
    }

    /// The shopkeeper edits the order: so many pieces of its first line.
    pub fn change_quantity(&self, id: u64, pieces: i64) {
        self.change(id, |order| order.lines[0].1 = pieces);
    }

    /// The shopkeeper edits the order: merged over whatever the shop says of it.
    pub fn edit_order(&self, id: u64, patch: &Value) {
        self.change(id, |order| merge(&mut order.patch, patch));
    }

    /// From now on a list that holds this order is answered 500.
    pub fn fail_lists_with(&self, id: Option<u64>) {
        self.state().unlistable_order = id;
    }

    /// From now on the tracking code of a shipment can be written.
    pub fn accept_tracking(&self) {
        self.state().accepts_tracking = true;
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Order)) {
        let now = self.now();
        if let Some(order) = self.state().orders.get_mut(&id) {
            change(order);
            order.updated_at = now;
        }
    }

    /// Completes a shipment; false where it is completed already (409). The order follows its last shipment.
    pub(super) fn complete(&self, id: u64, shipment: Option<u64>, tracking_code: Option<&str>) -> bool {
        let now = self.now();
        let mut state = self.state();
        let state = &mut *state;
        let Some(order) = state.orders.get_mut(&id).filter(|order| order.status == "OPEN") else {
            return false;
        };
        let open = |it: &&mut Shipment| it.completions == 0 && shipment.is_none_or(|wanted| wanted == it.id);
        let Some(found) = order.shipments.iter_mut().find(open) else { return false };
        found.completions += 1;
        if let Some(code) = tracking_code {
            found.tracking_code = Some(code.to_owned());
        }
        order.updated_at = now;
        if order.shipments.iter().all(|it| it.completions > 0) {
            order.status = "COMPLETED";
            for (code, pieces) in &order.lines {
                let item = state.stock.entry(code.clone()).or_default();
                item.quantity -= pieces;
                item.reserved -= pieces;
            }
        }
        true
    }

    /// An order as the shop has it.
    pub fn order(&self, id: u64) -> Option<Order> {
        self.state().orders.get(&id).cloned()
    }

    /// All orders.
    pub fn orders(&self) -> Vec<Order> {
        self.state().orders.values().cloned().collect()
    }

    /// Was the shopper mailed about the parcel?
    pub fn was_mailed(&self, id: u64) -> bool {
        self.state().mailed.contains(&id)
    }

    /// How many requests have changed something.
    pub fn writes(&self) -> usize {
        self.state().writes
    }

    /// What the shop would send about a new order.
    pub fn order_created(&self, id: u64) -> Webhook {
        Webhook::from_shop(&json!({ "topic": "order.created", "data": { "id": id } }))
    }

    /// What the shop would send about a changed order, if it sent anything: no such topic is publicly known.
    pub fn order_updated(&self, id: u64) -> Webhook {
        let updated_at = self.state().orders.get(&id).map(|order| order.updated_at.to_rfc3339());
        Webhook::from_shop(
            &json!({ "topic": "order.updated", "data": { "id": id, "updated_at": updated_at } }),
        )
    }
}

/// RFC 7396, but that an empty patch leaves everything.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (_, Value::Null) => {}
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    target.insert(key.clone(), Value::Null);
                } else {
                    merge(target.entry(key.clone()).or_insert(Value::Null), value);
                }
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}
