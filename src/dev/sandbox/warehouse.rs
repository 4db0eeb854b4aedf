//! The fake warehouse and its orders. Its stock is in `warehouse_stock`, its HTTP interface in `warehouse_http`.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Value, json};

use super::{
    poison::Poison,
    vendor_clock::VendorClock,
    warehouse_state::{Order, State},
    webhook::Webhook,
};
use crate::runtime::clock::{Clock, Entropy};

/// The fake warehouse: a handle to its shared state.
#[derive(Clone)]
pub struct Warehouse {
    state: Arc<Mutex<State>>,
    pub(super) clock: VendorClock,
    pub(super) entropy: Arc<Entropy>,
}

impl Warehouse {
    pub(super) fn new(clock: Arc<dyn Clock>, entropy: Arc<Entropy>) -> Self {
        Self { state: Arc::default(), clock: VendorClock::new(clock), entropy }
    }

    /// From now on, its lists of orders and stock are sorted by time of change, the oldest first; unsorted until then.
    pub fn sort_lists_by_time(&self) {
        self.state().sorts_by_time = true;
    }

    /// From now on, each page of the list of orders that holds this one is spoilt; `None` ends that.
    pub fn poison_order(&self, reference: &str, poison: Option<Poison>) {
        self.state().poisoned = poison.map(|poison| (reference.to_owned(), poison));
    }

    /// Changes an order without any difference but its time.
    pub fn touch_order(&self, reference: &str) {
        let now = self.now();
        if let Some(order) = self.state().order_mut(reference) {
            order.edited_at = now;
        }
    }

    /// Webhook subscriptions: id, type, url, key.
    pub fn subscriptions(&self) -> Vec<[String; 4]> {
        self.state().subscriptions.clone()
    }

