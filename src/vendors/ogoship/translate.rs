//! Translates between OGOship's fields and the domain. Pure.

use serde_json::Value;

use super::wire;
use crate::{
    domain::{
        order::{Draft, DraftLine, Recipient, WarehouseLine, WarehouseOrder, WarehouseStatus},
        product::{ItemDetails, ItemDraft, WarehouseProduct},
        stock::WarehouseStock,
    },
    vendors::{
        changes::ChangedRow,
        field::{Field, Unreadable},
        lenient_json::{as_code, as_text},
        times::{Zone, parse_time},
    },
};

/// The order of this reference among those found. The search also finds references that begin alike, and a
/// split makes orders that we did not create: only the exact one is ours, its parts are shown as related
/// (docs/contract.md U23). Where none is exact, one that differs in case alone is ours: a warehouse may write
/// references in its own case.
pub fn order(found: Vec<wire::Order>, reference: &str) -> Option<WarehouseOrder> {
    let (mut exact, mut in_other_case, mut related) = (Vec::new(), Vec::new(), Vec::new());
    for order in found.into_iter().filter_map(warehouse_order) {
        if order.reference == reference {
            exact.push(order);
        } else if order.reference.eq_ignore_ascii_case(reference) {
            in_other_case.push(order);
        } else if is_part_of(&order.reference, reference) {
            related.push(order.into_related(false));
        } else if order.origin.as_deref().is_some_and(|origin| origin.eq_ignore_ascii_case(reference)) {
            related.push(order.into_related(true));
        }
    }
    if exact.is_empty() {
        exact = in_other_case;
    }
    // Of several, the one that goes on; the others are its twins.
    let is_open = |order: &WarehouseOrder| order.status != WarehouseStatus::Cancelled;
    let at = exact.iter().position(is_open).unwrap_or_default();
    let order = (!exact.is_empty()).then(|| exact.remove(at))?;
    let twins = exact.into_iter().map(|order| order.status).collect();
    Some(WarehouseOrder { twins, related, ..order })
}

/// Whether a reference is a part of our order: `k-1042-2` is a part of `k-1042`, `k-10421` is another order.
fn is_part_of(reference: &str, whole: &str) -> bool {
    reference.split_at_checked(whole.len()).is_some_and(|(start, rest)| {
        start.eq_ignore_ascii_case(whole) && rest.chars().next().is_some_and(|it| !it.is_alphanumeric())
    })
}

/// Translates an order, ours or not; `None` where it has no reference. Fields that decide something and cannot be read are
/// named in it (docs/contract.md, "Fields that cannot be read").
pub fn warehouse_order(wire: wire::Order) -> Option<WarehouseOrder> {
    let version = order_version(&wire);
    let wire::Order {
        id,
        reference,
        status,
        tracking_number,
        tracking_url,
        tracking_status,
        origin_reference,
        edit_time,
        warehouse_comments,
        order_lines,
    } = wire;
    let mut unreadable = Unreadable::default();
    let status = unreadable.required("status", status).unwrap_or_default();
    let lines = unreadable.optional("orderLines", order_lines).unwrap_or_default().into_iter();
    let lines =
        lines.enumerate().filter_map(|(at, it)| line(it, &format!("orderLines[{at}]"), &mut unreadable));
    let lines = lines.collect();
    Some(WarehouseOrder {
        id,
        reference: reference?,
        status: WarehouseStatus::parse(&status),
        lines,
        tracking_code: unreadable.optional("trackingNumber", tracking_number),
        tracking_url,
        comments: warehouse_comments,
        version: Some(version),
        edited_at: edit_time.and_then(|text| parse_time(&text, Zone::Utc)),
        twins: Vec::new(),
        parcel_state: tracking_status,
        origin: origin_reference,
        related: Vec::new(),
        unreadable: unreadable.0,
    })
}

fn line(line: Field<wire::WarehouseLine>, name: &str, unreadable: &mut Unreadable) -> Option<WarehouseLine> {
    let wire::WarehouseLine { code, quantity } = unreadable.required(name, line)?;
    let code = unreadable.required(format!("{name}.code"), code);
    let quantity = unreadable.required(format!("{name}.quantity"), quantity);
    Some(WarehouseLine { code: code?, quantity: quantity? })
}

