//! Translates `MyCashflow`'s fields to the domain. Pure.

use super::{
    lookups::{Lookups, Suppliers},
    wire,
};
use crate::{
    domain::{
        order::{Payment, PaymentState, Recipient, Shipment, ShopLine, ShopOrder, ShopStatus},
        product::{ProductFields, ShopProduct, Supplier, Variation},
        shipping::ShippingMethod,
        stock::ShopStock,
    },
    vendors::lenient_json::parse_time,
};

/// Translates an order; `None` where it has no number.
pub(super) fn order(wire: wire::Order, lookups: &Lookups, suppliers: &Suppliers) -> Option<ShopOrder> {
    let wire::Order {
        id,
        created_at,
        details,
        receipt_url,
        updated_at,
        status,
        shipping_method_id,
        different_shipping_address,
        customer_information,
        shipping_address,
        products,
        shipments,
        payments,
    } = wire;
    let method_id =
        shipping_method_id.or_else(|| shipments.iter().find_map(|it| it.shipping_method_id.clone()));
    Some(ShopOrder {
        id: id?,
        created_at: created_at.and_then(|text| parse_time(&text)),
        version: updated_at,
        status: shop_status(status.as_deref().unwrap_or_default()),
        recipient: recipient(different_shipping_address, shipping_address, customer_information),
        // A method that is no longer listed has no name to match by. It is still a method, so an operator must
        // decide.
        shipping: method_id.map(|id| {
            let unlisted = || ShippingMethod { id: Some(id.clone()), ..ShippingMethod::default() };
            lookups.shipping.get(&id).cloned().unwrap_or_else(unlisted)
        }),
        lines: products.into_iter().map(|it| line(it, lookups, suppliers)).collect(),
        payments: payments.into_iter().map(|it| payment(it, lookups)).collect(),
        shipments: shipments.into_iter().filter_map(shipment).collect(),
        comments: details,
        receipt_url,
    })
}

fn shop_status(word: &str) -> ShopStatus {
    match word.to_lowercase().as_str() {
        "open" => ShopStatus::Open,
        "completed" => ShopStatus::Completed,
        "cancelled" => ShopStatus::Cancelled,
        _ => ShopStatus::Unknown(word.to_owned()),
    }
}

/// The shipping address where it differs and has a street, else the customer's. Phone and e-mail fall back to
/// the customer's.
fn recipient(different: bool, shipping: wire::Address, customer: wire::Address) -> Recipient {
    let (contact_phone, contact_email) = (customer.phone.clone(), customer.email.clone());
    let to = if different && shipping.street_address.is_some() { shipping } else { customer };
    let wire::Address {
        company,
        first_name,
        last_name,
        street_address,
        postal_code,
        city,
        country,
        phone,
        email,
    } = to;
    let person = [first_name, last_name].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Recipient {
        name: if person.is_empty() { company.clone().unwrap_or_default() } else { person },
        company,
        street: street_address.unwrap_or_default(),
        street_2: None,
        postal_code,
        city: city.unwrap_or_default(),
        country: country.unwrap_or_default().to_uppercase(),
        phone: phone.or(contact_phone),
        email: email.or(contact_email),
    }
}

fn line(wire: wire::Line, lookups: &Lookups, suppliers: &Suppliers) -> ShopLine {
    let wire::Line { product_id, shipment_id, unit_price, vat_rate, product_code, quantity, download_id } =
        wire;
    let supplier = match &lookups.suppliers {
        None => Supplier::NotRead,
        Some(_) => product_id.and_then(|id| suppliers.get(&id)).cloned().unwrap_or(Supplier::Unknown),
    };
    ShopLine {
        code: product_code,
        // A line without a readable quantity counts as one piece: leaving it out would send too little.
        quantity: quantity.unwrap_or(1),
        is_download: download_id.is_some_and(|id| id != "0"),
        supplier,
        unit_price,
        vat_rate,
        shipment_id,
    }
}

fn payment(wire: wire::Payment, lookups: &Lookups) -> Payment {
    let wire::Payment { payment_method_id, amount, currency, is_paid, status } = wire;
    let status = status.unwrap_or_default().to_lowercase();
    let state = match status.as_str() {
        "cancelled" | "refunded" => PaymentState::Void,
        // Also where `is_paid` is set: a payment that is not activated may still be taken back.
        "pending_activation" => PaymentState::AwaitsActivation,
        "paid" => PaymentState::Paid,
        _ if is_paid => PaymentState::Paid,
        _ => PaymentState::Open,
    };
    Payment {
        state,
        cash_on_delivery: payment_method_id.is_some_and(|id| lookups.cash_on_delivery.contains(&id)),
        amount,
        currency,
    }
}

fn shipment(wire: wire::Shipment) -> Option<Shipment> {
    let wire::Shipment { id, status, completed_at, shipping_method_id: _, external_pickup_point_id } = wire;
    let is_completed =
        completed_at.is_some() || status.is_some_and(|word| word.eq_ignore_ascii_case("completed"));
    Some(Shipment { id: id?, is_completed, pickup_point: external_pickup_point_id })
}

