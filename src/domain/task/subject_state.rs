//! What was last observed of a subject on both sides.

use super::ledger::Ledger;
use crate::domain::{
    Timestamp,
    order::{Intent, OrderStatus},
};

/// The observed state of a subject. `None` means "not known", and never overwrites a known value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectState {
    /// Its id in the shop.
    pub mycashflow_id: Option<String>,
    /// Its id at the warehouse.
    pub ogoship_id: Option<String>,
    /// Our reference in the warehouse's order.
    pub reference: Option<String>,
    /// For products: the code under which the warehouse has it.
    pub code: Option<String>,
    /// For products: SHA-256 of what was sent last.
    pub sent_hash: Option<String>,
    /// For stock: the pieces that the shop shows.
    pub figure: Option<i64>,
    /// For stock: the warehouse's time of the figure that was last acted on.
    pub figure_at: Option<Timestamp>,
    /// For orders: the pieces, by code, that the warehouse has taken off its free stock while the shop still
    /// counts them as reserved.
    pub in_flight: Option<Vec<(String, i64)>>,
    /// For orders: the status that a merchant reads.
    pub status: Option<OrderStatus>,
    /// The shop's status as last read.
    pub shop_status: Option<String>,
    /// The shop's `updated_at` as last read.
    pub shop_version: Option<String>,
    /// The warehouse's status as last read.
    pub warehouse_status: Option<String>,
    /// The warehouse's edit time as last read.
    pub warehouse_version: Option<String>,
    /// Opaque; may hold several codes.
    pub tracking_code: Option<String>,
    /// As the warehouse gave it.
    pub tracking_url: Option<String>,
    /// Why it has its status, in the warehouse's own words.
    pub warehouse_comments: Option<String>,
    /// Orders that the warehouse split off this one: reference and status.
    pub related: Option<serde_json::Value>,
    /// What is known of the parcel beyond the warehouse's status, in its own word.
    pub parcel_state: Option<String>,
    /// What came back: side, code and pieces.
    pub returned: Option<serde_json::Value>,
    /// What the shop added to the order after it was sent.
    pub added_shipments: Option<serde_json::Value>,
    /// What the shopper chose or wrote for lines: code and text. Personal data.
    pub customizations: Option<serde_json::Value>,
    /// Whether the order waits for goods at the warehouse.
    pub waiting: Option<Waiting>,
    /// When the order was first found ready: the hold period runs from here.
    pub ready_at: Option<Timestamp>,
    /// When the order was first seen at the warehouse.
    pub placed_at: Option<Timestamp>,
    /// When the order was first seen completed in the shop.
    pub completed_at: Option<Timestamp>,
}

/// Whether an order waits for goods at the warehouse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It waits for none.
    No,
    /// It waits, for these: code and quantity.
    For(serde_json::Value),
}

impl Waiting {
    /// What it waits for.
    pub const fn goods(&self) -> Option<&serde_json::Value> {
        match self {
            Self::For(goods) => Some(goods),
            Self::No => None,
        }
    }
}

/// All that our own tables know of a subject.
#[derive(Clone, Debug, Default)]
pub struct KnownSubject {
    /// What was last observed.
    pub state: SubjectState,
    /// What was done for it.
    pub ledger: Ledger,
    /// The operator's latest intent.
    pub intent: Option<Intent>,
    /// The shipments that operators have confirmed as replacements.
    pub confirmed: Vec<String>,
}

/// What an attempt observed of a subject; written with the settle.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The subject, or one item of a product: a variation is `product:77/5`.
    pub subject: String,
    /// When both vendors were read. For people: only the holder of the claim writes, so the order of writes is the
    /// order of claims.
    pub seen_at: Timestamp,
    /// What was observed.
    pub known: SubjectState,
}