/// An order's version: edit time and status, since the time alone may be too coarse to tell two states apart.
pub fn order_version(wire: &wire::Order) -> String {
    let time = wire.edit_time.as_deref().unwrap_or_default();
    let status = wire.status.clone().ok().unwrap_or_default();
    format!("{time} {}", WarehouseStatus::parse(&status).as_str())
}

/// A row of the list of changed orders. One that the warehouse made concerns the order that it was made from.
pub fn changed_order(row: &Value) -> Option<ChangedRow> {
    let name = row.get("reference").and_then(as_text)?;
    let wire: wire::Order = serde_json::from_value(row.clone()).unwrap_or_default();
    let name = wire.origin_reference.clone().unwrap_or(name);
    let changed_at = wire.edit_time.as_deref().and_then(|text| parse_time(text, Zone::Utc));
    Some(ChangedRow { name, version: order_version(&wire), changed_at })
}

/// A row of the list of changed stock figures.
pub fn changed_stock(row: &Value) -> Option<ChangedRow> {
    let name = row.get("productcode").and_then(as_code)?;
    let wire: wire::Stock = serde_json::from_value(row.clone()).unwrap_or_default();
    let changed_at = wire.modified.clone().and_then(|text| parse_time(&text, Zone::Utc)).ok();
    Some(ChangedRow { name, version: stock_version(&wire), changed_at })
}

/// A stock figure's version: time and figures, since two changes may have the same time.
pub fn stock_version(wire: &wire::Stock) -> String {
    let figure = |field: &Field<i64>| match field {
        Field::Value(pieces) => pieces.to_string(),
        Field::Absent => "-".to_owned(),
        Field::Unreadable => "?".to_owned(),
    };
    let time = wire.modified.clone().ok().unwrap_or_default();
    format!("{time} {}/{}", figure(&wire.stock), figure(&wire.stock_available))
}

/// An order as it is sent. The status is always sent, as the vendor's own client does.
pub fn new_order(draft: &Draft) -> wire::NewOrder<'_> {
    let Draft {
        reference,
        shipping_code,
        pickup_point,
        recipient,
        lines,
        cash_on_delivery,
        currency,
        comments,
        receipt_url,
        test,
    } = draft;
    let price_total = draft.total();
    wire::NewOrder {
        reference,
        status: "New",
        shipping_code: shipping_code.as_deref(),
        pick_up_point_code: pickup_point.as_deref(),
        customer: customer(recipient),
        order_lines: lines.iter().map(order_line).collect(),
        comments: comments.as_deref(),
        price_total,
        price_currency: currency.as_deref().filter(|_| price_total.is_some()),
        cash_on_delivery: cash_on_delivery.as_ref().map(|owed| wire::CashOnDelivery {
            amount: owed.amount,
            currency_code: owed.currency.as_deref(),
        }),
        documents: receipt_url.iter().map(|url| wire::Document { r#type: "receipt", url }).collect(),
        test: *test,
    }
}

fn order_line(DraftLine { code, quantity, price }: &DraftLine) -> wire::OrderLine<'_> {
    let (unit_price, vat_percentage) = price.as_ref().map(|price| (price.unit, price.vat)).unzip();
    wire::OrderLine { code, quantity: *quantity, unit_price, vat_percentage }
}

/// A cancellation: the required fields only, since what is sent replaces what is there.
pub fn cancellation(draft: &Draft) -> wire::NewOrder<'_> {
    wire::NewOrder {
        status: "Cancelled",
        order_lines: Vec::new(),
        documents: Vec::new(),
        comments: None,
        ..new_order(draft)
    }
}

fn customer(recipient: &Recipient) -> wire::Customer<'_> {
    let Recipient { name, company, street, street_2, postal_code, city, country, phone, email } = recipient;
    wire::Customer {
        name,
        company: company.as_deref(),
        address1: street,
        address2: street_2.as_deref(),
        city,
        country_code: country,
        zip: postal_code.as_deref(),
        phone: phone.as_deref(),
        email: email.as_deref(),
    }
}

