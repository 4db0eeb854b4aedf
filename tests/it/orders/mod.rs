//! Orders, from the shop to the warehouse and back.

mod change;
mod connected;
mod customizations;
mod facts;
mod golden;
mod ledger;
mod lines;
mod list;
mod once;
mod payments;
pub mod placed;
mod policy;
mod readable;
mod reads;
mod refusals;
mod replacements;
mod returns;
mod second_payment;
mod shipment;
mod status;
mod transfer;
mod unknown;
mod waiting;
mod younger_lists;
