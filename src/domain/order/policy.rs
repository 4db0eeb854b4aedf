//! The connection's rules for orders.

use std::time::Duration;

use crate::domain::{
    Timestamp,
    difference::Redactor,
    product::ProductPolicy,
    shipping::{ShippingMethod, ShippingRule, match_rule},
};

/// `[connections.orders]`, with what it needs of `[connections.shipping]` and `[connections.products]`.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "settings, each a switch of its own")]
pub struct OrderPolicy {
    /// Transfer by itself, or only when a person asks.
    pub transfer: Transfer,
    /// Transfer once paid, or once created.
    pub when: TransferTime,
    /// Time for second thoughts between "ready" and "sent"; zero is none.
    pub hold: Duration,
    /// Older orders never go by themselves; `None` is the time when the connection was first configured.
    pub not_before: Option<Timestamp>,
    /// Put in front of the order number, so that stores of one merchant never collide.
    pub reference_prefix: String,
    /// From the shop's shipping methods to the warehouse's codes; empty = the merchant has one method and no code is sent.
    pub shipping: Vec<ShippingRule>,
    /// What is stored at the warehouse.
    pub products: ProductPolicy,
    /// Are the shopper's own words passed on? They can cost money or stop an order (docs/contract.md §2.4).
    pub comments: bool,
    /// Is the receipt sent along, to be printed and packed?
    pub receipt: bool,
    /// What the shop's unit prices mean, and so whether they are sent.
    pub unit_prices: UnitPrices,
    /// The longest text of an address that the warehouse takes; its limit is not public. Zero: not checked.
    pub longest_field: usize,
    /// May an order that the warehouse has as New be edited over the API? The merchant's setting there is off unless set.
    pub edit: bool,
    /// Is an order that was called off before collection cancelled at the warehouse by us?
    pub cancel: bool,
    /// Does the shop mail the shopper when the order is completed?
    pub send_emails: bool,
    /// Is a tracking code written to a shipment before it is completed? Not proven to work (docs/contract.md U6).
    pub shipment_tracking: bool,
    /// Mark orders as tests at the warehouse.
    pub test: bool,
    /// Hides what is personal in what is remembered and shown.
    pub redactor: Redactor,
    /// Settling time before anything is sent again after an unknown outcome.
    pub recheck_delay: Duration,
}

/// How orders get to the warehouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// By themselves.
    Automatic,
    /// When a person asks for it.
    Manual,
}

/// When an order is ready to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferTime {
    /// Once it is paid, or goes as cash on delivery.
    Paid,
    /// At once.
    Created,
}

/// What the shop's unit prices mean, which is not public (docs/contract.md U11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitPrices {
    /// Nobody said: none are sent.
    Unsent,
    /// They include VAT, as the warehouse wants them.
    IncludeVat,
    /// VAT is put on top.
    ExcludeVat,
}

impl OrderPolicy {
    /// Does none of the shipping rules match, where there are any?
    pub fn lacks_rule(&self, method: &ShippingMethod) -> bool {
        !self.shipping.is_empty() && match_rule(&self.shipping, method).is_none()
    }

    /// Our id as written into the warehouse's record.
    pub fn reference(&self, order_id: &str) -> String {
        format!("{}{order_id}", self.reference_prefix)
    }
}

/// What a person asked for an order; the latest word counts. Input to `decide`, and nothing by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Send it to the warehouse now, paid or not, held or not: "add order to OGOship for task".
    Transfer,
    /// Keep it from going.
    Hold,
    /// End a hold, the person's or the configured one: the other rules stand.
    Release,
    /// Call it off: it does not go, or is cancelled at the warehouse where that still may be.
    Cancel,
}

impl Intent {
    /// Every intent.
    pub const ALL: [Self; 4] = [Self::Transfer, Self::Hold, Self::Release, Self::Cancel];

    /// The word in rows, URLs and on buttons.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Cancel => "cancel",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|intent| intent.as_str() == word)
    }
}