    /// Removes the subscriptions of a type, as a person can in myOGO.
    pub fn remove_subscription(&self, kind: &str) {
        self.state().subscriptions.retain(|[_, its, ..]| its != kind);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Accepts an order and reserves its stock; without enough stock the order is pending.
    pub(super) fn accept_order(&self, sent: Value) -> Option<Order> {
        let text = |key: &str| sent.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
        let reference = text("reference").filter(|reference| !reference.is_empty())?;
        let lines = parse_order_lines(&sent)?;
        let now = self.now();
        let mut state = self.state();
        let reference = if state.upper_case { reference.to_uppercase() } else { reference };
        let is_in_stock = lines.iter().all(|(code, pieces)| {
            state.stock.get(code).is_some_and(|stock| stock.physical - stock.reserved >= *pieces)
        });
        state.reserve(&lines, 1, now);
        let lacks_phone = state.requires_phone && sent.pointer("/customer/phone").is_none();
        let order = Order {
            id: self.entropy.fence().to_string(),
            reference,
            status: if lacks_phone {
                "Reserved"
            } else if is_in_stock {
                "New"
            } else {
                "Pending"
            },
            comments: lacks_phone.then(|| "phone number is missing".to_owned()),
            lines,
            sent,
            tracking: None,
            is_hidden: false,
            tracking_status: None,
            created_at: now,
            edited_at: now,
        };
        if order.sent.get("originReference").is_some() {
            let position = state.orders.len();
            state.exchanges.push(position);
        }
        state.orders.push(order.clone());
        Some(order)
    }

    /// From now on references are written in upper case, whatever is sent.
    pub fn write_references_in_upper_case(&self) {
        self.state().upper_case = true;
    }

    /// Starts collecting an order and deducts its stock.
    pub fn collect_order(&self, reference: &str) -> bool {
        let now = self.now();
        let mut state = self.state();
        let Some(lines) = state.advance(reference, &["New"], "Collecting", now) else { return false };
        for (code, pieces) in &lines {
            if let Some(stock) = state.stock.get_mut(code) {
                stock.physical -= pieces;
                stock.reserved -= pieces;
                stock.modified = now;
            }
        }
        true
    }

    /// Ships an order in a parcel with a tracking code of its own.
    pub fn ship_order(&self, reference: &str) -> bool {
        if self.find(reference).is_some_and(|order| order.status == "New") {
            self.collect_order(reference);
        }
        let now = self.now();
        let mut state = self.state();
        if state.advance(reference, &["Collecting"], "Shipped", now).is_none() {
            return false;
        }
        state.parcels += 1;
        let tracking = format!("JJFI{:08}", state.parcels);
        if let Some(order) = state.order_mut(reference) {
            order.tracking = Some(tracking);
        }
        true
    }

    /// Cancels an order that is not collected yet.
    pub fn cancel_order(&self, reference: &str) -> bool {
        let now = self.now();
        let mut state = self.state();
        let Some(lines) = state.advance(reference, &["New", "Pending"], "Cancelled", now) else {
            return false;
        };
        state.reserve(&lines, -1, now);
        true
    }

    /// Edits or cancels an order over the API; false where its status or the merchant's settings forbid it.
    pub(super) fn apply_edit(&self, reference: &str, sent: &Value) -> Option<bool> {
        let now = self.now();
        let mut state = self.state();
        let State { orders, allows_edits, .. } = &mut *state;
        let order = orders.iter_mut().find(|order| order.reference == reference)?;
        if sent.get("status").and_then(Value::as_str) == Some("Cancelled") {
            if !matches!(order.status, "New" | "Pending" | "Draft" | "Reserved" | "Locked") {
                return Some(false);
            }
            let lines = order.lines.clone();
            (order.status, order.edited_at) = ("Cancelled", now);
            state.reserve(&lines, -1, now);
            return Some(true);
        }
        if order.status != "New" || !*allows_edits {
            return Some(false);
        }
        if let Some(lines) = parse_order_lines(sent) {
            order.lines = lines;
        }
        (order.sent, order.edited_at) = (sent.clone(), now);
        Some(true)
    }

    /// Allows edits over the API, as in the merchant's settings.
    pub fn allow_edits(&self) {
        self.state().allows_edits = true;
    }

    /// From now on, orders without a phone number are put on hold.
    pub fn require_phone(&self) {
        self.state().requires_phone = true;
    }

    /// From now on, orders become visible to the search only after this delay.
    pub fn delay_search(&self, by: std::time::Duration) {
        self.state().search_lag = Duration::from_std(by).unwrap_or_default();
    }

    /// Revokes every access token.
    pub fn revoke_access_tokens(&self) {
        self.state().access_tokens.clear();
    }

    /// Sets how long new access tokens live, and what their `expires_in` says where it says something else.
    pub fn set_token_lifetime(&self, seconds: i64, stated: Option<Value>) {
        let mut state = self.state();
        state.token_lifetime = Some(Duration::seconds(seconds));
        state.stated_lifetime = stated;
    }

    /// The numbers of password grants and refreshes so far.
    pub fn grants(&self) -> (usize, usize) {
        self.state().grants
    }

    /// The first order with a reference.
    pub fn find(&self, reference: &str) -> Option<Order> {
        self.state().orders.iter().find(|order| order.reference == reference).cloned()
    }

    /// How many orders have this reference; more than one is a doubled order.
    pub fn count(&self, reference: &str) -> usize {
        self.state().orders.iter().filter(|order| order.reference == reference).count()
    }

    /// All orders.
    pub fn orders(&self) -> Vec<Order> {
        self.state().orders.clone()
    }

    /// The webhook about a shipped order.
    pub fn order_shipped(&self, reference: &str) -> Webhook {
        Webhook::from_warehouse(&json!({ "type": "OrderShipped", "order": { "reference": reference } }))
    }
}

fn parse_order_lines(sent: &Value) -> Option<Vec<(String, i64)>> {
    let line = |line: &Value| Some((line.get("code")?.as_str()?.to_owned(), line.get("quantity")?.as_i64()?));
    sent.get("orderLines")?.as_array()?.iter().map(line).collect()
}
