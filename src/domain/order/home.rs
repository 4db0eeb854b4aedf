//! An order that stands at the warehouse: watched, mended, called off, and once it has left, told to the shop.

use std::collections::BTreeMap;

use super::{
    Next, OrderView, PlacedLine, ShopLine, ShopOrder, WarehouseOrder, WarehouseStatus, decide::ask,
    draft::stored_lines,
};
use crate::domain::{difference::difference, task::outcome::Reason};

/// It has not left yet: is it as the shop has it, and will it ship?
pub(super) fn wait_there(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Next {
    if let Some(next) = edited(shop, warehouse, view) {
        return next;
    }
    match warehouse.status {
        WarehouseStatus::Reserved
        | WarehouseStatus::Draft
        | WarehouseStatus::Locked
        | WarehouseStatus::Unknown(_) => Next::Skip(Reason::HeldAtWarehouse),
        _ => Next::Nothing,
    }
}

/// Was the shop's order edited after it was sent? An order that somebody else placed is not ours to compare.
fn edited(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Option<Next> {
    let (hash, sent) = view.link.sent_hash.as_ref().zip(view.link.sent.as_ref())?;
    // What can no longer be drafted (a rule was taken away, an address broken) cannot be sent on either.
    let draft = super::draft(shop, view.policy).ok()?;
    if draft.hash() == *hash {
        return None;
    }
    let difference = difference(sent, &draft.masked(&view.policy.mask)).join("; ");
    if warehouse.status == WarehouseStatus::New && view.policy.edit {
        return Some(Next::Update { draft: Box::new(draft), difference });
    }
    let detail = format!("edited in the shop after it was sent, mend it at the warehouse: {difference}");
    Some(Next::AskPerson { reason: Reason::OldVersionAtWarehouse, detail })
}

/// It was called off, in the shop or by hand.
pub(super) fn call_off(warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Next {
    let policy = view.policy;
    if !warehouse.status.is_uncollected() {
        let status = warehouse.status.as_str();
        let detail =
            format!("called off, but the warehouse has it as {status}: only the warehouse can stop it");
        return Next::AskPerson { reason: Reason::TooLateToCancel, detail };
    }
    if !policy.cancel {
        return ask(
            Reason::CancelledAfterTransfer,
            "called off after it was sent: cancel it at the warehouse",
        );
    }
    let Some(asked_at) = view.link.cancel_asked_at else { return Next::Cancel };
    let until = asked_at + policy.look_again * 2;
    if view.now < until {
        return Next::Wait { until, reason: Reason::SettlingTime };
    }
    ask(
        Reason::CancelledAfterTransfer,
        "the warehouse took our cancellation and still has the order: cancel it there by hand",
    )
}

/// The warehouse has shipped, the shop does not know yet.
pub(super) fn complete(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Next {
    if let Some(next) = part_shipped(shop, warehouse, view) {
        return next;
    }
    let ours = |line: &&ShopLine| view.policy.products.stores_line(line);
    let (ours, others): (Vec<_>, Vec<_>) = shop.lines.iter().filter(|line| line.is_goods()).partition(ours);
    let open: Vec<_> = shop.shipments.iter().filter(|shipment| !shipment.is_completed).collect();
    let payments: Vec<_> = shop.payments.iter().filter(|payment| payment.counts()).collect();
    let tracking_code = tracking_codes(warehouse);

    if !others.is_empty() {
        // The shop ships the rest by itself: only a shipment that is ours alone is ours to complete.
        let holds =
            |lines: &[&ShopLine], id: &str| lines.iter().any(|it| it.shipment_id.as_deref() == Some(id));
        let alone = open.iter().find(|it| holds(&ours, &it.id) && !holds(&others, &it.id));
        return alone.map_or(Next::Skip(Reason::PartShipped), |shipment| Next::CompleteShipment {
            id: shipment.id.clone(),
            tracking_code,
        });
    }
    match (open.as_slice(), payments.as_slice()) {
        // Quick processing is the one proven way to write a tracking code, and made for exactly this case.
        ([_], [payment]) if shop.shipments.len() == 1 => Next::QuickProcess {
            tracking_code,
            cash_on_delivery: payment.cash_on_delivery && !payment.is_paid(),
        },
        ([first, ..], _) => Next::CompleteShipment { id: first.id.clone(), tracking_code },
        ([], _) => {
            ask(Reason::CannotComplete, "shipped, but the shop's open order has no open shipment to complete")
        }
    }
}

/// A part shipped is not the whole: what is missing comes with a related order, or a person must say.
fn part_shipped(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Option<Next> {
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
    for PlacedLine { code, quantity } in lines {
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
        return Some(Next::Skip(Reason::PartShipped));
    }
    let list: Vec<_> = missing.iter().map(|(code, pieces)| format!("{pieces} of {code}")).collect();
    let detail = format!("the warehouse shipped less than was ordered, missing: {}", list.join(", "));
    Some(Next::AskPerson { reason: Reason::PartShipped, detail })
}

/// Every parcel's code: a split order has several.
fn tracking_codes(warehouse: &WarehouseOrder) -> Option<String> {
    let related = warehouse.related.iter().filter(|related| related.status.has_shipped());
    let mut codes: Vec<&str> = warehouse.tracking_code.as_deref().into_iter().collect();
    codes.extend(related.filter_map(|related| related.tracking_code.as_deref()));
    (!codes.is_empty()).then(|| codes.join(", "))
}
