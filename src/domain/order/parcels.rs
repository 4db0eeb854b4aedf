//! Which of a shop's order belongs to the parcel that was sent first, what came back, and what was added afterwards.
//!
//! The shop books a return as a row among the order's shipments, and an exchange, or goods that are sent again, as a
//! further shipment of the same order (docs/contract.md §1.8). What was added is seen by the shop's data of when the order
//! was sent: a shipment that was not there then, with goods that were not ordered then. A shipment that only takes over
//! goods of another one is no addition.

use std::{borrow::Cow, collections::BTreeMap};

use rust_decimal::Decimal;
use serde_json::Value;

use super::{OrderPolicy, Shipment, ShopLine, ShopOrder, quantity::quantity_of};
use crate::domain::product::CodeKey;

/// A shop's order, taken apart.
pub(super) struct Parcels<'a> {
    /// The order as far as the first parcel goes.
    pub(super) main: Cow<'a, ShopOrder>,
    /// What was added after it was sent, completed or not.
    pub(super) added: Vec<AddedShipment>,
}

/// A shipment that was added after the order was sent.
#[derive(Clone, Debug)]
pub(super) struct AddedShipment {
    pub(super) shipment: Shipment,
    /// Its goods; empty where the shop does not say which they are.
    pub(super) lines: Vec<ShopLine>,
}

impl<'a> Parcels<'a> {
    /// Takes an order apart. `sent` is what the shop's data were when it was sent; without them nothing counts as added.
    pub(super) fn of(shop: &'a ShopOrder, sent: Option<&Value>, policy: &OrderPolicy) -> Self {
        let added = find_added(shop, sent, policy);
        let has_returns = shop.shipments.iter().any(|it| is_return(shop, it, policy));
        if added.is_empty() && !has_returns {
            return Self { main: Cow::Borrowed(shop), added };
        }
        let mut main = shop.clone();
        main.shipments.retain(|it| {
            !is_return(shop, it, policy) && !added.iter().any(|added| added.shipment.id == it.id)
        });
        main.lines.retain(|line| !is_returned(shop, line, policy));
        for line in added.iter().flat_map(|added| &added.lines) {
            take_off(&mut main.lines, line, policy);
        }
        main.lines.retain(|line| !line.quantity.is_zero());
        Self { main: Cow::Owned(main), added }
    }
}

/// True for a row that books a return: its type says so, or all of its lines are taken back.
pub(super) fn is_return(shop: &ShopOrder, shipment: &Shipment, policy: &OrderPolicy) -> bool {
    if shipment.kind.as_deref().is_some_and(|kind| policy.is_return_type(kind)) {
        return true;
    }
    let mut lines = lines_of(shop, &shipment.id).peekable();
    lines.peek().is_some() && lines.all(ShopLine::is_taken_back)
}

/// True for an order that only books a return, so that it is no sale.
pub(super) fn is_return_order(shop: &ShopOrder, policy: &OrderPolicy) -> bool {
    let is_negative = shop.total.is_some_and(|total| total.is_sign_negative() && !total.is_zero());
    let takes_all_back = !shop.lines.is_empty() && shop.lines.iter().all(ShopLine::is_taken_back);
    let has_shipments = !shop.shipments.is_empty();
    is_negative
        || takes_all_back
        || has_shipments && shop.shipments.iter().all(|it| is_return(shop, it, policy))
}

/// The lines of an order that is not at the warehouse yet, those of its return rows as taken back: they are set off
/// against what is ordered.
pub(super) fn lines_to_send<'a>(shop: &'a ShopOrder, policy: &OrderPolicy) -> Cow<'a, [ShopLine]> {
    let is_spelt_positive = |line: &ShopLine| line.is_ordered() && is_returned(shop, line, policy);
    if !shop.lines.iter().any(is_spelt_positive) {
        return Cow::Borrowed(&shop.lines);
    }
    let signed = shop.lines.iter().map(|line| ShopLine {
        quantity: if is_spelt_positive(line) { -line.quantity } else { line.quantity },
        ..line.clone()
    });
    Cow::Owned(signed.collect())
}

/// What came back by the shop's books: pieces by code. What was taken back before the order was sent never left.
pub(super) fn returned_pieces(
    shop: &ShopOrder,
    sent: Option<&Value>,
    policy: &OrderPolicy,
) -> Vec<(String, Decimal)> {
    let mut pieces: BTreeMap<CodeKey, (&str, Decimal)> = BTreeMap::new();
    let returned = shop.lines.iter().filter(|line| line.is_taken_back() || is_returned(shop, line, policy));
    for line in returned.filter(|line| !line.is_download) {
        pieces.entry(key(line, policy)).or_insert((line.code(), Decimal::ZERO)).1 += line.quantity.abs();
    }
    let before = sent.and_then(|sent| sent["lines"].as_array()).into_iter().flatten();
    for line in before {
        let quantity = quantity_of(&line["quantity"]).min(Decimal::ZERO);
        let code = line["code"].as_str().map(|code| policy.products.product_key(code));
        if let Some((_, left)) = code.and_then(|code| pieces.get_mut(&code)) {
            *left += quantity;
        }
    }
    let left = pieces.into_values().filter(|(_, pieces)| *pieces > Decimal::ZERO);
    left.map(|(code, pieces)| (code.to_owned(), pieces)).collect()
}

