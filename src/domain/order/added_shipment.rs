//! A shipment that the shop added after an order was sent, as the warehouse would get it: a replacement.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Draft, DraftError, OrderView, RelatedOrder, ShopLine, ShopOrder, ShopStatus, WarehouseOrder,
    WarehouseStatus,
    at_warehouse::last_sent,
    draft,
    parcels::{self, AddedShipment, Parcels},
    quantity::quantity_json,
    warehouse::{replacement_number, replacement_reference},
};
use crate::domain::task::{action::ActionKind, reason::Reason};

/// What the shop sends itself is no business of the warehouse.
pub(super) const fn is_left_to_shop(error: &DraftError) -> bool {
    matches!(error.reason, Reason::NoWarehouseLines | Reason::LeftToShop)
}

/// The shop's order as far as the added shipment goes. What was paid, is collected or was commented belongs to the first
/// parcel.
pub(super) fn order_of(added: &AddedShipment, whole: &ShopOrder) -> ShopOrder {
    let AddedShipment { shipment, lines } = added;
    let mut order = ShopOrder {
        shipping: shipment.shipping.clone().or_else(|| whole.shipping.clone()),
        lines: lines.clone(),
        shipments: vec![shipment.clone()],
        comments: None,
        receipt_url: None,
        ..whole.clone()
    };
    // Nothing is collected a second time.
    for payment in &mut order.payments {
        payment.cash_on_delivery = false;
    }
    order
}

/// The draft of an added shipment.
pub(super) fn draft_of(
    added: &AddedShipment,
    parcels: &Parcels<'_>,
    view: &OrderView<'_>,
    reference: &str,
) -> Result<Draft, DraftError> {
    draft(&order_of(added, &parcels.main), view.policy, reference)
}

/// The reference for a shipment: the one under which it was begun, else the first that nothing has.
pub(super) fn reference_for(shipment: &str, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> String {
    let placings = || view.ledger.0.iter().filter(|it| it.kind == ActionKind::PlaceReplacement);
    let begun = placings().rfind(|it| it.target == shipment).and_then(|it| it.reference.clone());
    let ledger = placings().filter_map(|it| it.reference.as_deref());
    let there = warehouse.related.iter().map(|it| it.reference.as_str());
    let taken: Vec<_> =
        ledger.chain(there).filter_map(|it| replacement_number(it, &view.reference)).collect();
    let is_free = |number: &u32| !taken.contains(number);
    let first_free =
        || (1..=u32::MAX).find(is_free).map(|number| replacement_reference(&view.reference, number));
    begun.or_else(first_free).unwrap_or_default()
}

/// Replacements at the warehouse that no action of ours is known of: made by hand, or before our database was restored.
pub(super) fn unknown_replacements<'a>(
    warehouse: &'a WarehouseOrder,
    view: &'a OrderView<'_>,
) -> impl Iterator<Item = &'a RelatedOrder> {
    let is_known = |it: &RelatedOrder| {
        let references = view.ledger.0.iter().filter_map(|entry| entry.reference.as_deref());
        references.into_iter().any(|known| known.eq_ignore_ascii_case(&it.reference))
    };
    let ours =
        warehouse.related.iter().filter(|it| replacement_number(&it.reference, &view.reference).is_some());
    ours.filter(move |it| !is_known(it) && it.status != WarehouseStatus::Cancelled)
}

/// Goods as pages show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    /// The product code.
    pub code: String,
    /// A number where it is whole, else text, which is exact.
    pub quantity: Value,
}

impl Goods {
    /// So much of a code.
    pub fn new(code: &str, quantity: Decimal) -> Self {
        Self { code: code.to_owned(), quantity: quantity_json(quantity) }
    }
}

/// An added shipment as pages show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedShipmentView {
    /// The shop's id of it.
    pub shipment: String,
    /// Its goods; empty where the shop does not say.
    pub lines: Vec<Goods>,
    /// The reference of its replacement, once that was begun.
    pub reference: Option<String>,
    /// True while it waits for a person to confirm it.
    pub waits: bool,
}

/// Lists the shipments that were added after the order was sent and that the warehouse is to send.
pub fn added_shipments(shop: &ShopOrder, view: &OrderView<'_>) -> Vec<AddedShipmentView> {
    let parcels = Parcels::of(shop, last_sent(view), view.policy);
    let is_open = matches!(shop.status, ShopStatus::Open | ShopStatus::Completed);
    let added = parcels.added.iter().filter_map(|added| {
        let id = &added.shipment.id;
        let entry = view.ledger.replacement(id);
        let is_left = || draft_of(added, &parcels, view, "").is_err_and(|error| is_left_to_shop(&error));
        if entry.is_none() && !added.lines.is_empty() && is_left() {
            return None;
        }
        let is_new = entry.is_none() && !added.shipment.is_completed && !view.confirmed.contains(id);
        let line = |line: &ShopLine| Goods::new(line.code(), line.quantity);
        Some(AddedShipmentView {
            shipment: id.clone(),
            lines: added.lines.iter().map(line).collect(),
            reference: entry.and_then(|entry| entry.reference.clone()),
            waits: is_new && is_open && !added.lines.is_empty(),
        })
    });
    added.collect()
}

/// What came back by the shop's books: pieces by code.
pub fn returned_goods(shop: &ShopOrder, view: &OrderView<'_>) -> Vec<Goods> {
    let returned = parcels::returned_pieces(shop, last_sent(view), view.policy);
    returned.iter().map(|(code, quantity)| Goods::new(code, *quantity)).collect()
}

/// The shop's order as far as this added shipment goes: what a replacement is made from.
pub fn added_order(shop: &ShopOrder, shipment: &str, view: &OrderView<'_>) -> Option<ShopOrder> {
    let parcels = Parcels::of(shop, last_sent(view), view.policy);
    let added = parcels.added.iter().find(|added| added.shipment.id == shipment)?;
    Some(order_of(added, &parcels.main))
}
