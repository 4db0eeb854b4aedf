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
    task::{outcome::Reason, subject_state::SubjectState},
};

/// How long the warehouse's search may take to show an order that we know we placed. After that it has vanished.
const SEARCH_LAG: Duration = Duration::minutes(10);

/// An order as both vendors and we ourselves have it now.
pub struct OrderView<'a> {
    /// `None` where the shop does not know it.
    pub shop: Option<&'a ShopOrder>,
    /// `None` where the warehouse shows none of exactly our reference.
    pub warehouse: Option<&'a WarehouseOrder>,
    /// What we remember.
    pub known: &'a SubjectState,
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
pub enum Decision {
    /// Both sides are in sync.
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
    AskOperator {
        /// The closed code.
        reason: Reason,
        /// Plain words; never personal data.
        detail: String,
    },
}

/// What to do, given both sides as they are now.
pub fn decide(view: &OrderView<'_>) -> Decision {
    let Some(shop) = view.shop else { return Decision::Skip(Reason::UnknownInShop) };
    match view.warehouse {
        Some(warehouse) if is_unadopted(warehouse, view.known) => Decision::Adopt,
        Some(warehouse) => decide_at_warehouse(shop, warehouse, view),
        None => decide_transfer(shop, view),
    }
}

/// Does it stand there without our remembering it?
const fn is_unadopted(warehouse: &WarehouseOrder, known: &SubjectState) -> bool {
    known.placed_at.is_none() || known.ogoship_id.is_none() && warehouse.id.is_some()
}

/// The order stands at the warehouse.
fn decide_at_warehouse(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Decision {
    match (&shop.status, &warehouse.status) {
        (ShopStatus::Completed, WarehouseStatus::Returned) => Decision::Skip(Reason::Returned),
        (ShopStatus::Completed, _) => Decision::Nothing,
        // Never cancel the shop's order because the warehouse cancelled: a person decides what the shopper gets.
        (_, WarehouseStatus::Cancelled) => Decision::Skip(Reason::CancelledAtWarehouse),
        (ShopStatus::Cancelled, status) if status.has_shipped() => ask_operator(
            Reason::ShippedThoughCancelled,
            "the warehouse shipped an order that is cancelled in the shop: refund it, or get the parcel back",
        ),
        (ShopStatus::Cancelled, _) => home::decide_cancel(warehouse, view),
        (ShopStatus::Open, status) if status.has_shipped() => home::decide_completion(shop, warehouse, view),
        (ShopStatus::Open | ShopStatus::Unknown(_), status) => match view.intent {
            Some(Intent::Cancel) if !status.has_shipped() => home::decide_cancel(warehouse, view),
            _ => home::decide_unshipped(shop, warehouse, view),
        },
    }
}

/// The warehouse shows no such order.
fn decide_transfer(shop: &ShopOrder, view: &OrderView<'_>) -> Decision {
    if let Some(placed_at) = view.known.placed_at {
        return wait_for_search(placed_at, view);
    }
    let doubt = view.known.begun.as_ref();
    if let Some(until) = doubt.and_then(|begun| begun.next_read_at(view.now, view.policy.recheck_delay)) {
        return Decision::Wait { until, reason: Reason::SettlingTime };
    }
    match &shop.status {
        ShopStatus::Cancelled => return Decision::Skip(Reason::CancelledInShop),
        ShopStatus::Completed => return Decision::Skip(Reason::CompletedInShop),
        ShopStatus::Unknown(word) => {
            return ask_operator(
                Reason::CannotComplete,
                &format!("the shop calls the order's status {word:?}"),
            );
        }
        ShopStatus::Open => {}
    }
    if let Some(kept) = ready::find_blocker(shop, view) {
        return kept;
    }
    match draft(shop, view.policy) {
        Ok(draft) => Decision::Place(Box::new(draft)),
        Err(fault) if fault.reason == Reason::NoWarehouseLines => Decision::Skip(fault.reason),
        Err(fault) => Decision::AskOperator { reason: fault.reason, detail: fault.detail },
    }
}

/// We know that it was placed and the search does not show it: never place it again.
fn wait_for_search(placed_at: Timestamp, view: &OrderView<'_>) -> Decision {
    if view.now - placed_at < SEARCH_LAG {
        return Decision::Wait { until: view.now + view.policy.recheck_delay, reason: Reason::SettlingTime };
    }
    ask_operator(Reason::VanishedAtWarehouse, "we placed this order and the warehouse no longer shows it")
}

pub(super) fn ask_operator(reason: Reason, detail: &str) -> Decision {
    Decision::AskOperator { reason, detail: detail.to_owned() }
}
