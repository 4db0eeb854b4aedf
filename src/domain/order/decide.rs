//! Decides what to do next for an order.
//!
//! An order at the warehouse is followed until the shop knows that it was shipped. Any other order is placed
//! there once it is ready. After an unknown outcome it is placed again only when two reads, a settling time
//! apart, have not found it.

use chrono::Duration;

use super::{
    Decision, Intent, OrderView, ShopOrder, ShopStatus, WarehouseOrder, WarehouseStatus, at_warehouse, draft,
    readiness,
};
use crate::domain::{
    Timestamp,
    task::{reason::Reason, subject_state::SubjectState},
};

/// How long the warehouse's search may lag behind an order that was placed. After that the order has
/// vanished.
const SEARCH_LAG: Duration = Duration::minutes(10);

/// Decides what to do next, given both sides as they are now.
pub fn decide(view: &OrderView<'_>) -> Decision {
    let Some(shop) = view.shop else { return Decision::Skip(Reason::UnknownInShop) };
    match view.warehouse {
        Some(warehouse) if is_unadopted(warehouse, view.known) => Decision::Adopt,
        Some(warehouse) => decide_at_warehouse(shop, warehouse, view),
        None => decide_transfer(shop, view),
    }
}

/// True for an order that is at the warehouse and not in our subject state.
const fn is_unadopted(warehouse: &WarehouseOrder, known: &SubjectState) -> bool {
    known.placed_at.is_none() || known.ogoship_id.is_none() && warehouse.id.is_some()
}

/// Decides for an order that is at the warehouse.
fn decide_at_warehouse(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Decision {
    match (&shop.status, &warehouse.status) {
        (ShopStatus::Completed, WarehouseStatus::Returned) => Decision::Skip(Reason::Returned),
        (ShopStatus::Completed, _) => Decision::Nothing,
        // Never cancel the shop's order because the warehouse cancelled: a person decides what the shopper
        // gets.
        (_, WarehouseStatus::Cancelled) => Decision::Skip(Reason::CancelledAtWarehouse),
        (ShopStatus::Cancelled, status) if status.has_shipped() => Decision::ask_operator(
            Reason::ShippedThoughCancelled,
            "the warehouse shipped an order that is cancelled in the shop: refund it, or get the parcel back",
        ),
        (ShopStatus::Cancelled, _) => at_warehouse::decide_cancel(warehouse, view),
        (ShopStatus::Open, status) if status.has_shipped() => {
            at_warehouse::decide_completion(shop, warehouse, view)
        }
        (ShopStatus::Open | ShopStatus::Unknown(_), status) => match view.intent {
            Some(Intent::Cancel) if !status.has_shipped() => at_warehouse::decide_cancel(warehouse, view),
            _ => at_warehouse::decide_unshipped(shop, warehouse, view),
        },
    }
}

/// Decides for an order that the warehouse does not show.
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
            return Decision::ask_operator(
                Reason::CannotComplete,
                &format!("the shop calls the order's status {word:?}"),
            );
        }
        ShopStatus::Open => {}
    }
    if let Some(blocker) = readiness::find_blocker(shop, view) {
        return blocker;
    }
    match draft(shop, view.policy) {
        Ok(draft) => Decision::Place(Box::new(draft)),
        Err(error) if error.reason == Reason::NoWarehouseLines => Decision::Skip(error.reason),
        Err(error) => Decision::AskOperator { reason: error.reason, detail: error.detail },
    }
}

/// Decides for an order that was placed and that the search does not show: it is never placed again.
fn wait_for_search(placed_at: Timestamp, view: &OrderView<'_>) -> Decision {
    if view.now - placed_at < SEARCH_LAG {
        return Decision::Wait { until: view.now + view.policy.recheck_delay, reason: Reason::SettlingTime };
    }
    Decision::ask_operator(
        Reason::VanishedAtWarehouse,
        "we placed this order and the warehouse no longer shows it",
    )
}
