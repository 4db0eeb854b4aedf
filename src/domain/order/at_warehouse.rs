//! Decides for an order that is at the warehouse: edits, cancellation, and completion in the shop once it has
//! been shipped.

use std::collections::BTreeMap;

use super::{
    Decision, DraftLine, OrderView, Shipment, ShopLine, ShopOrder, WarehouseLine, WarehouseOrder,
    WarehouseStatus, draft, draft::stored_lines,
};
use crate::domain::{difference::difference, task::reason::Reason};

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
        | WarehouseStatus::Returned => Decision::Nothing,
    }
}

/// Decides for an order that was edited in the shop after it was sent. An order that somebody else placed is
/// not compared.
fn decide_edit(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Option<Decision> {
    let (hash, sent) = view.known.sent_hash.as_ref().zip(view.known.sent.as_ref())?;
    // What can no longer be drafted (a rule was removed, an address is incomplete) cannot be sent as an edit
    // either.
    let draft = draft(shop, view.policy).ok()?;
    if draft.hash() == *hash {
        return None;
    }
    let difference = difference(sent, &draft.redacted(&view.policy.redactor)).join("; ");
    if warehouse.status == WarehouseStatus::New && view.policy.edit {
        return Some(Decision::Update { draft: Box::new(draft), difference });
    }
    let detail = format!("edited in the shop after it was sent, fix it at the warehouse: {difference}");
    Some(Decision::AskOperator { reason: Reason::OldVersionAtWarehouse, detail })
}

/// Decides for an order that was cancelled, in the shop or by an operator.
pub(super) fn decide_cancel(warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Decision {
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
    let Some(asked_at) = view.known.cancel_requested_at else { return Decision::Cancel };
    let until = asked_at + policy.recheck_delay * 2;
    if view.now < until {
        return Decision::Wait { until, reason: Reason::SettlingTime };
    }
    Decision::ask_operator(
        Reason::CancelledAfterTransfer,
        "the warehouse accepted our cancellation and still has the order: cancel it there by hand",
    )
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
    let is_stored = |line: &&ShopLine| view.policy.products.is_stored_line(line);
    let (stored, others): (Vec<_>, Vec<_>) =
        shop.lines.iter().filter(|line| line.is_goods()).partition(is_stored);
    let open: Vec<_> = shop.shipments.iter().filter(|shipment| !shipment.is_completed).collect();
    let tracking_code = tracking_codes(warehouse);
    if !others.is_empty() {
        return decide_own_shipment(&stored, &others, &open, tracking_code);
    }
    let payments: Vec<_> = shop.payments.iter().filter(|payment| payment.is_counted()).collect();
    match (open.as_slice(), payments.as_slice()) {
        // Quick processing is the one proven way to write a tracking code, and made for this case.
        ([_], [payment]) if shop.shipments.len() == 1 => Decision::QuickProcess {
            tracking_code,
            cash_on_delivery: payment.cash_on_delivery && !payment.is_paid(),
        },
        ([first, ..], _) => Decision::CompleteShipment { id: first.id.clone(), tracking_code },
        ([], _) => Decision::ask_operator(
            Reason::CannotComplete,
            "shipped, but the shop's open order has no open shipment to complete",
        ),
    }
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

/// Decides for a partial shipment: the missing lines come with a related order, or an operator must look.
fn decide_partial_shipment(
    shop: &ShopOrder,
    warehouse: &WarehouseOrder,
    view: &OrderView<'_>,
) -> Option<Decision> {
    if warehouse.lines.is_empty() {
        return None; // the warehouse does not list what it shipped: its status is all there is
    }
    let ordered = stored_lines(&shop.lines, view.policy).ok()?;
    let missing = missing_pieces(&ordered, warehouse);
    if missing.is_empty() {
        return None;
    }
    let will_ship = |status: &WarehouseStatus| !status.has_shipped() && *status != WarehouseStatus::Cancelled;
    if warehouse.related.iter().any(|related| will_ship(&related.status)) {
        return Some(Decision::Skip(Reason::PartiallyShipped));
    }
    let list: Vec<_> = missing.iter().map(|(code, pieces)| format!("{pieces} of {code}")).collect();
    let detail = format!("the warehouse shipped less than was ordered, missing: {}", list.join(", "));
    Some(Decision::AskOperator { reason: Reason::PartiallyShipped, detail })
}

/// The pieces, by code, that were ordered and not shipped with this order or a related one.
fn missing_pieces<'a>(ordered: &'a [DraftLine], warehouse: &WarehouseOrder) -> BTreeMap<&'a str, i64> {
    let mut missing: BTreeMap<&str, i64> = BTreeMap::new();
    for line in ordered {
        *missing.entry(&line.code).or_default() += line.quantity;
    }
    let shipped = warehouse.related.iter().filter(|related| related.status.has_shipped());
    let lines = warehouse.lines.iter().chain(shipped.flat_map(|related| &related.lines));
    for WarehouseLine { code, quantity } in lines {
        if let Some(pieces) = missing.get_mut(code.as_str()) {
            *pieces -= quantity;
        }
    }
    missing.retain(|_, pieces| *pieces > 0);
    missing
}

/// The tracking code of every parcel; a split order has several.
fn tracking_codes(warehouse: &WarehouseOrder) -> Option<String> {
    let related = warehouse.related.iter().filter(|related| related.status.has_shipped());
    let mut codes: Vec<&str> = warehouse.tracking_code.as_deref().into_iter().collect();
    codes.extend(related.filter_map(|related| related.tracking_code.as_deref()));
    (!codes.is_empty()).then(|| codes.join(", "))
}
