//! The fake warehouse's state, and what becomes of its orders; what it looks like over HTTP is in `warehouse_http`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::{
    courier::Webhook,
    goods::{Stock, reserve},
};
use crate::runtime::clock::{Clock, Entropy};

/// The fake warehouse.
#[derive(Clone)]
pub struct Warehouse {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<Entropy>,
}

#[derive(Default)]
pub(super) struct State {
    /// In order of arrival. Two may have one reference: the warehouse does not mind, the books do.
    pub(super) orders: Vec<Order>,
    pub(super) products: BTreeMap<String, Value>,
    pub(super) stock: BTreeMap<String, Stock>,
    pub(super) access_tokens: BTreeMap<String, DateTime<Utc>>,
    pub(super) refresh_tokens: Vec<String>,
    /// Webhook subscriptions: id, type, url, key.
    pub(super) subscriptions: Vec<[String; 4]>,
    /// Password grants and refreshes, as a test counts them.
    pub(super) grants: (usize, usize),
    pub(super) search_lag: Duration,
    /// Lists of products and stock end after so many items, without a word.
    pub(super) list_limit: Option<usize>,
    /// "Allow API edits" in the merchant's settings; off unless set, as there.
    pub(super) allows_edits: bool,
    /// Orders of a phone number that is missing are put on hold.
    pub(super) require_phone: bool,
}

/// An order at the warehouse.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its id.
    pub id: String,
    /// As its sender named it.
    pub reference: String,
    /// New, Pending, Collecting, Shipped, Cancelled, ….
    pub status: &'static str,
    /// Codes and pieces.
    pub lines: Vec<(String, i64)>,
    /// The whole request, for a test that looks closer.
    pub sent: Value,
    /// Why it stands where it stands.
    pub comments: Option<String>,
    /// Given when it ships.
    pub tracking: Option<String>,
    /// When it arrived.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub edited_at: DateTime<Utc>,
}

impl Warehouse {
    pub(super) fn new(clock: Arc<dyn Clock>, entropy: Arc<Entropy>) -> Self {
        Self { state: Arc::default(), clock, entropy }
    }

    /// Webhook subscriptions: id, type, url, key.
    pub fn subscriptions(&self) -> Vec<[String; 4]> {
        self.state().subscriptions.clone()
    }

