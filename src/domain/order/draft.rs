//! Builds the order as it would be sent to the warehouse, or the error that prevents it.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;
use serde_json::Value;

use super::{
    OrderPolicy, Payment, PaymentState, Recipient, ShopLine, ShopOrder, UnitPrices,
    lines::{PackedLine, goods, packed},
    parcels::{is_return, lines_to_send},
    unreadable,
};
use crate::domain::{
    digest::sha256_hex,
    product::{MAX_CODE_LENGTH, Stored, code_fault, is_same_code},
    redact::Redactor,
    shipping::{ShippingRule, match_rule},
    task::reason::Reason,
};

/// An order as it would be sent to the warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Draft {
    /// Our reference there; unique across the stores of one merchant.
    pub reference: String,
    /// The warehouse's shipping code; `None` where the merchant has one method only.
    pub shipping_code: Option<String>,
    /// The carrier's pickup point.
    pub pickup_point: Option<String>,
    /// The recipient.
    pub recipient: Recipient,
    /// At least one line.
    pub lines: Vec<DraftLine>,
    /// What the carrier collects on delivery.
    pub cash_on_delivery: Option<CashOnDelivery>,
    /// The currency of the prices, ISO 4217.
    pub currency: Option<String>,
    /// The shopper's comments, and what was chosen or written for lines.
    pub comments: Option<String>,
    /// A receipt that the warehouse prints and packs.
    pub receipt_url: Option<String>,
    /// Marks a test order at the warehouse.
    pub test: bool,
}

/// A line of a draft. A code has two lines only where their prices or VAT differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DraftLine {
    /// The product code.
    pub code: String,
    /// Pieces, more than zero.
    pub quantity: i64,
    /// Sent only where the configuration says what the shop's prices mean.
    pub price: Option<LinePrice>,
}

/// The price of one piece.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinePrice {
    /// With VAT.
    pub unit: Decimal,
    /// VAT in per cent.
    pub vat: Decimal,
}

/// What the carrier collects on delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CashOnDelivery {
    /// In `currency`.
    pub amount: Decimal,
    /// ISO 4217.
    pub currency: Option<String>,
}

/// Why an order cannot be sent as it is, and which field to fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftError {
    /// The closed code.
    pub reason: Reason,
    /// Field names and codes only; never values.
    pub detail: String,
}

impl Draft {
    /// SHA-256 of the whole draft: equal hashes ask the warehouse for the same thing.
    pub fn hash(&self) -> String {
        sha256_hex(self.json().to_string().as_bytes())
    }

    /// The draft without personal values, to be stored and shown.
    pub fn redacted(&self, redactor: &Redactor) -> Value {
        redactor.apply(&self.json())
    }

    fn json(&self) -> Value {
        serde_json::to_value(self).expect("a draft is plain data")
    }

    /// The sum of all lines; `None` without prices.
    pub fn total(&self) -> Option<Decimal> {
        self.lines.iter().map(|line| Some(line.price.as_ref()?.unit * Decimal::from(line.quantity))).sum()
    }
}

/// Builds the draft of an order. Returns the first error, in the order in which a merchant would fix them,
/// with every field that it concerns. `reference` is our reference at the warehouse.
pub fn draft(order: &ShopOrder, policy: &OrderPolicy, reference: &str) -> Result<Draft, DraftError> {
    let fields = &order.unreadable.content;
    if !fields.is_empty() {
        let detail = unreadable::detail("the shop's order", fields);
        return Err(DraftError { reason: Reason::FieldUnreadable, detail });
    }
    let lines = stored_lines(&lines_to_send(order, policy), policy)?;
    let rule = shipping_rule(order, policy)?;
    let recipient = valid_recipient(order, policy)?;
    if reference.chars().count() > MAX_CODE_LENGTH {
        let detail = format!("the reference is over {MAX_CODE_LENGTH} characters: shorten reference_prefix");
        return Err(DraftError { reason: Reason::ReferenceTooLong, detail });
    }

    let mut outgoing = order.shipments.iter().filter(|it| !is_return(order, it, policy));
    let point = outgoing.find_map(|shipment| shipment.pickup_point.clone());
    let has_prices = lines.iter().all(|line| line.price.is_some());
    let currency = order.payments.iter().find_map(|payment| payment.currency.clone());
    Ok(Draft {
        reference: reference.to_owned(),
        shipping_code: rule.map(|rule| rule.code.clone()),
        pickup_point: point.filter(|_| rule.is_some_and(|rule| rule.pickup)),
        recipient,
        lines,
        cash_on_delivery: cash_on_delivery(order)?,
        currency: currency.filter(|_| has_prices),
        comments: comments(order, policy),
        receipt_url: order.receipt_url.clone().filter(|_| policy.receipt),
        test: policy.test,
    })
}

