//! The order as it would go to the warehouse, or every fault that keeps it from going.

use rust_decimal::Decimal;

use super::{OrderPolicy, Payment, ShopLine, ShopOrder};
use crate::domain::{outcome::Reason, shipping::match_rule};

/// Who gets the parcel. Holds personal data: has no `Display`, and its `Debug` names no one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Recipient {
    /// First and last name.
    pub name: String,
    /// Company, where there is one.
    pub company: Option<String>,
    /// Street and number.
    pub street: String,
    /// Postal code.
    pub postal_code: Option<String>,
    /// City.
    pub city: String,
    /// Two letters, upper case.
    pub country: String,
    /// Phone, which many carriers demand.
    pub phone: Option<String>,
    /// E-mail.
    pub email: Option<String>,
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipient").field("country", &self.country).finish_non_exhaustive()
    }
}

/// An order as it would go to the warehouse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Our id there; never collides between stores of one merchant.
    pub reference: String,
    /// The warehouse's shipping code; `None` where the merchant has one method only.
    pub shipping_code: Option<String>,
    /// The carrier's pickup point.
    pub pickup_point: Option<String>,
    /// Who gets it.
    pub recipient: Recipient,
    /// At least one, each code once.
    pub lines: Vec<DraftLine>,
    /// What the carrier collects at the door.
    pub cash_on_delivery: Option<CashOnDelivery>,
    /// Marked as a test at the warehouse.
    pub test: bool,
}

/// A line of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftLine {
    /// The product code.
    pub code: String,
    /// Pieces, more than zero.
    pub quantity: i64,
}

/// What the carrier collects at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashOnDelivery {
    /// In `currency`.
    pub amount: Decimal,
    /// ISO 4217.
    pub currency: Option<String>,
}

/// Why an order cannot go as it is, and for a person which field to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The closed code.
    pub reason: Reason,
    /// Field names and codes only; never their values.
    pub detail: String,
}

/// The draft of an order. The first fault in the order of mending is told, with every field it concerns.
pub fn draft(order: &ShopOrder, policy: &OrderPolicy) -> Result<Draft, Fault> {
    let lines = lines(&order.lines, policy)?;
    let rule = match &order.shipping {
        _ if policy.shipping.is_empty() => None,
        Some(method) => Some(match_rule(&policy.shipping, method).ok_or_else(|| Fault {
            reason: Reason::ShippingUnmapped,
            detail: "no rule of [connections.shipping] matches the order's shipping method".to_owned(),
        })?),
        None => {
            let detail = "the order has no shipping method".to_owned();
            return Err(Fault { reason: Reason::ShippingUnmapped, detail });
        }
    };
    check_address(&order.recipient)?;

    let point = order.shipments.iter().find_map(|shipment| shipment.pickup_point.clone());
    Ok(Draft {
        reference: policy.reference(&order.id),
        shipping_code: rule.map(|rule| rule.code.clone()),
        pickup_point: point.filter(|_| rule.is_some_and(|rule| rule.pickup)),
        recipient: order.recipient.clone(),
        lines,
        cash_on_delivery: order.payments.iter().find_map(cash_on_delivery),
        test: policy.test,
    })
}

/// Only what lies at the warehouse, each code once.
fn lines(lines: &[ShopLine], policy: &OrderPolicy) -> Result<Vec<DraftLine>, Fault> {
    let mut merged: Vec<DraftLine> = Vec::new();
    for line in lines.iter().filter(|line| !line.is_download && line.quantity > 0) {
        let Some(code) = line.code.as_deref().map(str::trim).filter(|code| !code.is_empty()) else {
            let detail = "a line of the order has no product code".to_owned();
            return Err(Fault { reason: Reason::CodeUnusable, detail });
        };
        if !policy.products.stores(code) {
            continue;
        }
        match merged.iter_mut().find(|known| known.code == code) {
            Some(known) => known.quantity = known.quantity.saturating_add(line.quantity),
            None => merged.push(DraftLine { code: code.to_owned(), quantity: line.quantity }),
        }
    }
    if merged.is_empty() {
        let detail = "the order has no line that is stored at the warehouse".to_owned();
        return Err(Fault { reason: Reason::NoWarehouseLines, detail });
    }
    Ok(merged)
}

