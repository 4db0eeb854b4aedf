//! Translates `MyCashflow`'s fields to the domain. Pure.

use super::{
    customizations::customization_text,
    line_name::line_name,
    lookups::{Lookups, Suppliers},
    wire,
};
use crate::{
    domain::{
        order::{
            Payment, PaymentState, Recipient, Shipment, ShopLine, ShopOrder, ShopStatus, UnreadableFields,
        },
        product::{ProductFields, ShopProduct, Supplier, Variation},
        shipping::ShippingMethod,
        stock::ShopStock,
    },
    vendors::{
        field::{Field, Unreadable},
        times::{Zone, parse_time},
    },
};

/// Translates an order; `None` where it has no number. Fields that decide something and cannot be read are named in it
/// (docs/contract.md, "Fields that cannot be read").
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
        total,
    } = wire;
    let (mut content, mut completion) = (Unreadable::default(), Unreadable::default());
    let recipient = recipient(
        content.optional("different_shipping_address", different_shipping_address).unwrap_or_default(),
        shipping_address,
        content.optional("customer_information", customer_information).unwrap_or_default(),
        &mut content,
    );
    let lines = elements("products", products, &mut content);
    let lines =
        lines.into_iter().map(|(name, it)| line(it, &name, lookups, suppliers, &mut content)).collect();
    let payments = elements("payments", payments, &mut content);
    let payments = payments.into_iter().map(|(name, it)| payment(it, &name, lookups, &mut content)).collect();
    let shipments = elements("shipments", shipments, &mut content);
    let method_of_shipment = shipments.iter().find_map(|(_, it)| it.shipping_method_id.clone());
    let method_id = content.optional("shipping_method_id", shipping_method_id).or(method_of_shipment);
    let shipments = shipments
        .into_iter()
        .map(|(name, it)| shipment(it, &name, lookups, &mut content, &mut completion))
        .collect();
    Some(ShopOrder {
        id: id?,
        created_at: created_at.and_then(|text| parse_time(&text, Zone::Helsinki)).ok(),
        version: updated_at,
        status: shop_status(&status.ok().unwrap_or_default()),
        recipient,
        shipping: method_id.map(|id| shipping_method(id, lookups)),
        lines,
        total: content.optional("total", total),
        payments,
        shipments,
        comments: details,
        receipt_url,
        unreadable: UnreadableFields { content: content.0, completion: completion.0 },
    })
}

/// A method that is no longer listed has no name to match by. It is still a method, so an operator must decide.
fn shipping_method(id: String, lookups: &Lookups) -> ShippingMethod {
    let listed = lookups.shipping.get(&id).cloned();
    listed.unwrap_or(ShippingMethod { id: Some(id), ..ShippingMethod::default() })
}

/// The elements of a list that was asked for, each with its name. One that cannot be read is named and left out.
fn elements<T>(name: &str, list: Field<Vec<Field<T>>>, unreadable: &mut Unreadable) -> Vec<(String, T)> {
    let list = unreadable.required(name, list).unwrap_or_default().into_iter();
    let named = list.enumerate().map(|(at, element)| (format!("{name}[{at}]"), element));
    named
        .filter_map(|(name, element)| {
            let element = unreadable.required(name.as_str(), element)?;
            Some((name, element))
        })
        .collect()
}

fn shop_status(word: &str) -> ShopStatus {
    match word.to_lowercase().as_str() {
        "open" => ShopStatus::Open,
        "completed" => ShopStatus::Completed,
        "cancelled" => ShopStatus::Cancelled,
        _ => ShopStatus::Unknown(word.to_owned()),
    }
}

