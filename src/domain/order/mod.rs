//! Orders: both sides' view of one, and what to do next about it.

mod added_shipment;
mod at_warehouse;
mod decide;
mod decision;
mod draft;
mod facts;
mod inputs;
mod line_facts;
mod lines;
mod once;
mod parcels;
mod partial_shipment;
mod payment;
mod policy;
mod quantity;
mod readiness;
mod recipient;
mod recognition;
mod replacement;
mod shop;
mod status;
#[cfg(test)]
mod tests;
mod unreadable;
mod waiting;
mod warehouse;

pub use added_shipment::{AddedShipmentView, Goods, added_order, added_shipments, returned_goods};
pub use at_warehouse::cancel_inputs;
pub use decide::decide;
pub use decision::{Decision, OrderView};
pub use draft::{CashOnDelivery, Draft, DraftError, DraftLine, LinePrice, customizations, draft};
pub use facts::{OrderFacts, ShippingFacts, ShippingMapping};
pub use inputs::order_inputs;
pub use line_facts::{LineFacts, ShippedBy};
pub use policy::{CachedDigest, Intent, OrderPolicy, TransferTime, UnitPrices};
pub use recipient::Recipient;
pub use shop::{Payment, PaymentState, Shipment, ShopLine, ShopOrder, ShopStatus, UnreadableFields};
pub use status::OrderStatus;
pub use waiting::awaited_goods;
pub use warehouse::{RelatedOrder, WarehouseLine, WarehouseOrder, WarehouseStatus};
