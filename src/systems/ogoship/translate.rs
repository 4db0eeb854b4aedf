//! Between OGOship's wire and the domain: pure.

use super::wire;
use crate::domain::{
    order::{Draft, WarehouseOrder, WarehouseStatus},
    product::{Fields, Item},
    stock::WarehouseStock,
};

/// An order of exactly this reference. The search may also find others, and a split makes orders that we did not
/// create: only the exact one is ours (contract/unknowns.md U23).
pub fn order(wire: wire::Order, reference: &str) -> Option<WarehouseOrder> {
    let version = order_version(&wire);
    let wire::Order { id, reference: found, status, tracking_number, tracking_url, edit_time: _ } = wire;
    let found = found.filter(|found| found == reference)?;
    Some(WarehouseOrder {
        id,
        reference: found,
        status: WarehouseStatus::parse(status.as_deref().unwrap_or_default()),
        tracking_code: tracking_number,
        tracking_url,
        version: Some(version),
    })
}

/// An order's version: its edit time alone may be too coarse to tell two states apart.
pub fn order_version(wire: &wire::Order) -> String {
    let time = wire.edit_time.as_deref().unwrap_or_default();
    format!("{time} {}", WarehouseStatus::parse(wire.status.as_deref().unwrap_or_default()).as_str())
}

/// A stock figure's version: a change within one tick of their clock is a change all the same.
pub fn stock_version(wire: &wire::Stock) -> String {
    let figures = [wire.stock, wire.stock_available].map(std::option::Option::unwrap_or_default);
    format!("{} {}/{}", wire.modified.as_deref().unwrap_or_default(), figures[0], figures[1])
}

/// A draft as it is sent. The status is always sent, as the vendor's own client does.
pub fn new_order(draft: &Draft) -> wire::NewOrder<'_> {
    let Draft { reference, shipping_code, pickup_point, recipient, lines, cash_on_delivery, test } = draft;
    wire::NewOrder {
        reference,
        status: "New",
        shipping_code: shipping_code.as_deref(),
        pick_up_point_code: pickup_point.as_deref(),
        customer: wire::Customer {
            name: &recipient.name,
            company: recipient.company.as_deref(),
            address1: &recipient.street,
            city: &recipient.city,
            country_code: &recipient.country,
            zip: recipient.postal_code.as_deref(),
            phone: recipient.phone.as_deref(),
            email: recipient.email.as_deref(),
        },
        order_lines: lines
            .iter()
            .map(|line| wire::OrderLine { code: &line.code, quantity: line.quantity })
            .collect(),
        cash_on_delivery: cash_on_delivery.as_ref().map(|owed| wire::CashOnDelivery {
            amount: owed.amount,
            currency_code: owed.currency.as_deref(),
        }),
        test: *test,
    }
}

/// An item as it is sent.
pub fn new_product<'a>(item: &'a Item, language: &'a str) -> wire::NewProduct<'a> {
    let Item { code, name, ean, supplier_code, part: _, id: _ } = item;
    wire::NewProduct {
        code,
        language_code: language,
        name,
        ean_code: ean.as_deref(),
        supplier_code: supplier_code.as_deref(),
    }
}

/// A product of exactly this code, with its id.
pub fn product(wire: wire::Product, code: &str) -> Option<(Option<String>, Fields)> {
    let wire::Product { id, code: found, name, ean_code, supplier_code } = wire;
    let found = found.filter(|found| found == code)?;
    Some((id, Fields { code: Some(found), name, ean: ean_code, supplier_code }))
}

/// The stock of exactly this code. A figure that is missing is no figure: never read as zero.
pub fn stock(wire: &wire::Stock, code: &str) -> Option<WarehouseStock> {
    (wire.product_code.as_deref() == Some(code)).then_some(())?;
    let (physical, available) = (wire.stock, wire.stock_available);
    Some(WarehouseStock {
        physical: physical.or(available)?,
        available: available.or(physical)?,
        version: Some(stock_version(wire)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_exact_reference_and_code_are_ours() {
        let wire =
            || serde_json::from_value(json!({"reference": "k-1", "status": "SHIPPED"})).expect("readable");
        assert_eq!(order(wire(), "k-1").map(|order| order.status), Some(WarehouseStatus::Shipped));
        assert!(order(wire(), "k-10").is_none());
    }

    #[test]
    fn a_missing_figure_is_never_zero() {
        let wire = |json| serde_json::from_value(json).expect("readable");
        assert_eq!(stock(&wire(json!({"productcode": "A"})), "A"), None);
        let only_physical = stock(&wire(json!({"productcode": "A", "stock": "3"})), "A");
        assert_eq!(only_physical.map(|stock| (stock.physical, stock.available)), Some((3, 3)));
    }

    #[test]
    fn an_order_is_sent_in_camel_case_without_what_it_lacks() {
        let draft = Draft {
            reference: "k-1".into(),
            shipping_code: None,
            pickup_point: Some("99".into()),
            recipient: crate::domain::order::Recipient { name: "N".into(), ..Default::default() },
            lines: vec![crate::domain::order::DraftLine { code: "A".into(), quantity: 2 }],
            cash_on_delivery: None,
            test: false,
        };
        let expected = json!({
            "reference": "k-1", "status": "New", "pickUpPointCode": "99",
            "customer": {"name": "N", "address1": "", "city": "", "countryCode": ""},
            "orderLines": [{"code": "A", "quantity": 2}],
        });
        assert_eq!(serde_json::to_value(new_order(&draft)).expect("plain"), expected);
    }
}
