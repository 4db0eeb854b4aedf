//! What a reading of an order teaches, and whom else it concerns.

use serde_json::json;

use crate::domain::{
    Timestamp,
    event::subject::Subject,
    order::{Draft, OrderStatus, ShopOrder, ShopStatus, WarehouseOrder, WarehouseStatus},
    stock::Basis,
    task::subject_state::{Learnt, Link},
};
use crate::flows::Context;

pub(super) fn newly_completed(shop: Option<&ShopOrder>, link: &Link) -> bool {
    link.completed_at.is_none() && shop.is_some_and(|shop| shop.status == ShopStatus::Completed)
}

/// Has the order, as far as the stock basis counts it, changed since it was last read?
pub(super) fn compensates_anew(
    context: &Context,
    shop: Option<&ShopOrder>,
    warehouse: Option<&WarehouseOrder>,
) -> bool {
    let Context { tied, link, .. } = context;
    let status = warehouse.map(|order| order.status.as_str());
    let shop_status = shop.map(|shop| shop.status.as_str());
    tied.stock.basis == Basis::Compensated
        && (status != link.warehouse_status.as_deref() || shop_status != link.shop_status.as_deref())
}

pub(super) fn stock_of(shop: Option<&ShopOrder>) -> Vec<Subject> {
    let lines = shop.into_iter().flat_map(|shop| &shop.lines).filter(|line| !line.is_download);
    let mut codes: Vec<_> = lines.filter_map(|line| line.code.clone()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(Subject::stock).collect()
}

/// A reading that lags is read as what we know to be later.
pub(super) fn no_older(order: WarehouseOrder, link: &Link) -> WarehouseOrder {
    let status = order.status.after(link.warehouse_status.as_deref());
    WarehouseOrder { status, ..order }
}

pub(super) fn remember_sent(link: &mut Link, draft: &Draft, context: &Context) {
    link.sent_hash = Some(draft.hash());
    link.sent = Some(draft.masked(&context.tied.orders.mask));
}

/// Nothing learnt yet.
pub(super) fn of_subject(context: &Context, seen_at: Timestamp) -> Learnt {
    let subject = &context.subject;
    let link = Link { mycashflow_id: Some(subject.key.clone()), ..Link::default() };
    Learnt { subject: subject.to_string(), seen_at, link }
}

/// What a reading of both sides teaches; a side that was not read teaches nothing.
pub(super) fn reading(
    context: &Context,
    seen_at: Timestamp,
    shop: Option<&ShopOrder>,
    warehouse: Option<&WarehouseOrder>,
) -> Learnt {
    let mut learnt = of_subject(context, seen_at);
    let link = &mut learnt.link;
    if let Some(shop) = shop {
        link.shop_version.clone_from(&shop.version);
        link.completed_at = (shop.status == ShopStatus::Completed).then_some(seen_at);
        link.shop_status = Some(shop.status.as_str().to_owned());
    }
    if let Some(warehouse) = warehouse {
        link.reference = Some(warehouse.reference.clone());
        link.ogoship_id.clone_from(&warehouse.id);
        link.warehouse_status = Some(warehouse.status.as_str().to_owned());
        link.warehouse_version.clone_from(&warehouse.version);
        // Silence is told too: what was said of a hold must not outlive it.
        link.warehouse_comments = Some(warehouse.comments.clone().unwrap_or_default());
        link.tracking_code.clone_from(&warehouse.tracking_code);
        link.tracking_url.clone_from(&warehouse.tracking_url);
        link.placed_at = Some(seen_at);
        let related = warehouse.related.iter();
        let related: Vec<_> =
            related.map(|it| json!({ "reference": it.reference, "status": it.status.as_str() })).collect();
        link.related = (!related.is_empty()).then(|| related.into());
    }
    link.in_flight = shop.zip(warehouse).map(|(shop, warehouse)| warehouse.in_flight(shop));
    // An order that we know to stand there is not called away by a search that does not show it.
    let known = context.link.warehouse_status.as_deref().map(WarehouseStatus::parse);
    let known = known.filter(|_| context.link.placed_at.is_some());
    let there = warehouse.map(|order| &order.status).or(known.as_ref());
    let cancelled = shop.is_some_and(|shop| shop.status == ShopStatus::Cancelled);
    link.status = Some(OrderStatus::of(there, cancelled));
    learnt
}
