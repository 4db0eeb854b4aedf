//! What an order becomes at the warehouse.

use rust_decimal::Decimal;

use super::case::{line, order, policy};
use crate::domain::{
    order::*,
    product::{CodeKey, Supplier},
    shipping::{ShippingMethod, ShippingRule},
    task::reason::Reason,
};

fn lines_of(order: &ShopOrder, policy: &OrderPolicy) -> Vec<(String, i64)> {
    let draft = draft(order, policy, "k-1042").expect("whole");
    draft.lines.into_iter().map(|line| (line.code, line.quantity)).collect()
}

fn fault(order: &ShopOrder, policy: &OrderPolicy) -> Reason {
    draft(order, policy, "k-1042").expect_err("a fault").reason
}

#[test]
fn lines_of_one_code_are_merged_and_downloads_left_out() {
    let mut order = order();
    let download = ShopLine { is_download: true, ..line("FILE", 1) };
    order.lines = vec![line("A", 1), line("B", 2), line("A", 3), line("C", 0), download];
    assert_eq!(lines_of(&order, &policy()), [("A".into(), 4), ("B".into(), 2)]);
}

#[test]
fn lines_at_two_prices_stay_two_and_prices_need_a_known_basis() {
    let priced = |pieces, cents| ShopLine {
        unit_price: Some(Decimal::new(cents, 2)),
        vat_rate: Some(Decimal::new(255, 1)),
        ..line("A", pieces)
    };
    let mut order = order();
    order.lines = vec![priced(1, 1000), priced(2, 1000), priced(1, 799)];
    assert_eq!(lines_of(&order, &policy()), [("A".into(), 3), ("A".into(), 1)]);
    let sent_with = |unit_prices| {
        let policy = OrderPolicy { unit_prices, ..policy() };
        let draft = draft(&order, &policy, "k-1042").expect("whole");
        let units: Vec<_> =
            draft.lines.iter().map(|it| it.price.as_ref().map(|it| it.unit.to_string())).collect();
        (units, draft.total().map(|total| total.to_string()))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(sent_with(UnitPrices::Unsent), (vec![None, None], None));
    assert_eq!(sent_with(UnitPrices::IncludeVat), (vec![some("10.00"), some("7.99")], some("37.99")));
    assert_eq!(sent_with(UnitPrices::ExcludeVat), (vec![some("12.55"), some("10.03")], some("47.68")));
}

#[test]
fn order_of_only_excluded_codes_has_no_warehouse_lines() {
    let mut policy = policy();
    policy.products.exclude_codes = [CodeKey::of("A")].into();
    assert_eq!(fault(&order(), &policy), Reason::NoWarehouseLines);
}

#[test]
fn only_lines_of_warehouse_suppliers_go_and_none_is_guessed() {
    let by = |id: &str, code| ShopLine {
        supplier: Supplier::Named { id: id.into(), name: Some("Kahvila Oy".into()) },
        ..line(code, 1)
    };
    let mut order = order();
    order.lines = vec![by("7", "A"), by("8", "B"), ShopLine { supplier: Supplier::Unnamed, ..line("C", 1) }];
    let mut policy = policy();
    policy.products.suppliers = vec!["7".into()];
    assert_eq!(lines_of(&order, &policy), [("A".into(), 1)]);
    policy.products.suppliers = vec!["kahvila oy".into()];
    assert_eq!(lines_of(&order, &policy), [("A".into(), 1), ("B".into(), 1)]);
    order.lines.push(ShopLine { supplier: Supplier::Unknown, ..line("D", 1) });
    assert_eq!(fault(&order, &policy), Reason::SupplierUnknown);
}

#[test]
fn unusable_code_goes_to_an_operator_and_is_never_left_out() {
    let mut order = order();
    order.lines.push(ShopLine { code: None, ..line("", 1) });
    assert_eq!(fault(&order, &policy()), Reason::CodeUnusable);
    order.lines[1].code = Some("x".repeat(51));
    assert_eq!(fault(&order, &policy()), Reason::CodeUnusable);
}

#[test]
fn shipping_method_needs_a_rule_and_a_pickup_point_its_own() {
    let mut policy = policy();
    let rule = |pickup| ShippingRule { pattern: "POSTI-*".into(), code: "Posti".into(), pickup };
    policy.shipping = vec![rule(true)];
    let mut order = order();
    assert_eq!(fault(&order, &policy), Reason::ShippingUnmapped);

    order.shipping =
        Some(ShippingMethod { product_code: Some("POSTI-14".into()), ..ShippingMethod::default() });
    order.shipments[0].pickup_point = Some("0099".into());
    let sent = draft(&order, &policy, "k-1042").expect("a rule matches");
    assert_eq!((sent.shipping_code.as_deref(), sent.pickup_point.as_deref()), (Some("Posti"), Some("0099")));

    policy.shipping = vec![rule(false)];
    assert_eq!(draft(&order, &policy, "k-1042").expect("a rule matches").pickup_point, None);
}

#[test]
fn only_open_cash_on_delivery_is_collected() {
    let mut order = order();
    order.payments[0] = Payment {
        id: None,
        state: PaymentState::Open,
        cash_on_delivery: true,
        amount: Some(Decimal::new(1990, 2)),
        currency: Some("EUR".into()),
    };
    let collected = |order: &ShopOrder| draft(order, &policy(), "k-1042").expect("whole").cash_on_delivery;
    let expected = CashOnDelivery { amount: Decimal::new(1990, 2), currency: Some("EUR".into()) };
    assert_eq!(collected(&order), Some(expected));
    order.payments.push(order.payments[0].clone());
    assert_eq!(collected(&order).map(|it| it.amount), Some(Decimal::new(3980, 2)), "both are collected");
    order.payments[1].amount = None;
    assert_eq!(fault(&order, &policy()), Reason::FieldUnreadable);
    order.payments.pop();
    order.payments[0].state = PaymentState::Paid;
    assert_eq!(collected(&order), None);
}

#[test]
fn comments_and_receipt_are_sent_only_by_setting() {
    let mut order = order();
    order.comments = Some("leave it with the neighbour".into());
    order.receipt_url = Some("https://kauppa.example/r/1".into());
    let sent = draft(&order, &policy(), "k-1042").expect("whole");
    assert_eq!((sent.comments, sent.receipt_url), (None, None));
    let policy = OrderPolicy { comments: true, receipt: true, ..policy() };
    let sent = draft(&order, &policy, "k-1042").expect("whole");
    assert_eq!((sent.comments, sent.receipt_url), (order.comments, order.receipt_url));
}
