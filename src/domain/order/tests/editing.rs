//! An order that is edited or cancelled after it was sent.

use super::case::*;
use crate::domain::{
    event::reference::ReferencePrefixes,
    order::*,
    redact::Redactor,
    shipping::{ShippingMethod, ShippingRule},
    task::action::{ActionKind, ActionState, LedgerEntry},
    task::ledger::Ledger,
};

/// Placed with these inputs, under this policy.
fn placed_with(shop: &ShopOrder, policy: &OrderPolicy) -> Ledger {
    let inputs = Some(order_inputs(shop, policy));
    Ledger(vec![LedgerEntry { inputs, ..entry(ActionKind::Place, ActionState::Applied, 0) }])
}

#[test]
fn order_edited_or_cancelled_after_transfer_is_fixed_or_reported() {
    use WarehouseStatus::{Collecting, New, Pending};
    let edit = OrderPolicy { edit: true, ..policy() };
    let edited = || Some(ShopOrder { lines: vec![line("A", 2)], ..order() });
    let there = |shop, status, policy: &OrderPolicy| Case {
        shop,
        ledger: placed_with(&order(), policy),
        warehouse: Some(at_warehouse(status)),
        policy: policy.clone(),
        ..case()
    };
    let cancelled = |status| there(shop_is(ShopStatus::Cancelled), status, &policy());
    let asked = |second, version: &str| {
        let shop = ShopOrder { status: ShopStatus::Cancelled, version: Some(version.into()), ..order() };
        let inputs = Some(cancel_inputs(&shop, None));
        placed_then(LedgerEntry { inputs, ..entry(ActionKind::Cancel, ActionState::Applied, second) })
    };
    let never = OrderPolicy { cancel: false, ..policy() };
    let refunded = Payment { state: PaymentState::Void, ..payment(true, false) };
    let nameless = Recipient { name: String::new(), ..order().recipient };
    let table = vec![
        (there(shop_is(ShopStatus::Open), New, &edit), "nothing"),
        (there(edited(), New, &edit), "update lines.0.quantity: 1 → 2"),
        (there(Some(ShopOrder { lines: vec![line(" a", 1)], ..order() }), New, &edit), "nothing"),
        (there(edited(), New, &policy()), "ask old_version_at_warehouse"),
        (there(edited(), Pending, &edit), "ask old_version_at_warehouse"),
        (there(edited(), Collecting, &edit), "ask old_version_at_warehouse"),
        (Case { ledger: placed(), ..there(edited(), New, &edit) }, "nothing"),
        // An edit that can no longer be sent is reported too.
        (
            there(Some(ShopOrder { recipient: nameless, ..order() }), New, &edit),
            "ask old_version_at_warehouse",
        ),
        (there(paid_by(vec![refunded]), New, &edit), "ask refunded_after_transfer"),
        (cancelled(Pending), "cancel"),
        (Case { policy: never, ..cancelled(New) }, "ask cancelled_after_transfer"),
        (Case { ledger: asked(95, "v1"), ..cancelled(New) }, "wait 15 settling_time"),
        (Case { ledger: asked(60, "v1"), ..cancelled(New) }, "ask cancelled_after_transfer"),
        (Case { ledger: asked(60, "v0"), ..cancelled(New) }, "cancel"),
        (Case { intent: Some(Intent::Cancel), ..there(edited(), New, &edit) }, "cancel"),
    ];
    for (row, (case, expected)) in table.iter().enumerate() {
        assert_eq!(describe(case), *expected, "row {row}");
    }
}

#[test]
fn changed_rules_and_new_fields_are_no_edit() {
    let method = |id: &str, name: &str| {
        Some(ShippingMethod { id: Some(id.into()), product_code: None, name: Some(name.into()) })
    };
    let rule = |code: &str| ShippingRule { pattern: "*".into(), code: code.into(), pickup: false };
    let shop = ShopOrder { shipping: method("7", "Posti"), comments: Some("soon".into()), ..order() };
    let before = OrderPolicy { shipping: vec![rule("Posti")], edit: true, ..policy() };
    let with = |policy: OrderPolicy, shop: ShopOrder| Case {
        shop: Some(shop),
        ledger: placed_with(
            &ShopOrder { shipping: method("7", "Posti"), comments: Some("soon".into()), ..order() },
            &before,
        ),
        warehouse: Some(at_warehouse(WarehouseStatus::New)),
        policy,
        ..case()
    };
    let renamed = OrderPolicy { shipping: vec![rule("Posti Parcel")], ..before.clone() };
    let comments = OrderPolicy { comments: true, ..before.clone() };
    let other_key = OrderPolicy { redactor: Redactor::with_key("rotated"), ..before.clone() };
    let prices = OrderPolicy { unit_prices: UnitPrices::IncludeVat, ..before.clone() };
    let test = OrderPolicy { test: true, references: ReferencePrefixes::new("new-"), ..before.clone() };
    for policy in [before.clone(), renamed.clone(), comments.clone(), other_key, prices, test] {
        assert_eq!(describe(&with(policy, shop.clone())), "nothing");
    }
    let renamed_method = ShopOrder { shipping: method("7", "Posti Oy"), ..shop.clone() };
    assert_eq!(describe(&with(before.clone(), renamed_method)), "nothing");
    let mut older = with(before.clone(), shop.clone());
    let inputs = older.ledger.0[0].inputs.as_mut().expect("given");
    inputs["recipient"].as_object_mut().expect("an object").remove("phone");
    inputs.as_object_mut().expect("an object").remove("pickup_point");
    assert_eq!(describe(&older), "nothing", "a version of Silta that kept less");

    let silent = ShopOrder { comments: None, ..shop.clone() };
    assert_eq!(describe(&with(before.clone(), silent.clone())), "nothing", "comments are not sent");
    assert_eq!(describe(&with(comments, silent)), "update comments: removed");
    let other_method = ShopOrder { shipping: method("8", "DHL"), ..shop };
    assert_eq!(describe(&with(renamed, other_method)), "update shipping_method: 7 → 8");
}
