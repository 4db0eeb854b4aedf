//! What was last observed of a subject on both sides.

use std::time::Duration;

use crate::domain::{Timestamp, order::OrderStatus};

/// An action that must happen once, begun and not known to have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BegunAction {
    /// Its kind, such as `place`.
    pub action: String,
    /// Its idempotency key.
    pub key: String,
    /// When it was begun, or when its outcome became unknown: the settling time runs from here.
    pub at: Timestamp,
}

impl BegunAction {
    /// When to read next before this action may be sent again, or `None` once it may: two reads, a settling
    /// time apart, must not have found it. So a search that lags is asked twice, and what was applied late
    /// has had time to appear.
    pub fn next_read_at(&self, now: Timestamp, settling: Duration) -> Option<Timestamp> {
        let (first, second) = (self.at + settling, self.at + settling * 2);
        if now < first {
            Some(first)
        } else if now < second {
            Some(second)
        } else {
            None
        }
    }
}

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
    /// SHA-256 of what was sent last.
    pub sent_hash: Option<String>,
    /// What was sent last, redacted: enough to say what has changed since.
    pub sent: Option<serde_json::Value>,
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
    /// When the order was first found ready: the hold period runs from here.
    pub ready_at: Option<Timestamp>,
    /// When the warehouse accepted our cancellation.
    pub cancel_requested_at: Option<Timestamp>,
    /// When the order was first seen at the warehouse.
    pub placed_at: Option<Timestamp>,
    /// When the order was first seen completed in the shop.
    pub completed_at: Option<Timestamp>,
    /// An action that was begun and is not known to have ended.
    pub begun: Option<BegunAction>,
}

/// What an attempt observed of a subject; written with the settle.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The subject, or one item of a product: a variation is `product:77/5`.
    pub subject: String,
    /// When both vendors were read; an older observation never overwrites a newer one.
    pub seen_at: Timestamp,
    /// What was observed. Its `begun` is not written this way.
    pub known: SubjectState,
}