    /// Somebody removes the subscription of a type.
    pub fn remove_subscription(&self, kind: &str) {
        self.state().subscriptions.retain(|[_, its, ..]| its != kind);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Takes an order in: reserves its stock, or lets it wait for some.
    pub(super) fn accept_order(&self, sent: Value) -> Option<Order> {
        let text = |key: &str| sent.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
        let reference = text("reference").filter(|reference| !reference.is_empty())?;
        let lines = parse_order_lines(&sent)?;
        let now = self.now();
        let mut state = self.state();
        let enough = lines.iter().all(|(code, pieces)| {
            state.stock.get(code).is_some_and(|stock| stock.physical - stock.reserved >= *pieces)
        });
        reserve(&mut state, &lines, 1, now);
        let lacks_phone = state.require_phone && sent.pointer("/customer/phone").is_none();
        let order = Order {
            id: self.entropy.fence().to_string(),
            reference,
            status: if lacks_phone {
                "Reserved"
            } else if enough {
                "New"
            } else {
                "Pending"
            },
            comments: lacks_phone.then(|| "phone number is missing".to_owned()),
            lines,
            sent,
            tracking: None,
            created_at: now,
            edited_at: now,
        };
        state.orders.push(order.clone());
        Some(order)
    }

    /// Somebody else puts an order there under Silta's reference: by hand, or by another tool.
    pub fn add_foreign_order(&self, reference: &str, code: &str, pieces: i64) {
        self.accept_order(
            json!({ "reference": reference, "orderLines": [{ "code": code, "quantity": pieces }] }),
        );
    }

    /// The warehouse begins to collect an order; its stock is deducted.
    pub fn collect_order(&self, reference: &str) -> bool {
        let now = self.now();
        let mut state = self.state();
        let Some(lines) = change(&mut state, reference, &["New"], "Collecting", now) else { return false };
        for (code, pieces) in &lines {
            if let Some(stock) = state.stock.get_mut(code) {
                stock.physical -= pieces;
                stock.reserved -= pieces;
                stock.modified = now;
            }
        }
        true
    }

    /// The parcel leaves with its tracking code.
    pub fn ship_order(&self, reference: &str) -> bool {
        if self.find(reference).is_some_and(|order| order.status == "New") {
            self.collect_order(reference);
        }
        let now = self.now();
        let mut state = self.state();
        if change(&mut state, reference, &["Collecting"], "Shipped", now).is_none() {
            return false;
        }
        let tracking = format!("JJFI{:08}", state.orders.len() * 7919 + reference.len());
        if let Some(order) = state.orders.iter_mut().find(|order| order.reference == reference) {
            order.tracking = Some(tracking);
        }
        true
    }

    /// The warehouse cancels an order it has not collected.
    pub fn cancel_order(&self, reference: &str) -> bool {
        let now = self.now();
        let mut state = self.state();
        let Some(lines) = change(&mut state, reference, &["New", "Pending"], "Cancelled", now) else {
            return false;
        };
        reserve(&mut state, &lines, -1, now);
        true
    }

    /// The first order of a reference goes into this state, for reasons of the warehouse's own.
    pub fn set_status(&self, reference: &str, status: &'static str) {
        let now = self.now();
        if let Some(order) = self.state().orders.iter_mut().find(|order| order.reference == reference) {
            order.status = status;
            order.edited_at = now;
        }
    }

    /// A person fixes a held order there.
    pub fn fix_order(&self, reference: &str) {
        self.set_status(reference, "New");
        if let Some(order) = self.state().orders.iter_mut().find(|order| order.reference == reference) {
            order.comments = None;
        }
    }

    /// Splits a line off an order into one of its own, as it does with what it lacks.
    pub fn split_order(&self, reference: &str, code: &str) {
        let now = self.now();
        let mut state = self.state();
        let Some(order) = state.orders.iter_mut().find(|order| order.reference == reference) else { return };
        let (rest, kept) = order.lines.iter().cloned().partition(|line: &(String, i64)| line.0 == code);
        (order.lines, order.edited_at, order.status) = (kept, now, "New");
        let part = Order {
            id: self.entropy.fence().to_string(),
            reference: format!("{reference}-2"),
            status: "Pending",
            lines: rest,
            edited_at: now,
            ..order.clone()
        };
        state.orders.push(part);
    }

    /// Edits an order over the API, or cancels it: false where its state or the merchant's settings forbid it.
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
            reserve(&mut state, &lines, -1, now);
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

    /// The merchant allows edits over the API.
    pub fn allow_edits(&self) {
        self.state().allows_edits = true;
    }

    /// Orders without a phone number are put on hold.
    pub fn require_phone(&self) {
        self.state().require_phone = true;
    }

    /// Orders become visible to the search only after a while.
    pub fn delay_search(&self, by: std::time::Duration) {
        self.state().search_lag = Duration::from_std(by).unwrap_or_default();
    }

    /// Every access token ends now.
    pub fn revoke_access_tokens(&self) {
        self.state().access_tokens.clear();
    }

    /// Password grants and refreshes so far.
    pub fn grants(&self) -> (usize, usize) {
        self.state().grants
    }

    /// The first order of a reference.
    pub fn find(&self, reference: &str) -> Option<Order> {
        self.state().orders.iter().find(|order| order.reference == reference).cloned()
    }

    /// How many orders of a reference there are; more than one is a doubled order.
    pub fn count(&self, reference: &str) -> usize {
        self.state().orders.iter().filter(|order| order.reference == reference).count()
    }

    /// All orders.
    pub fn orders(&self) -> Vec<Order> {
        self.state().orders.clone()
    }

    /// What the warehouse would send about a shipped order.
    pub fn order_shipped(&self, reference: &str) -> Webhook {
        Webhook::from_warehouse(&json!({ "type": "OrderShipped", "order": { "reference": reference } }))
    }
}

fn parse_order_lines(sent: &Value) -> Option<Vec<(String, i64)>> {
    let line = |line: &Value| Some((line.get("code")?.as_str()?.to_owned(), line.get("quantity")?.as_i64()?));
    sent.get("orderLines")?.as_array()?.iter().map(line).collect()
}

/// Moves the first order of a reference that is in one of these states; answers its lines.
fn change(
    state: &mut State,
    reference: &str,
    from: &[&str],
    to: &'static str,
    now: DateTime<Utc>,
) -> Option<Vec<(String, i64)>> {
    let order = state.orders.iter_mut().find(|it| it.reference == reference && from.contains(&it.status))?;
    order.status = to;
    order.edited_at = now;
    Some(order.lines.clone())
}
