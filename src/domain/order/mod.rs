//! Orders: what both sides mean by one, and what to do next about it.

mod decide;
mod draft;
#[cfg(test)]
mod tests;

pub use decide::{Next, OrderView, decide};
pub use draft::{CashOnDelivery, Draft, DraftLine, Fault, Recipient, draft};
use rust_decimal::Decimal;

use super::{
    product::ProductPolicy,
    shipping::{ShippingMethod, ShippingRule},
};

/// An order as the shop has it now.
#[derive(Clone, Debug)]
pub struct ShopOrder {
    /// The order number.
    pub id: String,
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

/// A line of a shop's order.
#[derive(Clone, Debug)]
pub struct ShopLine {
    /// The variation's or product's own code.
    pub code: Option<String>,
    /// Pieces.
    pub quantity: i64,
    /// True for a download, which no warehouse ships.
    pub is_download: bool,
}

/// A payment of a shop's order.
#[derive(Clone, Debug)]
pub struct Payment {
    /// The money is in.
    pub is_paid: bool,
    /// Neither refunded nor called off.
    pub counts: bool,
    /// Paid to the carrier at the door.
    pub cash_on_delivery: bool,
    /// In `currency`.
    pub amount: Option<Decimal>,
    /// ISO 4217.
    pub currency: Option<String>,
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

/// An order as the warehouse has it now.
#[derive(Clone, Debug)]
pub struct WarehouseOrder {
    /// Its id there.
    pub id: Option<String>,
    /// Our reference, exactly.
    pub reference: String,
    /// Where it stands.
    pub status: WarehouseStatus,
    /// Opaque; may hold several codes.
    pub tracking_code: Option<String>,
    /// As the warehouse gives it.
    pub tracking_url: Option<String>,
    /// Its edit time, as told.
    pub version: Option<String>,
}

macro_rules! warehouse_statuses {
    ($($(#[$doc:meta])* $name:ident),+) => {
        /// The warehouse's word for where an order stands (contract/ogoship.md §2.4); compared in any case.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum WarehouseStatus {
            $($(#[$doc])* $name,)+
            /// A word that we do not know: kept, never acted upon.
            Unknown(String),
        }

        impl WarehouseStatus {
            /// Reads the warehouse's word.
            pub fn parse(word: &str) -> Self {
                $(if word.eq_ignore_ascii_case(stringify!($name)) { return Self::$name; })+
                Self::Unknown(word.to_owned())
            }

            /// The warehouse's word.
            pub fn as_str(&self) -> &str {
                match self { $(Self::$name => stringify!($name),)+ Self::Unknown(word) => word }
            }
        }
    };
}

warehouse_statuses! {
    /// To be moved to the warehouse.
    New,
    /// Being edited; will not ship.
    Draft,
    /// On hold until a person moves it.
    Reserved,
    /// On hold, older word.
    Locked,
    /// In the warehouse's hands; stock is deducted.
    Collecting,
    /// Waits for stock.
    Pending,
    /// Not shipped.
    Cancelled,
    /// Packed, with or for the carrier.
    Shipped,
    /// The parcel came back.
    Returned
}

impl WarehouseStatus {
    /// Has it left the house at some time? Then the shop may be told.
    pub fn has_shipped(&self) -> bool {
        matches!(self, Self::Shipped | Self::Returned)
    }
}

/// The connection's rules for orders.
#[derive(Clone, Debug)]
pub struct OrderPolicy {
    /// Transfer by itself, or only when a person asks.
    pub transfer: Transfer,
    /// Transfer once paid, or once created.
    pub when: When,
    /// Put in front of the order number, so that stores of one merchant never collide.
    pub reference_prefix: String,
    /// From the shop's shipping methods to the warehouse's codes; empty = the merchant has one method and no code is sent.
    pub shipping: Vec<ShippingRule>,
    /// Which codes are at the warehouse.
    pub products: ProductPolicy,
    /// Does the shop mail the shopper when the order is completed?
    pub send_emails: bool,
    /// Mark orders as tests at the warehouse.
    pub test: bool,
    /// Settling time before anything is sent again after an unknown outcome.
    pub look_again: std::time::Duration,
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
pub enum When {
    /// Once it is paid, or goes as cash on delivery.
    Paid,
    /// At once.
    Created,
}

impl OrderPolicy {
    /// Our id as written into the warehouse's record.
    pub fn reference(&self, order_id: &str) -> String {
        format!("{}{order_id}", self.reference_prefix)
    }
}

/// What a person asked for an order; the latest word counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Send it to the warehouse.
    Transfer,
}