fn is_returned(shop: &ShopOrder, line: &ShopLine, policy: &OrderPolicy) -> bool {
    let mut rows = shop.shipments.iter();
    match line.shipment_id.as_deref() {
        Some(id) => rows.any(|it| it.id == id && is_return(shop, it, policy)),
        None => !shop.shipments.is_empty() && rows.all(|it| is_return(shop, it, policy)),
    }
}

fn lines_of<'a>(shop: &'a ShopOrder, shipment: &str) -> impl Iterator<Item = &'a ShopLine> {
    shop.lines.iter().filter(move |line| line.shipment_id.as_deref() == Some(shipment))
}

/// The product of a line: the shop may respell its code, or give it another of the same product.
fn key(line: &ShopLine, policy: &OrderPolicy) -> CodeKey {
    policy.products.product_key(line.code())
}

fn find_added(shop: &ShopOrder, sent: Option<&Value>, policy: &OrderPolicy) -> Vec<AddedShipment> {
    let Some(known) = sent.and_then(|sent| sent["shipments"].as_array()) else { return Vec::new() };
    let is_new =
        |it: &&Shipment| !known.iter().any(|id| id.as_str() == Some(&it.id)) && !is_return(shop, it, policy);
    let new: Vec<_> = shop.shipments.iter().filter(is_new).collect();
    if new.is_empty() {
        return Vec::new();
    }
    let surplus = find_surplus(shop, sent.map_or(&Value::Null, |sent| &sent["lines"]), policy);
    let is_surplus = |line: &&ShopLine| line.is_ordered() && surplus.contains_key(&key(line, policy));
    let named: Vec<_> = new.iter().filter(|it| lines_of(shop, &it.id).next().is_some()).collect();
    let added = named.iter().filter_map(|it| {
        let lines: Vec<_> = lines_of(shop, &it.id).filter(|line| line.is_ordered()).cloned().collect();
        lines.iter().any(|line| is_surplus(&line)).then(|| AddedShipment { shipment: (**it).clone(), lines })
    });
    let mut added: Vec<_> = added.collect();
    let unnamed: Vec<_> = new.iter().filter(|it| lines_of(shop, &it.id).next().is_none()).collect();
    let rest = unclaimed(shop, surplus, &added, policy);
    // One shipment without lines takes what no other claims; of several, nobody knows which has what.
    let lines = if unnamed.len() == 1 { rest.clone() } else { Vec::new() };
    if !rest.is_empty() {
        added.extend(
            unnamed.iter().map(|it| AddedShipment { shipment: (**it).clone(), lines: lines.clone() }),
        );
    }
    added
}

/// The pieces, by code, that were not ordered when the order was sent.
fn find_surplus(shop: &ShopOrder, sent: &Value, policy: &OrderPolicy) -> BTreeMap<CodeKey, Decimal> {
    let mut surplus: BTreeMap<CodeKey, Decimal> = BTreeMap::new();
    let ordered = shop.lines.iter().filter(|line| line.is_ordered() && !line.is_download);
    for line in ordered.filter(|line| !is_returned(shop, line, policy)) {
        *surplus.entry(key(line, policy)).or_default() += line.quantity;
    }
    for line in sent.as_array().into_iter().flatten() {
        let pieces = quantity_of(&line["quantity"]).max(Decimal::ZERO);
        let code = line["code"].as_str().map(|code| policy.products.product_key(code));
        if let Some(left) = code.and_then(|code| surplus.get_mut(&code)) {
            *left -= pieces;
        }
    }
    surplus.retain(|_, pieces| *pieces > Decimal::ZERO);
    surplus
}

/// The surplus that no added shipment claims, as lines.
fn unclaimed(
    shop: &ShopOrder,
    mut surplus: BTreeMap<CodeKey, Decimal>,
    added: &[AddedShipment],
    policy: &OrderPolicy,
) -> Vec<ShopLine> {
    for line in added.iter().flat_map(|added| &added.lines) {
        if let Some(left) = surplus.get_mut(&key(line, policy)) {
            *left -= line.quantity;
        }
    }
    let rest = surplus.into_iter().filter(|(_, pieces)| *pieces > Decimal::ZERO);
    let line = |(code, quantity): (CodeKey, Decimal)| {
        let newest = shop.lines.iter().rfind(|line| key(line, policy) == code && line.is_ordered())?;
        Some(ShopLine { quantity, ..newest.clone() })
    };
    rest.filter_map(line).collect()
}

/// Takes the pieces of an added line off the order's lines, the newest first.
fn take_off(lines: &mut [ShopLine], added: &ShopLine, policy: &OrderPolicy) {
    let code = key(added, policy);
    let mut left = added.quantity;
    for is_same_shipment in [true, false] {
        let of_code = lines.iter_mut().rev().filter(|line| key(line, policy) == code && line.is_ordered());
        for line in of_code.filter(|line| (line.shipment_id == added.shipment_id) == is_same_shipment) {
            let pieces = left.min(line.quantity);
            line.quantity -= pieces;
            left -= pieces;
        }
    }
}