/// The shipping address where it differs and is there, else the customer's. Phone and e-mail fall back to the
/// customer's. A shipping address that lacks its street is not replaced: the parcel would go somewhere else.
fn recipient(
    different: bool,
    shipping: Field<wire::Address>,
    customer: wire::Address,
    unreadable: &mut Unreadable,
) -> Recipient {
    let (contact_phone, contact_email) = (customer.phone.clone(), customer.email.clone());
    let shipping = if different { unreadable.optional("shipping_address", shipping) } else { None };
    let to = shipping.filter(|address| !address.is_empty()).unwrap_or(customer);
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

fn line(
    wire: wire::Line,
    name: &str,
    lookups: &Lookups,
    suppliers: &Suppliers,
    unreadable: &mut Unreadable,
) -> ShopLine {
    let wire::Line {
        product_id,
        shipment_id,
        unit_price,
        vat_rate,
        product_code,
        product_name,
        model_name,
        quantity,
        download_id,
        customizations,
    } = wire;
    let supplier = match &lookups.suppliers {
        None => Supplier::NotRead,
        Some(_) => product_id.and_then(|id| suppliers.get(&id)).cloned().unwrap_or(Supplier::Unknown),
    };
    let download = unreadable.optional(format!("{name}.download_id"), download_id);
    ShopLine {
        code: unreadable.optional(format!("{name}.product_code"), product_code),
        name: line_name(product_name, model_name),
        quantity: unreadable.required(format!("{name}.quantity"), quantity).unwrap_or_default(),
        is_download: download.is_some_and(|id| !matches!(id.as_str(), "0" | "false")),
        supplier,
        unit_price,
        vat_rate,
        shipment_id: unreadable.optional(format!("{name}.shipment_id"), shipment_id),
        customization: customization_text(&customizations),
    }
}

fn payment(wire: wire::Payment, name: &str, lookups: &Lookups, unreadable: &mut Unreadable) -> Payment {
    let wire::Payment { id, payment_method_id, amount, currency, is_paid, status } = wire;
    let status = unreadable.optional(format!("{name}.status"), status);
    // One of the two is enough.
    let is_paid = match &status {
        Some(_) => unreadable.optional(format!("{name}.is_paid"), is_paid),
        None => unreadable.required(format!("{name}.is_paid"), is_paid),
    };
    let state = match status.unwrap_or_default().to_lowercase().as_str() {
        // The last three are not documented: that they bring no money is all that matters.
        "cancelled" | "refunded" | "failed" | "rejected" | "expired" => PaymentState::Void,
        // Also where `is_paid` is set: a payment that is not activated may still be taken back.
        "pending_activation" => PaymentState::AwaitsActivation,
        "paid" => PaymentState::Paid,
        _ if is_paid == Some(true) => PaymentState::Paid,
        _ => PaymentState::Open,
    };
    Payment {
        id,
        state,
        cash_on_delivery: payment_method_id.is_some_and(|id| lookups.cash_on_delivery.contains(&id)),
        amount: unreadable.optional(format!("{name}.amount"), amount),
        currency,
    }
}

fn shipment(
    wire: wire::Shipment,
    name: &str,
    lookups: &Lookups,
    content: &mut Unreadable,
    completion: &mut Unreadable,
) -> Shipment {
    let wire::Shipment { id, status, completed_at, r#type, shipping_method_id, external_pickup_point_id } =
        wire;
    let completed_at = completion.optional(format!("{name}.completed_at"), completed_at);
    let status = match completed_at {
        Some(_) => status.ok(),
        None => completion.required(format!("{name}.status"), status),
    };
    Shipment {
        id: completion.required(format!("{name}.id"), id).unwrap_or_default(),
        is_completed: completed_at.is_some() || status.is_some_and(|it| it.eq_ignore_ascii_case("completed")),
        kind: completion.optional(format!("{name}.type"), r#type),
        shipping: shipping_method_id.map(|id| shipping_method(id, lookups)),
        pickup_point: content.optional(format!("{name}.external_pickup_point_id"), external_pickup_point_id),
    }
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
    let mut unreadable = Unreadable::default();
    let fields = ProductFields {
        code: unreadable.optional("product_code", product_code),
        name,
        ean: barcode.or(stock_item.barcode),
        supplier_code,
        description,
        purchase_price,
        price,
        picture: image_links.into_iter().find_map(|it| it.filename),
    };
    let variations = elements("variations", variations, &mut unreadable);
    let variations = variations.into_iter().map(|(name, it)| variation(it, &name, &mut unreadable)).collect();
    Some(ShopProduct {
        id: id?,
        version: updated_at,
        fields,
        supplier: lookups.supplier_of(supplier_id),
        variations,
        unreadable: unreadable.0,
    })
}

fn variation(wire: wire::Variation, name: &str, unreadable: &mut Unreadable) -> Variation {
    let wire::Variation { id, name: own_name, product_code, price, purchase_price, stock_item } = wire;
    let ean = stock_item.barcode;
    let code = unreadable.optional(format!("{name}.product_code"), product_code);
    let fields =
        ProductFields { code, name: own_name, ean, price, purchase_price, ..ProductFields::default() };
    Variation { id: unreadable.required(format!("{name}.id"), id).unwrap_or_default(), fields }
}

/// Translates a stock item. Where the shop keeps no stock of it, it needs no quantity.
pub(super) fn stock(wire: wire::StockItem, suppliers: &Suppliers) -> ShopStock {
    let supplier = wire.product_id.as_ref().and_then(|id| suppliers.get(id)).cloned();
    let mut unreadable = Unreadable::default();
    let enabled = unreadable.required("enabled", wire.enabled).unwrap_or_default();
    let quantity = if enabled {
        unreadable.required("quantity", wire.quantity)
    } else {
        unreadable.optional("quantity", wire.quantity)
    };
    ShopStock {
        quantity: quantity.unwrap_or_default(),
        reserved: unreadable.optional("reserved", wire.reserved),
        enabled,
        supplier: supplier.unwrap_or(Supplier::Unknown),
        unreadable: unreadable.0,
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
            "created_at": "2026-11-23 10:00", "products": [{"product_code": 123, "quantity": "2", "download_id": null}],
            "payments": [{"payment_method_id": "9", "amount": "19.90", "is_paid": false, "status": "OPEN"}],
            "shipments": [{"id": 1, "status": "OPEN", "external_pickup_point_id": []}],
        }));
        assert_eq!((order.id.as_str(), &order.status), ("1042", &ShopStatus::Open));
        assert_eq!(order.recipient.name, "A B");
        assert_eq!((order.recipient.country.as_str(), order.recipient.phone.as_deref()), ("FI", Some("5")));
        assert_eq!((order.lines[0].code.as_deref(), order.lines[0].quantity), (Some("123"), 2.into()));
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
        for void in ["REFUNDED", "Cancelled", "FAILED", "rejected", "EXPIRED"] {
            assert_eq!(payment(void, true), PaymentState::Void, "{void}");
        }
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
