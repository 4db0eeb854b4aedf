//! Decides for the shipments that the shop added after an order was sent: exchanges, and goods that are sent again. Each is
//! a replacement, an order of its own at the warehouse under our reference with `-R1`, `-R2`. It is sent once a person has
//! confirmed it, and completed in the shop once it was shipped.

use super::{
    Decision, OrderView, RelatedOrder, ShopStatus, UnreadableFields, WarehouseOrder, WarehouseStatus,
    added_shipment::{draft_of, is_left_to_shop, order_of, reference_for, unknown_replacements},
    at_warehouse::activate_first,
    inputs,
    once::{
        decide_activation_once, decide_completion_once, repeated_too_often, wait_for_search, wait_in_doubt,
    },
    parcels::{AddedShipment, Parcels},
    readiness::undo_ends_at,
    recognition::is_sent_by,
};
use crate::domain::task::{
    action::{ActionKind, ActionState, LedgerEntry},
    reason::Reason,
};

/// Chooses between what is to be done for the first parcel and for the replacements. Actions come first, then waits, then
/// questions to a person.
pub(super) fn decide_beside(
    main: Decision,
    parcels: &Parcels<'_>,
    warehouse: &WarehouseOrder,
    view: &OrderView<'_>,
) -> Decision {
    let is_followed = matches!(parcels.main.status, ShopStatus::Open | ShopStatus::Completed);
    if !is_followed || !warehouse.status.has_shipped() {
        return main;
    }
    let added = parcels.added.iter().filter_map(|added| decide_added(added, parcels, warehouse, view));
    let next = added.chain(removed(parcels, warehouse, view)).min_by_key(precedence_of);
    match next {
        Some(next) if precedence_of(&next) < precedence_of(&main) => next,
        _ => main,
    }
}

/// What goes first: an action, a wait, a question, nothing.
const fn precedence_of(decision: &Decision) -> u8 {
    match decision {
        Decision::Wait { .. } | Decision::WaitInDoubt { .. } => 1,
        Decision::AskOperator { .. } => 2,
        Decision::Nothing | Decision::Skip(_) => 3,
        _ => 0,
    }
}

/// Decides for one added shipment; `None` where nothing is to be done.
fn decide_added(
    added: &AddedShipment,
    parcels: &Parcels<'_>,
    warehouse: &WarehouseOrder,
    view: &OrderView<'_>,
) -> Option<Decision> {
    let shipment = &added.shipment;
    let Some(entry) = view.ledger.replacement(&shipment.id) else {
        return if shipment.is_completed { None } else { decide_new(added, parcels, warehouse, view) };
    };
    let found = find_placed(entry, warehouse);
    match (found, entry.state) {
        (Some(found), state) if state.is_applied() => follow(found, added, parcels, view),
        (Some(found), _) => Some(Decision::AdoptReplacement {
            number: Some(entry.number),
            shipment: shipment.id.clone(),
            reference: found.reference.clone(),
        }),
        (None, ActionState::ResolvedApplied) => None, // a person looked where we cannot
        (None, _) if shipment.is_completed => None,
        (None, ActionState::Applied) => Some(wait_for_search(entry, view, Reason::ReplacementVanished)),
        (None, _) => wait_in_doubt(entry, view).or_else(|| decide_new(added, parcels, warehouse, view)),
    }
}

fn find_placed<'a>(entry: &LedgerEntry, warehouse: &'a WarehouseOrder) -> Option<&'a RelatedOrder> {
    let reference = entry.reference.as_deref()?;
    warehouse.related.iter().find(|it| it.reference.eq_ignore_ascii_case(reference))
}

