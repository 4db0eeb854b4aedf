//! The business of an order in one readable function.
//!
//! Read it from the top: an order that stands at the warehouse is followed home; one that does not is placed there
//! once it is ready, and after an unknown outcome only when two looks, a settling time apart, have not found it.

use chrono::Duration;

use super::{
    Draft, Intent, OrderPolicy, ShopOrder, ShopStatus, Transfer, WarehouseOrder, WarehouseStatus, When, draft,
};
use crate::domain::{Timestamp, link::Link, outcome::Reason};

/// How long the warehouse's search may take to show an order that we know we placed. After that it has vanished.
const SEARCH_LAG: Duration = Duration::minutes(10);

/// An order as both systems and we ourselves have it now.
pub struct OrderView<'a> {
    /// `None` where the shop does not know it.
    pub shop: Option<&'a ShopOrder>,
    /// `None` where the warehouse shows none of exactly our reference.
    pub warehouse: Option<&'a WarehouseOrder>,
    /// What we remember.
    pub link: &'a Link,
    /// What a person asked last.
    pub intent: Option<Intent>,
    /// The connection's rules.
    pub policy: &'a OrderPolicy,
    /// When both sides were read.
    pub now: Timestamp,
}

/// The one thing to do next for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Both sides are in step.
    Nothing,
    /// Nothing is to be done, and the reason says why.
    Skip(Reason),
    /// Not yet.
    Wait {
        /// When to look again.
        until: Timestamp,
        /// What we wait for.
        reason: Reason,
    },
    /// Send it to the warehouse.
    Place(Box<Draft>),
    /// It stands there already: remember it, whoever sent it.
    Adopt,
    /// Complete the whole order in the shop, with its tracking code.
    QuickProcess {
        /// What the shopper will see.
        tracking_code: Option<String>,
        /// The one payment is cash on delivery and still open, which the shop must be told to allow.
        cash_on_delivery: bool,
    },
    /// Complete one of several shipments in the shop.
    CompleteShipment {
        /// Its id in the shop.
        id: String,
    },
    /// A person must decide.
    AskPerson {
        /// The closed code.
        reason: Reason,
        /// Plain words; never personal data.
        detail: String,
    },
}

/// What to do, given both sides as they are now.
pub fn decide(view: &OrderView<'_>) -> Next {
    let Some(shop) = view.shop else { return Next::Skip(Reason::UnknownInShop) };
    match view.warehouse {
        Some(_) if view.link.placed_at.is_none() || view.link.ogoship_id.is_none() && has_id(view) => {
            Next::Adopt
        }
        Some(warehouse) => follow_home(shop, warehouse),
        None => bring_there(shop, view),
    }
}

fn has_id(view: &OrderView<'_>) -> bool {
    view.warehouse.is_some_and(|warehouse| warehouse.id.is_some())
}

/// The order stands at the warehouse.
fn follow_home(shop: &ShopOrder, warehouse: &WarehouseOrder) -> Next {
    match (&shop.status, &warehouse.status) {
        (ShopStatus::Completed, _) => Next::Nothing,
        // Never cancel the shop's order because the warehouse cancelled: a person decides what the shopper gets.
        (_, WarehouseStatus::Cancelled) => Next::Skip(Reason::CancelledAtWarehouse),
        (ShopStatus::Cancelled, status) if status.has_shipped() => ask(
            Reason::ShippedThoughCancelled,
            "the warehouse shipped an order that is cancelled in the shop",
        ),
        (ShopStatus::Cancelled, _) => ask(
            Reason::CancelledAfterTransfer,
            "cancelled in the shop after it went to the warehouse: cancel it there, or ship it",
        ),
        (ShopStatus::Open, status) if status.has_shipped() => complete(shop, warehouse),
        (ShopStatus::Open | ShopStatus::Unknown(_), _) => Next::Nothing,
    }
}

/// The warehouse has shipped, the shop does not know yet.
fn complete(shop: &ShopOrder, warehouse: &WarehouseOrder) -> Next {
    let open: Vec<_> = shop.shipments.iter().filter(|shipment| !shipment.is_completed).collect();
    let payments: Vec<_> = shop.payments.iter().filter(|payment| payment.counts).collect();
    match (open.as_slice(), payments.as_slice()) {
        // Quick processing is the one proven way to write a tracking code, and made for exactly this case.
        ([_], [payment]) if shop.shipments.len() == 1 => Next::QuickProcess {
            tracking_code: warehouse.tracking_code.clone(),
            cash_on_delivery: payment.cash_on_delivery && !payment.is_paid,
        },
        ([first, ..], _) => Next::CompleteShipment { id: first.id.clone() },
        ([], _) => {
            ask(Reason::CannotComplete, "shipped, but the shop's open order has no open shipment to complete")
        }
    }
}

/// The warehouse shows no such order.
fn bring_there(shop: &ShopOrder, view: &OrderView<'_>) -> Next {
    if let Some(placed_at) = view.link.placed_at {
        return await_the_search(placed_at, view);
    }
    let doubt = view.link.begun.as_ref();
    if let Some(until) = doubt.and_then(|begun| begun.look_next(view.now, view.policy.look_again)) {
        return Next::Wait { until, reason: Reason::SettlingTime };
    }
    match &shop.status {
        ShopStatus::Cancelled => return Next::Skip(Reason::CancelledInShop),
        ShopStatus::Completed => return Next::Skip(Reason::CompletedInShop),
        ShopStatus::Unknown(word) => {
            return ask(Reason::CannotComplete, &format!("the shop calls the order's status {word:?}"));
        }
        ShopStatus::Open => {}
    }
    if view.policy.transfer == Transfer::Manual && view.intent != Some(Intent::Transfer) {
        return Next::Skip(Reason::ManualTransfer);
    }
    if !is_ready(shop, view.policy.when) {
        return Next::Skip(Reason::NotPaid);
    }
    match draft(shop, view.policy) {
        Ok(draft) => Next::Place(Box::new(draft)),
        Err(fault) if fault.reason == Reason::NoWarehouseLines => Next::Skip(fault.reason),
        Err(fault) => Next::AskPerson { reason: fault.reason, detail: fault.detail },
    }
}

/// We know that it was placed and the search does not show it: never place it again.
fn await_the_search(placed_at: Timestamp, view: &OrderView<'_>) -> Next {
    if view.now - placed_at < SEARCH_LAG {
        return Next::Wait { until: view.now + view.policy.look_again, reason: Reason::SettlingTime };
    }
    ask(Reason::VanishedAtWarehouse, "we placed this order and the warehouse no longer shows it")
}

fn is_ready(shop: &ShopOrder, when: When) -> bool {
    let good = |payment: &super::Payment| payment.is_paid || payment.cash_on_delivery;
    let mut payments = shop.payments.iter().filter(|payment| payment.counts).peekable();
    match when {
        When::Created => true,
        When::Paid => payments.peek().is_some() && payments.all(good),
    }
}

fn ask(reason: Reason, detail: &str) -> Next {
    Next::AskPerson { reason, detail: detail.to_owned() }
}
