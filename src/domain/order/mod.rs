//! Orders: what both sides mean by one, and what to do next about it.

mod decide;
mod draft;
mod home;
mod policy;
mod ready;
mod recipient;
mod shop;
mod status;
#[cfg(test)]
mod tests;
mod warehouse;

pub use decide::{Decision, OrderView, decide};
pub use draft::{CashOnDelivery, Draft, DraftError, DraftLine, LinePrice, draft};
pub use policy::{Intent, OrderPolicy, Transfer, TransferTime, UnitPrices};
pub use recipient::Recipient;
pub use shop::{Payment, PaymentState, Shipment, ShopLine, ShopOrder, ShopStatus};
pub use status::OrderStatus;
pub use warehouse::{RelatedOrder, WarehouseLine, WarehouseOrder, WarehouseStatus};