/// Decides for a shipment that is not at the warehouse as far as we know.
fn decide_new(
    added: &AddedShipment,
    parcels: &Parcels<'_>,
    warehouse: &WarehouseOrder,
    view: &OrderView<'_>,
) -> Option<Decision> {
    let shipment = &added.shipment.id;
    if added.lines.is_empty() {
        return Some(Decision::AskOperator {
            reason: Reason::ReplacementUnconfirmed,
            detail: format!(
                "the shop does not say what is in the added shipment {shipment}: send it by hand"
            ),
        });
    }
    let reference = reference_for(shipment, warehouse, view);
    let draft = match draft_of(added, parcels, view, &reference) {
        Ok(draft) => draft,
        Err(error) if is_left_to_shop(&error) => return None,
        Err(error) => return Some(Decision::AskOperator { reason: error.reason, detail: error.detail }),
    };
    if let Some(same) = unknown_replacements(warehouse, view).find(|it| is_sent_by(&draft, it)) {
        let (shipment, reference) = (shipment.clone(), same.reference.clone());
        return Some(Decision::AdoptReplacement { number: None, shipment, reference });
    }
    if !view.confirmed.contains(shipment) {
        let goods: Vec<_> =
            draft.lines.iter().map(|line| format!("{} × {}", line.quantity, line.code)).collect();
        return Some(Decision::AskOperator {
            reason: Reason::ReplacementUnconfirmed,
            detail: format!("added shipment {shipment}, {}: confirm {reference}", goods.join(", ")),
        });
    }
    if let Some(until) = undo_ends_at(view) {
        return Some(Decision::Wait { until, reason: Reason::UndoPeriod });
    }
    let too_often = repeated_too_often(ActionKind::PlaceReplacement, shipment, view);
    let place = || Decision::PlaceReplacement { shipment: shipment.clone(), draft: Box::new(draft) };
    Some(too_often.unwrap_or_else(place))
}

/// Decides for a replacement that is at the warehouse.
fn follow(
    found: &RelatedOrder,
    added: &AddedShipment,
    parcels: &Parcels<'_>,
    view: &OrderView<'_>,
) -> Option<Decision> {
    let RelatedOrder { reference, status, .. } = found;
    let ask = |reason, what: &str| {
        Some(Decision::AskOperator { reason, detail: format!("the replacement {reference}: {what}") })
    };
    match status {
        _ if added.shipment.is_completed => None,
        status if status.has_shipped() => Some(complete(found, added, parcels, view)),
        WarehouseStatus::Cancelled => ask(Reason::CancelledAtWarehouse, "the warehouse cancelled it"),
        WarehouseStatus::Reserved
        | WarehouseStatus::Draft
        | WarehouseStatus::Locked
        | WarehouseStatus::Unknown(_) => ask(Reason::HeldAtWarehouse, "the warehouse holds it"),
        _ => {
            let edits = edits_since(added, parcels, view);
            if edits.is_empty() { None } else { ask(Reason::OldVersionAtWarehouse, &edits.join("; ")) }
        }
    }
}

/// What was edited in the shop since the replacement was sent.
fn edits_since(added: &AddedShipment, parcels: &Parcels<'_>, view: &OrderView<'_>) -> Vec<String> {
    let entry = view.ledger.replacement(&added.shipment.id);
    let sent = entry.and_then(|entry| entry.inputs.as_ref());
    sent.map_or_else(Vec::new, |sent| inputs::edits(sent, &order_of(added, &parcels.main), view.policy))
}

/// Completes the added shipment in the shop, once.
fn complete(
    found: &RelatedOrder,
    added: &AddedShipment,
    parcels: &Parcels<'_>,
    view: &OrderView<'_>,
) -> Decision {
    let id = added.shipment.id.clone();
    let complete = Decision::CompleteShipment { id: id.clone(), tracking_code: found.tracking_code.clone() };
    match activate_first(complete, &parcels.main) {
        Decision::ActivatePayment { id } => {
            decide_activation_once(&id, view).unwrap_or(Decision::ActivatePayment { id })
        }
        decision @ Decision::CompleteShipment { .. } => {
            decide_completion_once(ActionKind::CompleteShipment, &id, view).unwrap_or(decision)
        }
        question => question,
    }
}

/// A replacement whose shipment the shop no longer has, and that the warehouse can still stop.
fn removed(parcels: &Parcels<'_>, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Option<Decision> {
    let placed = view.ledger.0.iter().filter(|it| it.kind == ActionKind::PlaceReplacement);
    let is_gone = |entry: &&LedgerEntry| {
        let shipments = view.shop.into_iter().flat_map(|shop| &shop.shipments);
        entry.state.is_applied() && !shipments.into_iter().any(|it| it.id == entry.target)
    };
    let mut left_over = placed.filter(is_gone).filter_map(|entry| find_placed(entry, warehouse));
    let found = left_over.find(|found| found.status.is_uncollected())?;
    // Nothing is concluded from shipments that could not be read, or that are not there at all.
    let is_readable = view.shop.is_some_and(|shop| shop.unreadable == UnreadableFields::default());
    if !is_readable || parcels.main.shipments.is_empty() {
        return None;
    }
    Some(Decision::AskOperator {
        reason: Reason::CancelledAfterTransfer,
        detail: format!(
            "the shop no longer has the shipment of the replacement {}: cancel it at the warehouse",
            found.reference
        ),
    })
}