/// What the warehouse is to read. Each line's customization names its goods: lines of a code are merged.
fn comments(order: &ShopOrder, policy: &OrderPolicy) -> Option<String> {
    let mut texts: Vec<_> = order.comments.clone().filter(|_| policy.comments).into_iter().collect();
    let is_sent = |line: &&ShopLine| {
        policy.customizations && policy.products.check_line(line.code(), &line.supplier) == Stored::Yes
    };
    let customized = customizations(order).filter(|(line, _)| is_sent(line));
    texts.extend(
        customized.map(|(line, text)| format!("{} × {}: {text}", line.quantity.normalize(), line.code())),
    );
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// The lines that leave the shop and for which the shopper chose or wrote something.
pub fn customizations(order: &ShopOrder) -> impl Iterator<Item = (&ShopLine, &str)> {
    let leaving = order.lines.iter().filter(|line| line.is_ordered() && !line.is_download);
    leaving.filter_map(|line| Some((line, line.customization.as_deref()?)))
}

/// The rule for the order's shipping method; `None` where the merchant has one method and so no rules.
fn shipping_rule<'a>(
    order: &ShopOrder,
    policy: &'a OrderPolicy,
) -> Result<Option<&'a ShippingRule>, DraftError> {
    if policy.shipping.is_empty() {
        return Ok(None);
    }
    let unmapped = |detail| DraftError { reason: Reason::ShippingUnmapped, detail };
    let Some(method) = &order.shipping else {
        return Err(unmapped("the order has no shipping method".to_owned()));
    };
    let rule = match_rule(&policy.shipping, method).ok_or_else(|| {
        unmapped(format!("no rule of [connections.shipping] matches the order's shipping method {method}"))
    })?;
    if rule.leaves_to_shop() {
        let detail = format!("a rule of [connections.shipping] leaves orders of {method} to the shop");
        return Err(DraftError { reason: Reason::LeftToShop, detail });
    }
    Ok(Some(rule))
}

/// The recipient, fitted into the warehouse's fields.
fn valid_recipient(order: &ShopOrder, policy: &OrderPolicy) -> Result<Recipient, DraftError> {
    let recipient = order.recipient.clone().fit_fields(policy.longest_field);
    let faults = recipient.find_faults(policy.longest_field);
    if faults.is_empty() {
        return Ok(recipient);
    }
    let detail = format!("fix in the shop, then replay: {}", faults.join(", "));
    Err(DraftError { reason: Reason::AddressIncomplete, detail })
}

/// Returns the lines that are stored at the warehouse, merged where code, price and VAT agree.
pub(super) fn stored_lines(lines: &[ShopLine], policy: &OrderPolicy) -> Result<Vec<DraftLine>, DraftError> {
    let mut merged: Vec<(DraftLine, PackedLine)> = Vec::new();
    for line in goods(lines, &policy.products)? {
        match policy.products.check_line(line.code(), &line.supplier) {
            Stored::Yes => {}
            Stored::No => continue,
            Stored::Unknown => {
                let code = line.code();
                let detail =
                    format!("the shop no longer knows the product of code {code:?}, so not its supplier");
                return Err(DraftError { reason: Reason::SupplierUnknown, detail });
            }
        }
        for line in packed(&line, &policy.products)? {
            merge(&mut merged, line, policy.unit_prices)?;
        }
    }
    if merged.is_empty() {
        let detail = "the order has no line that is stored at the warehouse".to_owned();
        return Err(DraftError { reason: Reason::NoWarehouseLines, detail });
    }
    Ok(merged.into_iter().map(|(line, _)| line).collect())
}

fn merge(
    merged: &mut Vec<(DraftLine, PackedLine)>,
    line: PackedLine,
    unit_prices: UnitPrices,
) -> Result<(), DraftError> {
    if let Some(problem) = unusable(&line.code) {
        let detail = format!("fix the product code in the shop: {problem}");
        return Err(DraftError { reason: Reason::CodeUnusable, detail });
    }
    let same = |(_, other): &&mut (DraftLine, PackedLine)| {
        is_same_code(&other.code, &line.code) && other.price == line.price
    };
    if let Some((known, _)) = merged.iter_mut().find(same) {
        known.quantity = known.quantity.saturating_add(line.pieces);
    } else {
        let price = line.price.and_then(|(unit, vat)| price(unit, vat, unit_prices));
        merged.push((DraftLine { code: line.code.clone(), quantity: line.pieces, price }, line));
    }
    Ok(())
}

fn unusable(code: &str) -> Option<String> {
    if code.is_empty() {
        return Some("a line has none".to_owned());
    }
    let is_too_long = code_fault(code)? == Reason::CodeTooLong;
    Some(if is_too_long {
        format!("{code:?} is over {MAX_CODE_LENGTH} characters")
    } else {
        format!("it is {code:?}")
    })
}

/// The price as the warehouse takes it: with VAT, in whole cents.
fn price(unit: Decimal, vat: Decimal, meaning: UnitPrices) -> Option<LinePrice> {
    let unit = match meaning {
        UnitPrices::Unsent => return None,
        UnitPrices::IncludeVat => unit,
        UnitPrices::ExcludeVat => unit * (Decimal::ONE_HUNDRED + vat) / Decimal::ONE_HUNDRED,
    };
    let unit = unit.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    Some(LinePrice { unit, vat: vat.normalize() })
}

/// What the carrier collects: all open payments on delivery together. An amount that is missing is never none.
pub(super) fn cash_on_delivery(order: &ShopOrder) -> Result<Option<CashOnDelivery>, DraftError> {
    let is_due = |payment: &Payment| payment.cash_on_delivery && payment.state == PaymentState::Open;
    let due = order.payments.iter().enumerate().filter(|(_, payment)| is_due(payment));
    let mut collected: Option<CashOnDelivery> = None;
    for (at, payment) in due {
        let unknown = |field: &str| DraftError {
            reason: Reason::FieldUnreadable,
            detail: unreadable::detail("the shop's order", &[format!("payments[{at}].{field}")]),
        };
        let amount = payment.amount.ok_or_else(|| unknown("amount"))?;
        let sum = collected.get_or_insert_with(|| CashOnDelivery {
            amount: Decimal::ZERO,
            currency: payment.currency.clone(),
        });
        if sum.currency != payment.currency {
            return Err(unknown("currency"));
        }
        sum.amount += amount;
    }
    Ok(collected)
}