/// Translates a product; `None` where it has no id.
pub(super) fn product(wire: wire::Product, lookups: &Lookups) -> Option<ShopProduct> {
    let wire::Product {
        id,
        updated_at,
        name,
        product_code,
        supplier_code,
        supplier_id,
        barcode,
        description,
        price,
        purchase_price,
        stock_item,
        image_links,
        variations,
    } = wire;
    let fields = ProductFields {
        code: product_code,
        name,
        ean: barcode.or(stock_item.barcode),
        supplier_code,
        description,
        purchase_price,
        price,
        picture: image_links.into_iter().find_map(|it| it.filename),
    };
    Some(ShopProduct {
        id: id?,
        version: updated_at,
        fields,
        supplier: lookups.supplier(supplier_id),
        variations: variations.into_iter().filter_map(variation).collect(),
    })
}

fn variation(wire: wire::Variation) -> Option<Variation> {
    let wire::Variation { id, name, product_code, price, purchase_price, stock_item } = wire;
    let ean = stock_item.barcode;
    let fields =
        ProductFields { code: product_code, name, ean, price, purchase_price, ..ProductFields::default() };
    Some(Variation { id: id?, fields })
}

/// Translates a stock item. A missing quantity means none in stock.
pub(super) fn stock(wire: &wire::StockItem, suppliers: &Suppliers) -> ShopStock {
    let supplier = wire.product_id.as_ref().and_then(|id| suppliers.get(id)).cloned();
    let supplier = supplier.unwrap_or(Supplier::Unknown);
    ShopStock {
        quantity: wire.quantity.unwrap_or(0),
        reserved: wire.reserved,
        enabled: wire.enabled,
        supplier,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: serde_json::Value) -> ShopOrder {
        let lookups = Lookups::new(
            serde_json::from_value(
                serde_json::json!([{"id": 3, "name": "Posti", "product_code": "POSTI-14"}]),
            )
            .expect("readable"),
            serde_json::from_value(serde_json::json!([{"id": 9, "name": "Postiennakko"}])).expect("readable"),
            &["postiennakko".to_owned()],
        );
        order(serde_json::from_value(json).expect("readable"), &lookups, &Suppliers::new())
            .expect("it has an id")
    }

    #[test]
    fn an_order_with_drifting_types_is_translated() {
        let order = read(serde_json::json!({
            "id": "1042", "status": "Open", "updated_at": "2026-11-23T10:00:00+02:00", "shipping_method_id": "3",
            "different_shipping_address": false, "shipping_address": [],
            "customer_information": {
                "first_name": "A", "last_name": "B", "street_address": "S 1", "city": "C", "country": "fi", "phone": 5,
            },
            "products": [{"product_code": 123, "quantity": "2", "download_id": null}],
            "payments": [{"payment_method_id": "9", "amount": "19.90", "is_paid": false, "status": "OPEN"}],
            "shipments": [{"id": 1, "status": "OPEN", "external_pickup_point_id": []}],
        }));
        assert_eq!((order.id.as_str(), &order.status), ("1042", &ShopStatus::Open));
        assert_eq!(order.recipient.name, "A B");
        assert_eq!((order.recipient.country.as_str(), order.recipient.phone.as_deref()), ("FI", Some("5")));
        assert_eq!((order.lines[0].code.as_deref(), order.lines[0].quantity), (Some("123"), 2));
        assert!(order.payments[0].cash_on_delivery && !order.payments[0].is_paid());
        assert_eq!(order.shipping.and_then(|method| method.product_code).as_deref(), Some("POSTI-14"));
        assert_eq!(order.shipments[0].pickup_point, None);
    }

    #[test]
    fn klarna_pending_activation_is_not_paid() {
        let payment = |status: &str, is_paid| {
            let json = serde_json::json!({"id": 1, "payments": [{"status": status, "is_paid": is_paid}]});
            read(json).payments.remove(0).state
        };
        assert_eq!(payment("PENDING_ACTIVATION", true), PaymentState::AwaitsActivation);
        assert_eq!(payment("PAID", false), PaymentState::Paid);
        assert_eq!(payment("SOMETHING", true), PaymentState::Paid);
        assert_eq!(payment("OPEN", false), PaymentState::Open);
        assert_eq!(payment("REFUNDED", true), PaymentState::Void);
    }

    #[test]
    fn a_separate_shipping_address_keeps_the_customers_phone() {
        let order = read(serde_json::json!({
            "id": 1, "different_shipping_address": true,
            "customer_information": {"street_address": "Home", "phone": "040"},
            "shipping_address": {"street_address": "Work", "company": "Firm"},
        }));
        let Recipient { street, name, phone, .. } = order.recipient;
        assert_eq!((street.as_str(), name.as_str(), phone.as_deref()), ("Work", "Firm", Some("040")));
    }
}
