//! An order as the shop has it now.

use rust_decimal::Decimal;

use super::Recipient;
use crate::domain::{Timestamp, product::Supplier, shipping::ShippingMethod};

/// An order of the shop.
#[derive(Clone, Debug)]
pub struct ShopOrder {
    /// The order number.
    pub id: String,
    /// When the shopper ordered; `None` where the shop did not say it readably.
    pub created_at: Option<Timestamp>,
    /// Its `updated_at`, as told.
    pub version: Option<String>,
    /// Open, completed or cancelled.
    pub status: ShopStatus,
    /// Where it goes: the shipping address, or the customer's where that is not different.
    pub recipient: Recipient,
    /// How it goes.
    pub shipping: Option<ShippingMethod>,
    /// What was bought.
    pub lines: Vec<ShopLine>,
    /// How it was or will be paid.
    pub payments: Vec<Payment>,
    /// How it leaves.
    pub shipments: Vec<Shipment>,
    /// The shopper's own words; personal data.
    pub comments: Option<String>,
    /// Where the receipt can be fetched.
    pub receipt_url: Option<String>,
}

/// The shop's word for where an order stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShopStatus {
    /// Being handled.
    Open,
    /// All of it was shipped.
    Completed,
    /// Called off.
    Cancelled,
    /// A word that we do not know: kept, warned about, never acted upon.
    Unknown(String),
}

impl ShopStatus {
    /// The word in rows and to people.
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
    /// Pieces.
    pub quantity: i64,
    /// True for a download, which no warehouse ships.
    pub is_download: bool,
    /// Whose goods these are.
    pub supplier: Supplier,
    /// For one piece, on the basis that the shop uses: only the configuration knows whether it includes VAT.
    pub unit_price: Option<Decimal>,
    /// In per cent.
    pub vat_rate: Option<Decimal>,
    /// The shipment that it leaves in, where the shop says so.
    pub shipment_id: Option<String>,
}

impl ShopLine {
    /// Is there anything to be shipped, by whomever?
    pub const fn is_goods(&self) -> bool {
        !self.is_download && self.quantity > 0
    }
}

/// A payment of a shop's order.
#[derive(Clone, Debug)]
pub struct Payment {
    /// How far it is.
    pub state: PaymentState,
    /// Paid to the carrier at the door.
    pub cash_on_delivery: bool,
    /// In `currency`.
    pub amount: Option<Decimal>,
    /// ISO 4217.
    pub currency: Option<String>,
}

/// How far a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Nothing has come yet.
    Open,
    /// Received, but not activated yet (Klarna, payment links): it may still be taken back.
    AwaitsActivation,
    /// The money is in.
    Paid,
    /// Refunded or called off: it counts for nothing.
    Void,
}

impl Payment {
    /// The money is in.
    pub fn is_paid(&self) -> bool {
        self.state == PaymentState::Paid
    }

    /// Neither refunded nor called off.
    pub fn is_counted(&self) -> bool {
        self.state != PaymentState::Void
    }
}

/// A shipment of a shop's order.
#[derive(Clone, Debug)]
pub struct Shipment {
    /// Its id in the shop.
    pub id: String,
    /// It has left.
    pub is_completed: bool,
    /// A carrier's code or a point of the shop's own: only the shipping rule knows which.
    pub pickup_point: Option<String>,
}
