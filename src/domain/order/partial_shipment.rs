//! Shipments in parts: what is missing yet, and the tracking codes of all parcels.

use std::collections::BTreeMap;

use super::{
    Decision, DraftLine, OrderView, ShopOrder, WarehouseLine, WarehouseOrder, WarehouseStatus,
    draft::stored_lines,
};
use crate::domain::{product::CodeKey, task::reason::Reason};

/// Decides for a partial shipment: the missing lines come with a related order, or an operator must look.
pub(super) fn decide_partial_shipment(
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
    if warehouse.parts().any(|part| will_ship(&part.status)) {
        return Some(Decision::Skip(Reason::PartiallyShipped));
    }
    let list: Vec<_> = missing.iter().map(|(code, pieces)| format!("{pieces} × {code}")).collect();
    let detail = format!("the warehouse shipped less than was ordered, missing: {}", list.join(", "));
    Some(Decision::AskOperator { reason: Reason::PartiallyShipped, detail })
}

/// The pieces, each with its code, that were ordered and not shipped with this order or a related one.
fn missing_pieces<'a>(ordered: &'a [DraftLine], warehouse: &WarehouseOrder) -> Vec<(&'a str, i64)> {
    let mut missing: BTreeMap<CodeKey, (&str, i64)> = BTreeMap::new();
    for line in ordered {
        missing.entry(CodeKey::of(&line.code)).or_insert((&line.code, 0)).1 += line.quantity;
    }
    let shipped = warehouse.parts().filter(|part| part.status.has_shipped());
    let lines = warehouse.lines.iter().chain(shipped.flat_map(|part| &part.lines));
    for WarehouseLine { code, quantity } in lines {
        if let Some((_, pieces)) = missing.get_mut(&CodeKey::of(code)) {
            *pieces -= quantity;
        }
    }
    missing.into_values().filter(|(_, pieces)| *pieces > 0).collect()
}

/// The tracking code of every parcel, each once; a split order has several, or one for both parts.
pub(super) fn tracking_codes(warehouse: &WarehouseOrder) -> Option<String> {
    let shipped = warehouse.parts().filter(|part| part.status.has_shipped());
    let of_parts = shipped.filter_map(|part| part.tracking_code.as_deref());
    let mut codes: Vec<&str> = Vec::new();
    for code in warehouse.tracking_code.as_deref().into_iter().chain(of_parts).flat_map(|it| it.split(", ")) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    (!codes.is_empty()).then(|| codes.join(", "))
}
