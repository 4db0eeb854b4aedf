//! Decides for an order that is at the warehouse: edits, cancellation, and completion in the shop once it has
//! been shipped.

use serde_json::{Value, json};

use super::{
    Decision, Intent, OrderView, Payment, PaymentState, Shipment, ShopLine, ShopOrder, WarehouseOrder,
    WarehouseStatus, draft, inputs,
    lines::goods,
    once::{decide_activation_once, decide_completion_once, repeated_too_often},
    partial_shipment::{decide_partial_shipment, tracking_codes},
    payment,
};
use crate::domain::task::{action::ActionKind, reason::Reason};

/// Decides for an order that has not been shipped: does it match the shop's, and will it ship?
pub(super) fn decide_unshipped(
    shop: &ShopOrder,
    warehouse: &WarehouseOrder,
    view: &OrderView<'_>,
) -> Decision {
    if let Some(decision) = decide_edit(shop, warehouse, view) {
        return decision;
    }
    match warehouse.status {
        WarehouseStatus::Reserved
        | WarehouseStatus::Draft
        | WarehouseStatus::Locked
        | WarehouseStatus::Unknown(_) => Decision::Skip(Reason::HeldAtWarehouse),
        WarehouseStatus::New
        | WarehouseStatus::Collecting
        | WarehouseStatus::Pending
        | WarehouseStatus::Cancelled
        | WarehouseStatus::Shipped
        | WarehouseStatus::Delivered
        | WarehouseStatus::Returned => Decision::Nothing,
    }
}

