//! Orders, from the shop to the warehouse and back.

mod change;
mod golden;
mod ledger;
mod once;
pub mod placed;
mod payments;
mod policy;
mod readable;
mod shipment;
mod status;
mod transfer;
mod younger_lists;
