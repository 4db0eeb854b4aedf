//! The connection's rules for orders.

use std::{fmt, sync::OnceLock, time::Duration};

use super::ShopOrder;
use crate::domain::{
    Timestamp,
    digest::sha256_hex,
    event::reference::ReferencePrefixes,
    product::ProductPolicy,
    redact::Redactor,
    shipping::{ShippingMethod, ShippingRule, match_rule, matches_pattern},
    switch::Switch,
    task::ledger::Ledger,
};

/// `[connections.orders]`, with what it needs of `[connections.shipping]` and `[connections.products]`.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "settings, each a switch of its own")]
pub struct OrderPolicy {
    /// Transfer automatically, only when an operator asks, or never.
    pub transfer: Switch,
    /// When an order is ready to be transferred.
    pub when: TransferTime,
    /// The wait between "ready" and "sent", for edits and cancellations; zero is none.
    pub hold: Duration,
    /// Older orders are never transferred automatically. `None` is the time when the connection was first
    /// configured.
    pub not_before: Option<Timestamp>,
    /// The prefixes of references, so that stores of one merchant never collide.
    pub references: ReferencePrefixes,
    /// Maps the shop's shipping methods to the warehouse's codes. Empty: the merchant has one method and no
    /// code is sent.
    pub shipping: Vec<ShippingRule>,
    /// Payment methods that are cash on delivery, by name, code or id.
    pub cash_on_delivery: Vec<String>,
    /// What is stored at the warehouse.
    pub products: ProductPolicy,
    /// Send the shopper's comments. They can cost money or stop an order (docs/contract.md §2.4).
    pub comments: bool,
    /// Send what the shopper chose or wrote for a line, as comments, at the same price.
    pub customizations: bool,
    /// Send the receipt, to be printed and packed.
    pub receipt: bool,
    /// What the shop's unit prices mean, and so whether they are sent.
    pub unit_prices: UnitPrices,
    /// The longest address field that the warehouse takes; its limit is not public. Zero: not checked.
    pub longest_field: usize,
    /// Edit an order over the API while the warehouse has it as New. The merchant's setting there is off by
    /// default.
    pub edit: bool,
    /// Cancel an order at the warehouse that was cancelled before collection.
    pub cancel: bool,
    /// The shop mails the shopper when the order is completed.
    pub send_emails: bool,
    /// Write the tracking code to a shipment before completing it. Not proven to work (docs/contract.md U6).
    pub shipment_tracking: bool,
    /// Types of shipments that book a return; `*` stands for anything. How the shop spells them is not public
    /// (docs/contract.md U29).
    pub return_types: Vec<String>,
    /// Mark orders as tests at the warehouse.
    pub test: bool,
    /// Redacts personal values in what is stored and shown.
    pub redactor: Redactor,
    /// The settling time before anything is sent again after an unknown outcome.
    pub recheck_delay: Duration,
    /// The digest of all that, once somebody has asked for it.
    pub digest: CachedDigest,
}

/// A digest that is computed once. A copy begins without one, since a copy may be changed.
#[derive(Default)]
pub struct CachedDigest(OnceLock<String>);

impl Clone for CachedDigest {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for CachedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CachedDigest(..)") // part of what the digest is made of, so it may not tell whether there is one
    }
}

/// When an order is ready to be transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferTime {
    /// Once it is paid, is cash on delivery, or its money is received and not yet activated: the shop activates such a
    /// payment when the order is processed.
    Authorized,
    /// Once it is paid, or is cash on delivery.
    Paid,
    /// At once.
    Created,
}

/// What the shop's unit prices mean, which is not public (docs/contract.md U11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitPrices {
    /// Unknown: no prices are sent.
    Unsent,
    /// They include VAT, as the warehouse takes them.
    IncludeVat,
    /// VAT is added.
    ExcludeVat,
}

impl OrderPolicy {
    /// True where there are shipping rules and none matches.
    pub fn has_no_rule_for(&self, method: &ShippingMethod) -> bool {
        !self.shipping.is_empty() && self.rule_for(method).is_none()
    }

    /// The shipping rule for a method.
    pub(super) fn rule_for(&self, method: &ShippingMethod) -> Option<&ShippingRule> {
        match_rule(&self.shipping, method)
    }

    /// True where a shipping rule says that the order is never sent: it is collected from the shop.
    pub(super) fn leaves_to_shop(&self, shop: &ShopOrder) -> bool {
        shop.shipping
            .as_ref()
            .and_then(|method| self.rule_for(method))
            .is_some_and(ShippingRule::leaves_to_shop)
    }

    /// True where a shipment's type says that it books a return.
    pub(super) fn is_return_type(&self, kind: &str) -> bool {
        self.return_types.iter().any(|pattern| matches_pattern(pattern, kind))
    }

    /// A digest of the rules, to tell whether what was sent was made under others. Other versions of Silta may give
    /// the same rules another digest.
    pub fn digest(&self) -> String {
        let make = || {
            let mut digest = sha256_hex(format!("{self:?}").as_bytes());
            digest.truncate(16);
            digest
        };
        self.digest.0.get_or_init(make).clone()
    }

    /// The reference of a new order at the warehouse.
    pub fn reference(&self, order_id: &str) -> String {
        format!("{}{order_id}", self.references.current())
    }

    /// The order's reference at the warehouse: the one under which it was sent, else the one of a new order.
    pub fn reference_of(&self, order_id: &str, ledger: &Ledger) -> String {
        let reference = ledger.placing().and_then(|entry| entry.reference.clone());
        reference.unwrap_or_else(|| self.reference(order_id))
    }
}

/// What an operator asked for an order; the latest counts. An input of `decide`, with no effect of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Intent {
    /// Send it to the warehouse now, whether paid or on hold: "add order to OGOship for delivery".
    Transfer,
    /// Do not send it.
    Hold,
    /// End a hold, whether an operator's or the configured one; the other rules apply.
    Release,
    /// Cancel it: do not send it, or cancel it at the warehouse where that is still possible.
    Cancel,
    /// Take the warehouse's order under our reference for this one, though Silta did not send it.
    Adopt,
}

impl Intent {
    /// The spelling in rows, URLs and buttons.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Parses the spelling in a row.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}
