//! The business of an order in one readable function.
//!
//! Read it from the top: an order that stands at the warehouse is followed home; one that does not is placed there
//! once it is ready, and after an unknown outcome only when two looks, a settling time apart, have not found it.

use chrono::Duration;

use super::{
    Draft, Intent, OrderPolicy, ShopOrder, ShopStatus, WarehouseOrder, WarehouseStatus, draft, home, ready,
};
use crate::domain::{
    Timestamp,
    task::{outcome::Reason, subject_state::Link},
};

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
    /// When the connection was first configured: what is older is history.
    pub connected_at: Timestamp,
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
    /// The shop's order was edited since it was sent: send it on.
    Update {
        /// The order as it is now.
        draft: Box<Draft>,
        /// What differs from what was sent; never personal data.
        difference: String,
    },
    /// Call it off at the warehouse.
    Cancel,
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
        /// Written to the shipment first, where the configuration says that the shop takes it.
        tracking_code: Option<String>,
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
        Some(warehouse) if is_news(warehouse, view.link) => Next::Adopt,
        Some(warehouse) => at_warehouse(shop, warehouse, view),
        None => bring_there(shop, view),
    }
}

/// Does it stand there without our remembering it?
const fn is_news(warehouse: &WarehouseOrder, link: &Link) -> bool {
    link.placed_at.is_none() || link.ogoship_id.is_none() && warehouse.id.is_some()
}

/// The order stands at the warehouse.
fn at_warehouse(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Next {
    match (&shop.status, &warehouse.status) {
        (ShopStatus::Completed, WarehouseStatus::Returned) => Next::Skip(Reason::Returned),
        (ShopStatus::Completed, _) => Next::Nothing,
        // Never cancel the shop's order because the warehouse cancelled: a person decides what the shopper gets.
        (_, WarehouseStatus::Cancelled) => Next::Skip(Reason::CancelledAtWarehouse),
        (ShopStatus::Cancelled, status) if status.has_shipped() => ask(
            Reason::ShippedThoughCancelled,
            "the warehouse shipped an order that is cancelled in the shop: refund it, or get the parcel back",
        ),
        (ShopStatus::Cancelled, _) => home::call_off(warehouse, view),
        (ShopStatus::Open, status) if status.has_shipped() => home::complete(shop, warehouse, view),
        (ShopStatus::Open | ShopStatus::Unknown(_), status) => match view.intent {
            Some(Intent::Cancel) if !status.has_shipped() => home::call_off(warehouse, view),
            _ => home::wait_there(shop, warehouse, view),
        },
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
    if let Some(kept) = ready::keeps(shop, view) {
        return kept;
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

pub(super) fn ask(reason: Reason, detail: &str) -> Next {
    Next::AskPerson { reason, detail: detail.to_owned() }
}
