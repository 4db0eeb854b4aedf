//! Decides what to do next for an order.
//!
//! An order at the warehouse is followed until the shop knows that it was shipped. Any other order is placed
//! there once it is ready. After an unknown outcome an action is repeated only when two reads, a settling
//! time apart, have not found its effect. What was done before is read from the ledger, never guessed from
//! what a read shows now.

use super::{
    Decision, Intent, OrderView, ShopLine, ShopOrder, ShopStatus, WarehouseOrder, WarehouseStatus,
    at_warehouse, draft,
    once::{repeated_too_often, wait_for_search, wait_in_doubt},
    parcels::{self, Parcels},
    payment, readiness, recognition,
    recognition::Recognition,
    replacement, unreadable,
};
use crate::domain::task::{
    action::{ActionKind, ActionState, LedgerEntry},
    reason::Reason,
};

/// Decides what to do next, given both sides as they are now.
pub fn decide(view: &OrderView<'_>) -> Decision {
    let Some(shop) = view.shop else { return Decision::Skip(Reason::UnknownInShop) };
    let Some(warehouse) = view.warehouse else { return decide_transfer(shop, view) };
    match recognition::recognize(shop, warehouse, view) {
        Recognition::Ours => {
            let sent = at_warehouse::last_sent(view).filter(|_| warehouse.status.has_shipped());
            let parcels = Parcels::of(shop, sent, view.policy);
            // Until it is shipped, what came back or was added concerns the parcel itself: it is an edit.
            let main = if warehouse.status.has_shipped() { &*parcels.main } else { shop };
            let main = decide_at_warehouse(main, warehouse, view);
            replacement::decide_beside(main, &parcels, warehouse, view)
        }
        Recognition::Unadopted(number) => Decision::Adopt { number },
        Recognition::NotOurs(decision) => decision,
    }
}

/// Decides for an order that is at the warehouse.
fn decide_at_warehouse(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Decision {
    if let Some(question) = unreadable::find_question(shop, warehouse) {
        return question;
    }
    match (&shop.status, &warehouse.status) {
        // The shop is done with it, and the warehouse has not begun: the parcel must not go.
        (ShopStatus::Completed, status) if view.intent == Some(Intent::Cancel) && status.is_uncollected() => {
            at_warehouse::decide_cancel(shop, warehouse, view)
        }
        (ShopStatus::Completed, WarehouseStatus::Returned) => Decision::Skip(Reason::Returned),
        (ShopStatus::Completed, _) => Decision::Nothing,
        (_, WarehouseStatus::Cancelled) => decide_cancelled_at_warehouse(shop, view),
        (ShopStatus::Cancelled, status) if status.has_shipped() => Decision::ask_operator(
            Reason::ShippedThoughCancelled,
            "the warehouse shipped an order that is cancelled in the shop: refund it, or get the parcel back",
        ),
        (ShopStatus::Cancelled, _) => at_warehouse::decide_cancel(shop, warehouse, view),
        (ShopStatus::Open, status) if status.has_shipped() => {
            at_warehouse::decide_completion(shop, warehouse, view)
        }
        (ShopStatus::Unknown(word), status) if status.has_shipped() => unknown_status(word),
        (ShopStatus::Open | ShopStatus::Unknown(_), status) => match view.intent {
            Some(Intent::Cancel) if !status.has_shipped() => {
                at_warehouse::decide_cancel(shop, warehouse, view)
            }
            _ => at_warehouse::decide_unshipped(shop, warehouse, view),
        },
    }
}

/// A status that Silta does not know is never acted upon.
fn unknown_status(word: &str) -> Decision {
    if word.is_empty() {
        return unreadable::ask("the shop's order", &["status".to_owned()]);
    }
    Decision::ask_operator(Reason::CannotComplete, &format!("the shop calls the order's status {word:?}"))
}

/// Decides for an order that is cancelled at the warehouse. The shop's order is never cancelled because of it: a
/// person decides what a shopper who has paid gets.
fn decide_cancelled_at_warehouse(shop: &ShopOrder, view: &OrderView<'_>) -> Decision {
    let is_wanted = shop.status != ShopStatus::Cancelled && view.intent != Some(Intent::Cancel);
    if is_wanted && payment::is_covered(shop) {
        return Decision::ask_operator(
            Reason::CancelledAtWarehouse,
            "the warehouse cancelled an order that is paid: refund it in the shop, or have it shipped there",
        );
    }
    Decision::Skip(Reason::CancelledAtWarehouse)
}

/// Decides for an order that the warehouse does not show.
fn decide_transfer(shop: &ShopOrder, view: &OrderView<'_>) -> Decision {
    if let Some(decision) = view.ledger.placing().and_then(|entry| decide_placed(entry, view)) {
        return decision;
    }
    match &shop.status {
        ShopStatus::Cancelled => return Decision::Skip(Reason::CancelledInShop),
        ShopStatus::Completed => return Decision::Skip(Reason::CompletedInShop),
        ShopStatus::Unknown(word) => return unknown_status(word),
        ShopStatus::Open => {}
    }
    let is_readable = shop.unreadable.content.is_empty();
    if is_readable && parcels::is_return_order(shop, view.policy) {
        return decide_return_order(shop, view);
    }
    if view.policy.leaves_to_shop(shop) {
        return Decision::Skip(Reason::LeftToShop);
    }
    if let Some(blocker) = readiness::find_blocker(shop, view) {
        return blocker;
    }
    if let Some(until) = readiness::can_be_undone_until(view) {
        return Decision::Wait { until, reason: Reason::UndoPeriod };
    }
    if let Some(decision) = repeated_too_often(ActionKind::Place, "", view) {
        return decision;
    }
    match draft(shop, view.policy, &view.reference) {
        Ok(draft) => Decision::Place(Box::new(draft)),
        Err(error) if error.reason == Reason::NoWarehouseLines => Decision::Skip(error.reason),
        Err(error) => Decision::AskOperator { reason: error.reason, detail: error.detail },
    }
}

/// Decides for an order that books a return. It is no sale, whatever an operator asks; goods in it that are to be sent,
/// as for an exchange of an archived order, are left to a person.
fn decide_return_order(shop: &ShopOrder, view: &OrderView<'_>) -> Decision {
    let is_left_alone = matches!(view.intent, Some(Intent::Hold | Intent::Cancel));
    let is_history = shop.created_at.is_none_or(|at| at < view.start());
    let has_goods = parcels::lines_to_send(shop, view.policy).iter().any(ShopLine::is_ordered);
    if is_left_alone || is_history || !has_goods {
        return Decision::Skip(Reason::ReturnOrder);
    }
    Decision::ask_operator(
        Reason::ReturnOrder,
        "a return order that also has goods to send: place an order of its own for them, in the shop or in myOGO",
    )
}

/// Decides for an order that was placed, or may have been, and that the search does not show. `None` where it
/// may be placed again.
fn decide_placed(entry: &LedgerEntry, view: &OrderView<'_>) -> Option<Decision> {
    if entry.state == ActionState::ResolvedApplied {
        return Some(Decision::Skip(Reason::ResolvedByOperator)); // a person looked where we cannot
    }
    if entry.state.is_applied() {
        return Some(wait_for_search(entry, view, Reason::VanishedAtWarehouse));
    }
    wait_in_doubt(entry, view)
}
