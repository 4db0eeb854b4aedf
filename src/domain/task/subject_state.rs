//! What we remember of a subject across both vendors.

use std::time::Duration;

use crate::domain::{Timestamp, order::OrderStatus};

/// An action that must not be repeated blindly, begun and not known to have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BegunAction {
    /// The action's word, as `place`.
    pub action: String,
    /// Its idempotency key.
    pub key: String,
    /// When it was begun, or when its outcome was found to be unknown: a resend waits out the settling time from here.
    pub at: Timestamp,
}

impl BegunAction {
    /// When to look next before this action may be sent again, or `None` once it may: after two looks, a settling time
    /// apart, have not found it. A search that lags is thus asked twice, and what was applied late has had time to show.
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

/// What we remember of a subject. `None` means "not known", and never overwrites what is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectState {
    /// Its id in the shop.
    pub mycashflow_id: Option<String>,
    /// Its id at the warehouse.
    pub ogoship_id: Option<String>,
    /// Our id as written into the warehouse's order record.
    pub reference: Option<String>,
    /// For products: the code under which the warehouse knows it.
    pub code: Option<String>,
    /// SHA-256 of what we sent last.
    pub sent_hash: Option<String>,
    /// What we sent last, masked: enough to say what has changed since.
    pub sent: Option<serde_json::Value>,
    /// For stock: the pieces that the shop shows.
    pub figure: Option<i64>,
    /// For stock: the warehouse's own time of the figure that we last acted on.
    pub figure_at: Option<Timestamp>,
    /// For orders: the pieces, by code, that the warehouse has taken off its free stock while the shop still counts them
    /// as reserved.
    pub in_flight: Option<Vec<(String, i64)>>,
    /// For orders: the one word that a merchant reads.
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
    /// Why it stands there as it stands, in the warehouse's own words.
    pub warehouse_comments: Option<String>,
    /// Orders that the warehouse made out of this one: reference and status.
    pub related: Option<serde_json::Value>,
    /// When we first found the order ready to go: the hold period runs from here.
    pub ready_at: Option<Timestamp>,
    /// When the warehouse took our cancellation.
    pub cancel_requested_at: Option<Timestamp>,
    /// When we learnt that it stands at the warehouse.
    pub placed_at: Option<Timestamp>,
    /// When we learnt that the shop has it completed.
    pub completed_at: Option<Timestamp>,
    /// The open question, if there is one.
    pub begun: Option<BegunAction>,
}

/// Something an attempt learnt about a subject, to be remembered in the settle transaction.
#[derive(Clone, Debug)]
pub struct Learnt {
    /// The subject, or a part of one: a variation is `product:77/5`.
    pub subject: String,
    /// When both vendors were read; an older reading never overwrites a newer one.
    pub seen_at: Timestamp,
    /// What was learnt; its `begun` is not written by this way.
    pub known: SubjectState,
}