/// Decides for an order that was edited in the shop after it was sent.
fn decide_edit(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Option<Decision> {
    let sent = last_sent(view)?;
    if inputs::was_paid(sent) && payment::is_refunded(&shop.payments) {
        return Some(Decision::ask_operator(
            Reason::RefundedAfterTransfer,
            "the payment was refunded or cancelled: cancel the order, or tell the warehouse to stop it",
        ));
    }
    let edits = inputs::edits(sent, shop, view.policy);
    if edits.is_empty() {
        return None;
    }
    let difference = edits.join("; ");
    let old_version = |detail| Decision::AskOperator { reason: Reason::OldVersionAtWarehouse, detail };
    match draft(shop, view.policy, &view.reference) {
        Ok(draft) if warehouse.status == WarehouseStatus::New && view.policy.edit => {
            Some(Decision::Update { draft: Box::new(draft), difference })
        }
        Ok(_) => Some(old_version(format!(
            "edited in the shop after it was sent, fix it at the warehouse: {difference}"
        ))),
        Err(error) => Some(old_version(format!(
            "edited in the shop after it was sent, and cannot be sent as it is now ({}): {difference}",
            error.detail
        ))),
    }
}

/// What the shop's data were when the warehouse's version of the order was sent.
pub(super) fn last_sent<'a>(view: &'a OrderView<'_>) -> Option<&'a Value> {
    let is_version = |kind: ActionKind| kind.is_placing() || kind == ActionKind::Update;
    let applied = view.ledger.0.iter().filter(|it| is_version(it.kind) && it.state.is_applied());
    applied.filter_map(|entry| entry.inputs.as_ref()).next_back()
}

/// Decides for an order that was cancelled, in the shop or by an operator.
pub(super) fn decide_cancel(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Decision {
    let policy = view.policy;
    if !warehouse.status.is_uncollected() {
        let status = warehouse.status.as_str();
        let detail =
            format!("cancelled, but the warehouse has it as {status}: only the warehouse can stop it");
        return Decision::AskOperator { reason: Reason::TooLateToCancel, detail };
    }
    if !policy.cancel {
        return Decision::ask_operator(
            Reason::CancelledAfterTransfer,
            "cancelled after it was sent: cancel it at the warehouse",
        );
    }
    let cancelled = view.ledger.last(ActionKind::Cancel, "");
    // Another version of the shop's order, or another wish, is another cancellation: it was opened in between.
    let asked = cancelled.filter(|entry| entry.inputs.as_ref() == Some(&cancel_inputs(shop, view.intent)));
    let Some(asked) = asked else {
        return repeated_too_often(ActionKind::Cancel, "", view).unwrap_or(Decision::Cancel);
    };
    let settled = asked.ended_at.unwrap_or(asked.begun_at) + policy.recheck_delay * 2;
    let until = settled.min(view.now + policy.recheck_delay * 2);
    if view.now < until {
        return Decision::Wait { until, reason: Reason::SettlingTime };
    }
    Decision::ask_operator(
        Reason::CancelledAfterTransfer,
        "the warehouse accepted our cancellation and still has the order: cancel it there by hand",
    )
}

/// What a cancellation is made from.
pub fn cancel_inputs(shop: &ShopOrder, intent: Option<Intent>) -> Value {
    json!({
        "status": shop.status.as_str(),
        "version": shop.version,
        "intent": intent.map(Intent::as_str),
    })
}

/// Decides for an order that was shipped and is still open in the shop.
pub(super) fn decide_completion(
    shop: &ShopOrder,
    warehouse: &WarehouseOrder,
    view: &OrderView<'_>,
) -> Decision {
    if let Some(decision) = decide_partial_shipment(shop, warehouse, view) {
        return decision;
    }
    if shop.shipments.iter().all(|shipment| shipment.is_completed) && has_other_shipments(shop, view) {
        return Decision::Nothing; // what is open is a return, or was added after this parcel
    }
    if view.known.completed_at.is_some() {
        return Decision::Skip(Reason::ReopenedInShop);
    }
    let decision = activate_first(choose_completion(shop, warehouse, view), shop);
    let (kind, target) = match &decision {
        Decision::QuickProcess { .. } => (ActionKind::Complete, ""),
        Decision::CompleteShipment { id, .. } => (ActionKind::CompleteShipment, id.as_str()),
        Decision::ActivatePayment { id } => {
            return decide_activation_once(id, view).unwrap_or(decision);
        }
        _ => return decision,
    };
    decide_completion_once(kind, target, view).unwrap_or(decision)
}

/// Quick processing activates the payment itself. Before a shipment is completed, each payment must be activated.
pub(super) fn activate_first(decision: Decision, shop: &ShopOrder) -> Decision {
    let mut waiting = shop.payments.iter().filter(|it| it.state == PaymentState::AwaitsActivation);
    match (&decision, waiting.next()) {
        (Decision::CompleteShipment { .. }, Some(Payment { id: Some(id), .. })) => {
            Decision::ActivatePayment { id: id.clone() }
        }
        (Decision::CompleteShipment { .. }, Some(Payment { id: None, .. })) => Decision::ask_operator(
            Reason::PaymentNotActivated,
            "shipped, and a payment without an id is not activated: activate it in the shop",
        ),
        _ => decision,
    }
}

/// Chooses the way to complete the order in the shop.
fn choose_completion(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Decision {
    let products = &view.policy.products;
    let goods = match goods(&shop.lines, products) {
        Ok(goods) => goods,
        Err(error) => return Decision::AskOperator { reason: error.reason, detail: error.detail },
    };
    let (stored, others): (Vec<_>, Vec<_>) = goods.iter().partition(|line| products.is_stored_line(line));
    let open: Vec<_> = shop.shipments.iter().filter(|shipment| !shipment.is_completed).collect();
    let tracking_code = tracking_codes(warehouse);
    if !others.is_empty() {
        return decide_own_shipment(&stored, &others, &open, tracking_code);
    }
    match (open.as_slice(), only_payment(shop, view)) {
        // Quick processing is the one proven way to write a tracking code, and made for one payment and one shipment.
        ([_], Some(payment)) if shop.shipments.len() == 1 && !has_other_shipments(shop, view) => {
            Decision::QuickProcess {
                tracking_code,
                cash_on_delivery: payment.cash_on_delivery && !payment.is_paid(),
            }
        }
        ([first, ..], _) => Decision::CompleteShipment { id: first.id.clone(), tracking_code },
        ([], _) => Decision::ask_operator(
            Reason::CannotComplete,
            "shipped, but the shop's open order has no open shipment to complete",
        ),
    }
}

/// True where the shop's order has shipments that are not of this parcel. Quick processing would complete them too.
fn has_other_shipments(shop: &ShopOrder, view: &OrderView<'_>) -> bool {
    view.shop.is_some_and(|whole| whole.shipments.len() > shop.shipments.len())
}

/// The order's only payment. One that was cancelled before it may count for the shop as another transaction: then quick
/// processing is tried, and not again once the shop has refused it.
fn only_payment<'a>(shop: &'a ShopOrder, view: &OrderView<'_>) -> Option<&'a Payment> {
    let mut counted = shop.payments.iter().filter(|payment| payment.is_counted());
    let only = counted.next().filter(|_| counted.next().is_none())?;
    (shop.payments.len() == 1 || !view.ledger.was_refused(ActionKind::Complete, "")).then_some(only)
}

/// Decides for an order of which the shop ships some lines itself: only an open shipment whose lines were all
/// stored at the warehouse may be completed.
fn decide_own_shipment(
    stored: &[&ShopLine],
    others: &[&ShopLine],
    open: &[&Shipment],
    tracking_code: Option<String>,
) -> Decision {
    let contains =
        |lines: &[&ShopLine], id: &str| lines.iter().any(|it| it.shipment_id.as_deref() == Some(id));
    let own = open.iter().find(|it| contains(stored, &it.id) && !contains(others, &it.id));
    own.map_or(Decision::Skip(Reason::PartiallyShipped), |shipment| Decision::CompleteShipment {
        id: shipment.id.clone(),
        tracking_code,
    })
}