/// A product as it is sent, under this code. The EAN is left out where the warehouse has one: it is never overwritten.
pub fn new_product<'a>(draft: &'a ItemDraft, code: &'a str, with_ean: bool) -> wire::NewProduct<'a> {
    let ItemDraft { item: _, shop_code: _, code: _, name, language, details } = draft;
    wire::NewProduct {
        code,
        language_code: language,
        name,
        ean_code: details.ean.as_deref().filter(|_| with_ean),
        supplier_code: details.supplier_code.as_deref(),
        supplier: details.supplier.as_deref(),
        description: details.description.as_deref(),
        supply_price: details.supply_price,
        sales_price: details.sales_price,
        currency_code: details.currency.as_deref(),
        country_of_origin: details.country_of_origin.as_deref(),
        customs_description: details.customs_description.as_deref(),
        hs_code: details.hs_code.as_deref(),
        info_url: details.info_url.as_deref(),
        picture_url: details.picture_url.as_deref(),
    }
}

/// Translates a product; `None` where it has no code.
pub fn product(wire: wire::Product) -> Option<WarehouseProduct> {
    let details = ItemDetails {
        ean: wire.ean_code,
        supplier_code: wire.supplier_code,
        supplier: wire.supplier,
        description: wire.description,
        supply_price: wire.supply_price,
        sales_price: wire.sales_price,
        currency: wire.currency_code,
        country_of_origin: wire.country_of_origin,
        customs_description: wire.customs_description,
        hs_code: wire.hs_code,
        info_url: wire.info_url,
        picture_url: wire.picture_url,
    };
    Some(WarehouseProduct { id: wire.id, code: wire.code?, name: wire.name, details })
}

/// Translates a stock figure. Where one of the two figures is not said, the other stands for it; where neither is, or one
/// cannot be read, it is named as unreadable, which never means zero.
pub fn stock(wire: &wire::Stock) -> WarehouseStock {
    let mut unreadable = Unreadable::default();
    let physical = unreadable.optional("stock", wire.stock.clone());
    let available = unreadable.optional("stockAvailable", wire.stock_available.clone());
    if physical.or(available).is_none() && unreadable.0.is_empty() {
        unreadable.0.push("stock".to_owned());
    }
    let modified = wire.modified.clone().and_then(|text| parse_time(&text, Zone::Utc));
    WarehouseStock {
        physical: physical.or(available).unwrap_or_default(),
        available: available.or(physical).unwrap_or_default(),
        modified: unreadable.optional("modified", modified),
        read_at: None,
        version: Some(stock_version(wire)),
        unreadable: unreadable.0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_exact_reference_matches() {
        let wire = |reference: &str| {
            serde_json::from_value(json!({"reference": reference, "status": "SHIPPED"})).expect("readable")
        };
        let found = || vec![wire("k-10"), wire("k-1-2"), wire("k-1")];
        let exact = order(found(), "k-1").expect("the exact one");
        assert_eq!(exact.status, WarehouseStatus::Shipped);
        let related: Vec<_> = exact.related.iter().map(|it| it.reference.as_str()).collect();
        assert_eq!(related, ["k-1-2"], "k-10 is another order");
        assert!(order(found(), "k-2").is_none());
        let found = || vec![wire("K-1"), wire("K-1-2"), wire("K-10")];
        let upper = order(found(), "k-1").expect("it differs in case alone");
        assert_eq!((upper.reference.as_str(), upper.related.len(), upper.twins.len()), ("K-1", 1, 0));
        let both = order(vec![wire("K-1"), wire("k-1")], "k-1").expect("the exact one");
        assert_eq!((both.reference.as_str(), both.twins.len()), ("k-1", 0));
    }

    #[test]
    fn a_missing_stock_figure_is_not_zero() {
        let wire = |json| serde_json::from_value(json).expect("readable");
        assert_eq!(stock(&wire(json!({"productcode": "A"}))).unreadable, ["stock"]);
        let only_physical = stock(&wire(json!({"productcode": "A", "stock": "3"})));
        assert_eq!((only_physical.physical, only_physical.available), (3, 3));
        assert_eq!(only_physical.unreadable, Vec::<String>::new());
        let garbage = json!({"productcode": "A", "stock": 3, "stockavailable": "few", "modified": "now"});
        assert_eq!(stock(&wire(garbage)).unreadable, ["stockAvailable", "modified"]);
    }

    #[test]
    fn an_order_is_serialized_without_missing_fields() {
        let draft = Draft {
            reference: "k-1".into(),
            shipping_code: None,
            pickup_point: Some("99".into()),
            recipient: Recipient { name: "N".into(), ..Recipient::default() },
            lines: vec![DraftLine { code: "A".into(), quantity: 2, price: None }],
            cash_on_delivery: None,
            currency: None,
            comments: None,
            receipt_url: None,
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
