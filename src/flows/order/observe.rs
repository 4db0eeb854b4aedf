//! What a read of both sides shows of an order, and which other subjects it concerns.

use serde_json::{Value, json};

use crate::domain::{
    Timestamp,
    event::subject::Subject,
    order::{
        Goods, OrderStatus, OrderView, RelatedOrder, ShopOrder, ShopStatus, WarehouseLine, WarehouseOrder,
        WarehouseStatus, added_shipments, awaited_goods, customizations, returned_goods,
    },
    task::subject_state::{Observation, SubjectState, Waiting},
};
use crate::flows::Context;

/// True where the shop has completed the order since the last read.
pub(super) fn is_newly_completed(shop: Option<&ShopOrder>, known: &SubjectState) -> bool {
    let was_completed = known.shop_status.as_deref() == Some(ShopStatus::Completed.as_str());
    !was_completed && shop.is_some_and(|shop| shop.status == ShopStatus::Completed)
}

/// The stock subjects of the order's goods.
pub(super) fn stock_subjects(shop: Option<&ShopOrder>) -> Vec<Subject> {
    let lines = shop.into_iter().flat_map(|shop| &shop.lines).filter(|line| !line.is_download);
    let mut codes: Vec<_> = lines.filter_map(|line| line.code.clone()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(Subject::stock).collect()
}

/// Replaces the status of a read that lags by the later known one. A word that Silta does not know, of a parcel that was
/// shipped, says how far the parcel is.
pub(super) fn apply_known_status(order: WarehouseOrder, known: &SubjectState) -> WarehouseOrder {
    let said = order.status.clone();
    let status = order.status.or_later_known(known.warehouse_status.as_deref());
    let later = match said {
        WarehouseStatus::Unknown(word) if status.has_shipped() && !word.is_empty() => Some(word),
        _ => None,
    };
    WarehouseOrder { status, parcel_state: later.or(order.parcel_state), ..order }
}

/// An observation of nothing yet.
pub(super) fn empty_observation(context: &Context, seen_at: Timestamp) -> Observation {
    let subject = &context.subject;
    let known = SubjectState { mycashflow_id: Some(subject.key.clone()), ..SubjectState::default() };
    Observation { subject: subject.to_string(), seen_at, known }
}

/// What a read of both sides shows; a side that was not read shows nothing.
pub(super) fn observe(
    context: &Context,
    seen_at: Timestamp,
    shop: Option<&ShopOrder>,
    warehouse: Option<&WarehouseOrder>,
) -> Observation {
    let mut observation = empty_observation(context, seen_at);
    let known = &mut observation.known;
    if let Some(shop) = shop {
        known.shop_version.clone_from(&shop.version);
        known.completed_at = (shop.status == ShopStatus::Completed).then_some(seen_at);
        known.shop_status = Some(shop.status.as_str().to_owned());
        known.customizations = Some(customizations_json(shop));
    }
    if let Some(warehouse) = warehouse {
        known.reference = Some(warehouse.reference.clone());
        known.ogoship_id.clone_from(&warehouse.id);
        known.warehouse_status = Some(warehouse.status.as_str().to_owned());
        known.warehouse_version.clone_from(&warehouse.version);
        // An empty comment is recorded too: the old one must not outlive its cause.
        known.warehouse_comments = Some(warehouse.comments.clone().unwrap_or_default());
        known.tracking_code.clone_from(&warehouse.tracking_code);
        known.tracking_url.clone_from(&warehouse.tracking_url);
        known.parcel_state.clone_from(&warehouse.parcel_state);
        known.placed_at = Some(seen_at);
        known.waiting =
            Some(awaited_goods(shop, warehouse).map_or(Waiting::No, |goods| Waiting::For(json!(goods))));
        let related = warehouse.related.iter();
        let related: Vec<_> = related.map(related_json).collect();
        known.related = (!related.is_empty()).then(|| related.into());
    }
    let was_completed = context.known.completed_at.is_some();
    known.in_flight = shop.zip(warehouse).map(|(shop, warehouse)| warehouse.in_flight(shop, was_completed));
    // A search that does not show a known order does not remove it from the warehouse.
    let last_status = context.known.warehouse_status.as_deref().map(WarehouseStatus::parse);
    let last_status = last_status.filter(|_| context.known.placed_at.is_some());
    let there = warehouse.map(|order| &order.status).or(last_status.as_ref());
    let cancelled = shop.is_some_and(|shop| shop.status == ShopStatus::Cancelled);
    known.status = Some(OrderStatus::of(there, cancelled));
    observation
}

/// An empty list is recorded too: what the shopper took back must not stay.
fn customizations_json(shop: &ShopOrder) -> Value {
    let customized = customizations(shop);
    customized.map(|(line, text)| json!({ "code": line.code(), "text": text })).collect()
}

fn related_json(related: &RelatedOrder) -> Value {
    let RelatedOrder { reference, status, tracking_code, .. } = related;
    json!({ "reference": reference, "status": status.as_str(), "tracking_code": tracking_code })
}

/// Adds what came back and what was added to the order after its parcel was shipped. An empty list is recorded too: what
/// was booked by mistake must not outlive its correction.
pub(super) fn observe_parcels(
    observation: &mut Observation,
    view: &OrderView<'_>,
    ours: Option<&WarehouseOrder>,
) {
    let Some((shop, warehouse)) = view.shop.zip(ours) else { return };
    let is_shipped = warehouse.status.has_shipped();
    let mut returned = Vec::new();
    let mut add = |side: &str, code: &str, pieces: Value| {
        returned.push(json!({ "side": side, "code": code, "pieces": pieces }));
    };
    if is_shipped {
        for Goods { code, quantity } in returned_goods(shop, view) {
            add("mycashflow", &code, quantity);
        }
    }
    let whole = std::iter::once((&warehouse.status, &warehouse.lines));
    let related = warehouse.related.iter().map(|it| (&it.status, &it.lines));
    for (_, lines) in whole.chain(related).filter(|(status, _)| **status == WarehouseStatus::Returned) {
        for WarehouseLine { code, quantity } in lines {
            add("ogoship", code, (*quantity).into());
        }
    }
    observation.known.returned = Some(returned.into());
    let added = if is_shipped { added_shipments(shop, view) } else { Vec::new() };
    observation.known.added_shipments = Some(json!(added));
}
