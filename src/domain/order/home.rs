//! An order that stands at the warehouse: watched, fixed, called off, and once it has left, told to the shop.

use std::collections::BTreeMap;

use super::{
    Decision, OrderView, ShopLine, ShopOrder, WarehouseLine, WarehouseOrder, WarehouseStatus,
    decide::ask_operator, draft::stored_lines,
};
use crate::domain::{difference::difference, task::outcome::Reason};

/// It has not left yet: is it as the shop has it, and will it ship?
pub(super) fn decide_unshipped(
    shop: &ShopOrder,
    warehouse: &WarehouseOrder,
    view: &OrderView<'_>,
) -> Decision {
    if let Some(next) = decide_edit(shop, warehouse, view) {
        return next;
    }
    match warehouse.status {
        WarehouseStatus::Reserved
        | WarehouseStatus::Draft
        | WarehouseStatus::Locked
        | WarehouseStatus::Unknown(_) => Decision::Skip(Reason::HeldAtWarehouse),
        _ => Decision::Nothing,
    }
}

/// Was the shop's order edited after it was sent? An order that somebody else placed is not ours to compare.
fn decide_edit(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Option<Decision> {
    let (hash, sent) = view.known.sent_hash.as_ref().zip(view.known.sent.as_ref())?;
    // What can no longer be drafted (a rule was taken away, an address broken) cannot be sent on either.
    let draft = super::draft(shop, view.policy).ok()?;
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

/// It was called off, in the shop or by hand.
pub(super) fn decide_cancel(warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Decision {
    let policy = view.policy;
    if !warehouse.status.is_uncollected() {
        let status = warehouse.status.as_str();
        let detail =
            format!("called off, but the warehouse has it as {status}: only the warehouse can stop it");
        return Decision::AskOperator { reason: Reason::TooLateToCancel, detail };
    }
    if !policy.cancel {
        return ask_operator(
            Reason::CancelledAfterTransfer,
            "called off after it was sent: cancel it at the warehouse",
        );
    }
    let Some(asked_at) = view.known.cancel_requested_at else { return Decision::Cancel };
    let until = asked_at + policy.recheck_delay * 2;
    if view.now < until {
        return Decision::Wait { until, reason: Reason::SettlingTime };
    }
    ask_operator(
        Reason::CancelledAfterTransfer,
        "the warehouse took our cancellation and still has the order: cancel it there by hand",
    )
}

/// The warehouse has shipped, the shop does not know yet.
pub(super) fn decide_completion(
    shop: &ShopOrder,
    warehouse: &WarehouseOrder,
    view: &OrderView<'_>,
) -> Decision {
    if let Some(next) = partially_shipped(shop, warehouse, view) {
        return next;
    }
    let ours = |line: &&ShopLine| view.policy.products.is_stored_line(line);
    let (ours, others): (Vec<_>, Vec<_>) = shop.lines.iter().filter(|line| line.is_goods()).partition(ours);
    let open: Vec<_> = shop.shipments.iter().filter(|shipment| !shipment.is_completed).collect();
    let payments: Vec<_> = shop.payments.iter().filter(|payment| payment.is_counted()).collect();
    let tracking_code = tracking_codes(warehouse);

    if !others.is_empty() {
        // The shop ships the rest by itself: only a shipment that is ours alone is ours to complete.
        let holds =
            |lines: &[&ShopLine], id: &str| lines.iter().any(|it| it.shipment_id.as_deref() == Some(id));
        let alone = open.iter().find(|it| holds(&ours, &it.id) && !holds(&others, &it.id));
        return alone.map_or(Decision::Skip(Reason::PartiallyShipped), |shipment| {
            Decision::CompleteShipment { id: shipment.id.clone(), tracking_code }
        });
    }
    match (open.as_slice(), payments.as_slice()) {
        // Quick processing is the one proven way to write a tracking code, and made for exactly this case.
        ([_], [payment]) if shop.shipments.len() == 1 => Decision::QuickProcess {
            tracking_code,
            cash_on_delivery: payment.cash_on_delivery && !payment.is_paid(),
        },
        ([first, ..], _) => Decision::CompleteShipment { id: first.id.clone(), tracking_code },
        ([], _) => ask_operator(
            Reason::CannotComplete,
            "shipped, but the shop's open order has no open shipment to complete",
        ),
    }
}

/// A part shipped is not the whole: what is missing comes with a related order, or a person must say.
fn partially_shipped(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Option<Decision> {
    if warehouse.lines.is_empty() {
        return None; // the warehouse does not tell what it shipped: its word for it is all there is
    }
    let wanted = stored_lines(&shop.lines, view.policy).ok()?;
    let mut missing: BTreeMap<&str, i64> = BTreeMap::new();
    for line in &wanted {
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
    if missing.is_empty() {
        return None;
    }
    let comes = |status: &WarehouseStatus| !status.has_shipped() && *status != WarehouseStatus::Cancelled;
    if warehouse.related.iter().any(|related| comes(&related.status)) {
        return Some(Decision::Skip(Reason::PartiallyShipped));
    }
    let list: Vec<_> = missing.iter().map(|(code, pieces)| format!("{pieces} of {code}")).collect();
    let detail = format!("the warehouse shipped less than was ordered, missing: {}", list.join(", "));
    Some(Decision::AskOperator { reason: Reason::PartiallyShipped, detail })
}

/// Every parcel's code: a split order has several.
fn tracking_codes(warehouse: &WarehouseOrder) -> Option<String> {
    let related = warehouse.related.iter().filter(|related| related.status.has_shipped());
    let mut codes: Vec<&str> = warehouse.tracking_code.as_deref().into_iter().collect();
    codes.extend(related.filter_map(|related| related.tracking_code.as_deref()));
    (!codes.is_empty()).then(|| codes.join(", "))
}
