//! The fake shop's state.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Duration, Utc};
use serde_json::Value;

use super::poison::Poison;

/// Everything that the fake shop keeps.
#[derive(Default)]
pub(super) struct State {
    pub(super) orders: BTreeMap<u64, Order>,
    pub(super) products: BTreeMap<u64, Product>,
    pub(super) stock: BTreeMap<String, StockItem>,
    /// Requests that changed something, for tests to count.
    pub(super) writes: usize,
    /// Orders whose shoppers were mailed about their parcel.
    pub(super) mailed: Vec<u64>,
    /// A list that holds this order is answered 500, as one live store did for one bad order.
    pub(super) unlistable_order: Option<u64>,
    /// Orders that spoil each page of a list that holds them.
    pub(super) poisoned: BTreeMap<u64, Poison>,
    /// Lists show a change only after this delay.
    pub(super) list_lag: Duration,
    /// Methods and suppliers that were added, each with the name of its list.
    pub(super) methods: Vec<(&'static str, Value)>,
    /// Webhook subscriptions: uuid, topic, url.
    pub(super) subscriptions: Vec<[String; 3]>,
    /// How many subscriptions were ever made.
    pub(super) subscribed: u32,
    /// Whether a quantity of an item whose stock is not tracked is forgotten; unknown of the real shop.
    pub(super) forgets_untracked: bool,
    /// Whether a shipment's tracking code can be written; unknown of the real shop.
    pub(super) accepts_tracking: bool,
}

impl State {
    /// Product ids by their own codes and by those of their variations.
    pub(super) fn ids_by_code(&self) -> HashMap<&str, u64> {
        let own = self.products.iter().map(|(id, product)| (product.code.as_str(), *id));
        let varied = self.products.iter().flat_map(|(id, product)| {
            product.variations.iter().map(move |(_, code, _)| (code.as_str(), *id))
        });
        own.chain(varied).collect()
    }
}

/// An order of the shop.
#[derive(Clone, Debug)]
pub struct Order {
    /// The order number.
    pub id: u64,
    /// OPEN, COMPLETED or CANCELLED.
    pub status: &'static str,
    /// True once the money is in.
    pub is_paid: bool,
    /// True for cash on delivery.
    pub cash_on_delivery: bool,
    /// Ids of payments that were activated, as often as they were.
    pub activated: Vec<u64>,
    /// Codes and pieces.
    pub lines: Vec<(String, i64)>,
    /// Lines of shipments that were added later, and of return rows: shipment, code and pieces, negative for a return.
    pub added_lines: Vec<(u64, String, i64)>,
    /// The shipments in which it leaves.
    pub shipments: Vec<Shipment>,
    /// The id of its shipping method.
    pub shipping_method_id: u64,
    /// Two letters; tests write other things to be wrong.
    pub country: String,
    /// Merged over the order's JSON: whatever a test wants the shop to answer.
    pub patch: Value,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A shipment of an order.
#[derive(Clone, Debug)]
pub struct Shipment {
    /// The shipment's id.
    pub id: u64,
    /// DELIVERY or RETURN.
    pub kind: &'static str,
    /// The tracking code written to it.
    pub tracking_code: Option<String>,
    /// How often it was completed: more than once is a doubled action.
    pub completions: u32,
    /// The pickup point that the shopper chose.
    pub pickup_point: Option<String>,
}

/// A product of the shop.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub(super) name: String,
    pub(super) code: String,
    /// Id, code, name.
    pub(super) variations: Vec<(u64, String, String)>,
    pub(super) supplier: Option<u64>,
    /// Merged over the product's JSON: whatever a test wants the shop to answer.
    pub(super) patch: Value,
    pub(super) updated_at: DateTime<Utc>,
}

/// A stock item, by its code.
#[derive(Clone, Debug, Default)]
pub(super) struct StockItem {
    pub(super) quantity: i64,
    pub(super) reserved: i64,
    pub(super) enabled: bool,
}

/// Merges a patch by RFC 7396, except that a null patch changes nothing.
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
