//! Whether the order that stands at the warehouse under our reference is the one that we sent.
//!
//! The ledger says so. Where it does not (another program or another shop uses the same reference, or our
//! database is an older copy), only an order of the same content, that is not older than the shop's, is taken
//! for ours. Anything else is a person's to decide: completing it would give the shopper somebody else's
//! tracking code.

use std::collections::BTreeMap;

use chrono::Duration;

use super::{
    Decision, Draft, Intent, OrderView, RelatedOrder, ShopOrder, ShopStatus, WarehouseLine, WarehouseOrder,
    WarehouseStatus, draft,
};
use crate::domain::{
    product::CodeKey,
    switch::Switch,
    task::{action::LedgerEntry, reason::Reason},
};

/// How far the two vendors' clocks may be apart.
const MAX_CLOCK_SKEW: Duration = Duration::hours(1);

/// What an order at the warehouse is to us.
pub(super) enum Recognition {
    /// The ledger knows that it is there.
    Ours,
    /// It is ours, and the ledger is to say so: of this action of unknown outcome, or of none.
    Unadopted(Option<i32>),
    /// It is not ours as far as we know.
    NotOurs(Decision),
}

/// Recognizes an order at the warehouse.
pub(super) fn recognize(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Recognition {
    let open_twins = warehouse.twins.iter().filter(|status| **status != WarehouseStatus::Cancelled).count();
    if open_twins > 0 {
        return Recognition::NotOurs(Decision::AskOperator {
            reason: Reason::DoubledAtWarehouse,
            detail: format!("the warehouse has {} orders with our reference", open_twins + 1),
        });
    }
    if let Some(placing) = view.ledger.placing() {
        if placing.state.is_applied() {
            return Recognition::Ours;
        }
        let mut in_doubt = view.ledger.0.iter().filter(|it| it.kind.is_placing() && it.state.is_open());
        let same = in_doubt.rfind(|entry| was_sent_with(entry, warehouse));
        return Recognition::Unadopted(Some(same.unwrap_or(placing).number));
    }
    if view.policy.transfer == Switch::Off {
        return Recognition::NotOurs(Decision::Skip(Reason::TransferOff));
    }
    if view.intent == Some(Intent::Adopt) {
        return Recognition::Unadopted(None);
    }
    match find_difference(shop, warehouse, view) {
        // Adopting it would complete it in the shop some day: a person has to want that.
        None if view.policy.transfer == Switch::Manual && view.intent != Some(Intent::Transfer) => {
            Recognition::NotOurs(left_alone(shop, Decision::Skip(Reason::ManualTransfer)))
        }
        None => Recognition::Unadopted(None),
        Some(detail) => Recognition::NotOurs(not_ours(shop, detail)),
    }
}

fn not_ours(shop: &ShopOrder, detail: String) -> Decision {
    left_alone(shop, Decision::AskOperator { reason: Reason::NotOursAtWarehouse, detail })
}

/// An order that we did not send matters only while the shop's order is open.
fn left_alone(shop: &ShopOrder, while_open: Decision) -> Decision {
    match shop.status {
        ShopStatus::Completed => Decision::Skip(Reason::CompletedInShop),
        ShopStatus::Cancelled => Decision::Skip(Reason::CancelledInShop),
        ShopStatus::Open | ShopStatus::Unknown(_) => while_open,
    }
}

/// Says why an order that we did not send is not the shop's; `None` where it is the same.
fn find_difference(shop: &ShopOrder, warehouse: &WarehouseOrder, view: &OrderView<'_>) -> Option<String> {
    let is_older = match (warehouse.edited_at, shop.created_at) {
        (Some(edited), Some(created)) => edited + MAX_CLOCK_SKEW < created,
        _ => false, // not said: the content decides
    };
    if is_older {
        return Some("its last change there is older than the shop's order".to_owned());
    }
    let Ok(draft) = draft(shop, view.policy, &view.reference) else {
        return Some("what it should contain is unknown".to_owned());
    };
    (!has_same_content(&draft, warehouse)).then(|| "it contains other products or pieces".to_owned())
}

fn has_same_content(draft: &Draft, warehouse: &WarehouseOrder) -> bool {
    drafted(draft) == pieces_there(warehouse)
}

/// True where another order at the warehouse has what a draft would send.
pub(super) fn is_sent_by(draft: &Draft, related: &RelatedOrder) -> bool {
    drafted(draft) == pieces(related.lines.iter().map(|line| (line.code.as_str(), line.quantity)))
}

fn drafted(draft: &Draft) -> BTreeMap<CodeKey, i64> {
    pieces(draft.lines.iter().map(|line| (line.code.as_str(), line.quantity)))
}

/// True where an action sent what the warehouse has.
fn was_sent_with(entry: &LedgerEntry, warehouse: &WarehouseOrder) -> bool {
    let lines = entry.sent.as_ref().and_then(|sent| sent["lines"].as_array());
    lines.is_some_and(|lines| {
        let line = |line: &'_ serde_json::Value| line["quantity"].as_i64().unwrap_or_default();
        pieces(lines.iter().map(|it| (it["code"].as_str().unwrap_or_default(), line(it))))
            == pieces_there(warehouse)
    })
}

/// The pieces at the warehouse, those that it split off included.
fn pieces_there(warehouse: &WarehouseOrder) -> BTreeMap<CodeKey, i64> {
    let lines = warehouse.lines.iter().chain(warehouse.parts().flat_map(|part| &part.lines));
    pieces(lines.map(|WarehouseLine { code, quantity }| (code.as_str(), *quantity)))
}

fn pieces<'a>(lines: impl Iterator<Item = (&'a str, i64)>) -> BTreeMap<CodeKey, i64> {
    let mut pieces = BTreeMap::new();
    for (code, quantity) in lines {
        *pieces.entry(CodeKey::of(code)).or_default() += quantity;
    }
    pieces
}
