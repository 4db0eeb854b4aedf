//! What a reading of an order teaches, and whom else it concerns.

use serde_json::json;

use crate::domain::{
    Timestamp,
    event::subject::Subject,
    order::{Draft, OrderStatus, ShopOrder, ShopStatus, WarehouseOrder, WarehouseStatus},
    stock::Basis,
    task::subject_state::{Learnt, SubjectState},
};
use crate::flows::Context;

pub(super) fn is_newly_completed(shop: Option<&ShopOrder>, known: &SubjectState) -> bool {
    known.completed_at.is_none() && shop.is_some_and(|shop| shop.status == ShopStatus::Completed)
}

/// Has the order, as far as the stock basis counts it, changed since it was last read?
pub(super) fn has_compensation_changed(
    context: &Context,
    shop: Option<&ShopOrder>,
    warehouse: Option<&WarehouseOrder>,
) -> bool {
    let Context { clients, known, .. } = context;
    let status = warehouse.map(|order| order.status.as_str());
    let shop_status = shop.map(|shop| shop.status.as_str());
    clients.stock.basis == Basis::Compensated
        && (status != known.warehouse_status.as_deref() || shop_status != known.shop_status.as_deref())
}

pub(super) fn stock_subjects(shop: Option<&ShopOrder>) -> Vec<Subject> {
    let lines = shop.into_iter().flat_map(|shop| &shop.lines).filter(|line| !line.is_download);
    let mut codes: Vec<_> = lines.filter_map(|line| line.code.clone()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(Subject::stock).collect()
}

/// A reading that lags is read as what we know to be later.
pub(super) fn apply_known_status(order: WarehouseOrder, known: &SubjectState) -> WarehouseOrder {
    let status = order.status.after(known.warehouse_status.as_deref());
    WarehouseOrder { status, ..order }
}

pub(super) fn record_sent(known: &mut SubjectState, draft: &Draft, context: &Context) {
    known.sent_hash = Some(draft.hash());
    known.sent = Some(draft.redacted(&context.clients.orders.redactor));
}

/// Nothing observation yet.
pub(super) fn empty_observation(context: &Context, seen_at: Timestamp) -> Learnt {
    let subject = &context.subject;
    let known = SubjectState { mycashflow_id: Some(subject.key.clone()), ..SubjectState::default() };
    Learnt { subject: subject.to_string(), seen_at, known }
}

/// What a reading of both sides teaches; a side that was not read teaches nothing.
pub(super) fn observe(
    context: &Context,
    seen_at: Timestamp,
    shop: Option<&ShopOrder>,
    warehouse: Option<&WarehouseOrder>,
) -> Learnt {
    let mut observation = empty_observation(context, seen_at);
    let known = &mut observation.known;
    if let Some(shop) = shop {
        known.shop_version.clone_from(&shop.version);
        known.completed_at = (shop.status == ShopStatus::Completed).then_some(seen_at);
        known.shop_status = Some(shop.status.as_str().to_owned());
    }
    if let Some(warehouse) = warehouse {
        known.reference = Some(warehouse.reference.clone());
        known.ogoship_id.clone_from(&warehouse.id);
        known.warehouse_status = Some(warehouse.status.as_str().to_owned());
        known.warehouse_version.clone_from(&warehouse.version);
        // Silence is told too: what was said of a hold must not outlive it.
        known.warehouse_comments = Some(warehouse.comments.clone().unwrap_or_default());
        known.tracking_code.clone_from(&warehouse.tracking_code);
        known.tracking_url.clone_from(&warehouse.tracking_url);
        known.placed_at = Some(seen_at);
        let related = warehouse.related.iter();
        let related: Vec<_> =
            related.map(|it| json!({ "reference": it.reference, "status": it.status.as_str() })).collect();
        known.related = (!related.is_empty()).then(|| related.into());
    }
    known.in_flight = shop.zip(warehouse).map(|(shop, warehouse)| warehouse.in_flight(shop));
    // An order that we know to stand there is not called away by a search that does not show it.
    let last_status = context.known.warehouse_status.as_deref().map(WarehouseStatus::parse);
    let last_status = last_status.filter(|_| context.known.placed_at.is_some());
    let there = warehouse.map(|order| &order.status).or(last_status.as_ref());
    let cancelled = shop.is_some_and(|shop| shop.status == ShopStatus::Cancelled);
    known.status = Some(OrderStatus::of(there, cancelled));
    observation
}