/// What the warehouse demands of an address (contract/ogoship.md §2.3).
fn check_address(recipient: &Recipient) -> Result<(), Fault> {
    let Recipient { name, street, city, country, company: _, postal_code: _, phone: _, email: _ } = recipient;
    let country_is_two_letters = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    let faults: Vec<_> = [
        ("name", !name.is_empty()),
        ("street_address", !street.is_empty()),
        ("city", !city.is_empty()),
        ("country (two letters)", country_is_two_letters),
    ]
    .into_iter()
    .filter_map(|(field, good)| (!good).then_some(field))
    .collect();
    if faults.is_empty() {
        return Ok(());
    }
    let detail = format!("mend in the shop, then replay: {}", faults.join(", "));
    Err(Fault { reason: Reason::AddressIncomplete, detail })
}

fn cash_on_delivery(payment: &Payment) -> Option<CashOnDelivery> {
    let owed = payment.cash_on_delivery && payment.counts && !payment.is_paid;
    let amount = payment.amount.filter(|_| owed)?;
    Some(CashOnDelivery { amount, currency: payment.currency.clone() })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{line, order, policy};
    use super::*;
    use crate::domain::shipping::{ShippingMethod, ShippingRule};

    #[test]
    fn lines_of_one_code_are_merged_and_downloads_and_empty_ones_left_out() {
        let mut order = order();
        let download = ShopLine { is_download: true, ..line("FILE", 1) };
        order.lines = vec![line("A", 1), line("B", 2), line("A", 3), line("C", 0), download];
        let lines = draft(&order, &policy()).map(|draft| draft.lines);
        let expected = [("A", 4), ("B", 2)].map(|(code, quantity)| DraftLine { code: code.into(), quantity });
        assert_eq!(lines, Ok(expected.to_vec()));
    }

    #[test]
    fn an_order_of_nothing_but_excluded_codes_is_no_order_for_the_warehouse() {
        let mut policy = policy();
        policy.products.exclude_codes = vec!["A".into()];
        assert_eq!(draft(&order(), &policy).map_err(|fault| fault.reason), Err(Reason::NoWarehouseLines));
    }

    #[test]
    fn a_line_without_a_code_goes_to_a_person_and_is_never_left_out_in_silence() {
        let mut order = order();
        order.lines.push(ShopLine { code: None, ..line("", 1) });
        assert_eq!(draft(&order, &policy()).map_err(|fault| fault.reason), Err(Reason::CodeUnusable));
    }

    #[test]
    fn every_faulty_field_of_an_address_is_named_and_none_of_their_values() {
        let mut order = order();
        order.recipient.city = String::new();
        order.recipient.country = "Finland".into();
        let fault = draft(&order, &policy()).expect_err("two faults");
        assert_eq!(fault.reason, Reason::AddressIncomplete);
        assert_eq!(fault.detail, "mend in the shop, then replay: city, country (two letters)");
    }

    #[test]
    fn an_unmatched_shipping_method_is_a_named_problem_and_a_pickup_point_passes_only_by_its_rule() {
        let mut policy = policy();
        let rule = |pickup| ShippingRule { pattern: "POSTI-*".into(), code: "Posti".into(), pickup };
        policy.shipping = vec![rule(true)];
        let mut order = order();
        assert_eq!(draft(&order, &policy).map_err(|fault| fault.reason), Err(Reason::ShippingUnmapped));

        order.shipping = Some(ShippingMethod { product_code: Some("POSTI-14".into()), name: None });
        order.shipments[0].pickup_point = Some("0099".into());
        let sent = draft(&order, &policy).expect("a rule matches");
        assert_eq!(
            (sent.shipping_code.as_deref(), sent.pickup_point.as_deref()),
            (Some("Posti"), Some("0099"))
        );

        policy.shipping = vec![rule(false)];
        assert_eq!(draft(&order, &policy).expect("a rule matches").pickup_point, None);
    }

    #[test]
    fn only_cash_on_delivery_that_is_still_owed_is_collected_at_the_door() {
        let mut order = order();
        order.payments[0] = Payment {
            is_paid: false,
            counts: true,
            cash_on_delivery: true,
            amount: Some(Decimal::new(1990, 2)),
            currency: Some("EUR".into()),
        };
        let collected = |order: &ShopOrder| draft(order, &policy()).expect("whole").cash_on_delivery;
        let expected = CashOnDelivery { amount: Decimal::new(1990, 2), currency: Some("EUR".into()) };
        assert_eq!(collected(&order), Some(expected));
        order.payments[0].is_paid = true;
        assert_eq!(collected(&order), None);
    }
}
