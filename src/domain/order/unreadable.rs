//! Fields of an order that decide something and cannot be read. Nothing is guessed from them: a person looks, and the
//! fields are named.

use super::{Decision, ShopOrder, ShopStatus, UnreadableFields, WarehouseOrder};
use crate::domain::task::reason::Reason;

/// Asks a person to look at these fields.
pub(super) fn ask(side: &str, fields: &[String]) -> Decision {
    Decision::AskOperator { reason: Reason::FieldUnreadable, detail: detail(side, fields) }
}

/// Names the fields.
pub(super) fn detail(side: &str, fields: &[String]) -> String {
    format!("{side} has values that cannot be read: {}", fields.join(", "))
}

/// Asks about an order at the warehouse, where what is next depends on a field that cannot be read.
pub(super) fn find_question(shop: &ShopOrder, warehouse: &WarehouseOrder) -> Option<Decision> {
    if shop.status == ShopStatus::Completed {
        return None; // there is nothing left to do
    }
    let UnreadableFields { content, completion } = &shop.unreadable;
    if !warehouse.unreadable.is_empty() {
        return Some(ask("the warehouse's order", &warehouse.unreadable));
    }
    let of_shop: Vec<_> = if warehouse.status.has_shipped() {
        content.iter().chain(completion).cloned().collect()
    } else {
        content.clone()
    };
    (!of_shop.is_empty()).then(|| ask("the shop's order", &of_shop))
}
