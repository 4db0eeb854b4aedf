//! An order as the shop has it now.

use rust_decimal::Decimal;

use super::Recipient;
use crate::domain::{Timestamp, product::Supplier, shipping::ShippingMethod};

/// An order of the shop.
#[derive(Clone, Debug)]
pub struct ShopOrder {
    /// The order number.
    pub id: String,
    /// When the shopper ordered; `None` where the shop's time cannot be read. Then it is unknown whether the order is
    /// history.
    pub created_at: Option<Timestamp>,
    /// Its `updated_at`, as the shop spells it.
    pub version: Option<String>,
    /// Open, completed or cancelled.
    pub status: ShopStatus,
    /// The shipping address, or the customer's where there is no separate one.
    pub recipient: Recipient,
    /// The shipping method.
    pub shipping: Option<ShippingMethod>,
    /// The lines.
    pub lines: Vec<ShopLine>,
    /// What it costs altogether; `None` where the shop does not say.
    pub total: Option<Decimal>,
    /// The payments.
    pub payments: Vec<Payment>,
    /// The shipments.
    pub shipments: Vec<Shipment>,
    /// The shopper's comments; personal data.
    pub comments: Option<String>,
    /// Where the receipt can be fetched.
    pub receipt_url: Option<String>,
    /// Fields above that decide something and cannot be read; their values stand for nothing.
    pub unreadable: UnreadableFields,
}

/// Names of fields of a shop's order that cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnreadableFields {
    /// What decides whether and what is sent to the warehouse.
    pub content: Vec<String>,
    /// What decides how the order is completed in the shop.
    pub completion: Vec<String>,
}

impl UnreadableFields {
    /// True where this field of the content, or a part of it, cannot be read.
    pub(super) fn names_content(&self, field: &str) -> bool {
        let is_of_field = |rest: &str| rest.is_empty() || rest.starts_with('[') || rest.starts_with('.');
        self.content.iter().any(|name| name.strip_prefix(field).is_some_and(is_of_field))
    }
}

/// The shop's status of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShopStatus {
    /// Being processed.
    Open,
    /// Shipped completely.
    Completed,
    /// Cancelled.
    Cancelled,
    /// A status that Silta does not know: kept, warned about, never acted upon.
    Unknown(String),
}

impl ShopStatus {
    /// The spelling in rows and on pages.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Unknown(word) => word,
        }
    }
}

/// A line of a shop's order.
#[derive(Clone, Debug)]
pub struct ShopLine {
    /// The variation's or product's own code.
    pub code: Option<String>,
    /// The product's name, with its variation's; for people.
    pub name: Option<String>,
    /// As the shop counts: pieces, or a measure such as metres.
    pub quantity: Decimal,
    /// True for a download, which no warehouse ships.
    pub is_download: bool,
    /// Whose goods these are.
    pub supplier: Supplier,
    /// The price of one piece. Only the configuration knows whether it includes VAT.
    pub unit_price: Option<Decimal>,
    /// VAT in per cent.
    pub vat_rate: Option<Decimal>,
    /// The shipment that it belongs to, where the shop says so.
    pub shipment_id: Option<String>,
    /// What the shopper chose or wrote for it; personal data.
    pub customization: Option<String>,
}

impl ShopLine {
    /// True where it is to leave the shop.
    pub(super) fn is_ordered(&self) -> bool {
        self.quantity > Decimal::ZERO
    }

    /// True where it takes pieces back.
    pub(super) fn is_taken_back(&self) -> bool {
        self.quantity < Decimal::ZERO
    }

    /// Its code without spaces around it; empty where there is none.
    pub fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_default().trim()
    }
}

/// A payment of a shop's order.
#[derive(Clone, Debug)]
pub struct Payment {
    /// Its id in the shop.
    pub id: Option<String>,
    /// How far it is.
    pub state: PaymentState,
    /// Paid to the carrier on delivery.
    pub cash_on_delivery: bool,
    /// In `currency`.
    pub amount: Option<Decimal>,
    /// ISO 4217.
    pub currency: Option<String>,
}

/// How far a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Nothing was received.
    Open,
    /// Received but not activated (Klarna, payment links): it may still be withdrawn.
    AwaitsActivation,
    /// Paid.
    Paid,
    /// Refunded or cancelled: it does not count.
    Void,
}

impl Payment {
    /// True once the money is received and activated.
    pub fn is_paid(&self) -> bool {
        self.state == PaymentState::Paid
    }

    /// True where it takes money back.
    pub fn is_correction(&self) -> bool {
        self.amount.is_some_and(|amount| amount < Decimal::ZERO)
    }

    /// True unless it was refunded or cancelled.
    pub fn is_counted(&self) -> bool {
        self.state != PaymentState::Void
    }
}

/// A shipment of a shop's order.
#[derive(Clone, Debug)]
pub struct Shipment {
    /// Its id in the shop.
    pub id: String,
    /// True once it has been shipped.
    pub is_completed: bool,
    /// What kind of row it is, in the shop's own word, where it says so: goods that leave, or a return.
    pub kind: Option<String>,
    /// Its own shipping method.
    pub shipping: Option<ShippingMethod>,
    /// A carrier's code or one of the shop's own: only the shipping rule knows which.
    pub pickup_point: Option<String>,
}
