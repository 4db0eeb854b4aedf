//! `decide` by table: each row is a situation and the decision.

mod case;
mod draft;
mod editing;
mod following;
mod ledger;
mod parcels;
mod transfer;

pub(super) use case::{at_warehouse, line, order, policy, shipment};
