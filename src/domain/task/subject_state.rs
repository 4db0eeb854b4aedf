//! What was last observed of a subject on both sides.

use super::ledger::Ledger;
use crate::domain::{
    Timestamp,
    id::TaskId,
    order::{Intent, OrderFacts, OrderStatus},
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
    /// For orders: what pages show of it.
    pub facts: OrderFacts,
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
    /// When that intent, or a confirmed replacement, may leave at the earliest: until then it can be taken back.
    pub leaves_at: Option<Timestamp>,
    /// The shipments that operators have confirmed as replacements.
    pub confirmed: Vec<String>,
    /// The task that an operator has last asked for: while it is open, a product or stock figure is written that otherwise
    /// waits (`domain::switch`).
    pub asked: Option<TaskId>,
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

impl Observation {
    /// This observation and a later one of the same subject as one: the later says what it knows, and the moments at which
    /// something was first seen stay.
    #[must_use]
    pub fn then(self, later: &Self) -> Self {
        let (was, is) = (self.known, later.known.clone());
        let known = SubjectState {
            mycashflow_id: is.mycashflow_id.or(was.mycashflow_id),
            ogoship_id: is.ogoship_id.or(was.ogoship_id),
            reference: is.reference.or(was.reference),
            code: is.code.or(was.code),
            sent_hash: is.sent_hash.or(was.sent_hash),
            figure: is.figure.or(was.figure),
            figure_at: is.figure_at.or(was.figure_at),
            in_flight: is.in_flight.or(was.in_flight),
            status: is.status.or(was.status),
            shop_status: is.shop_status.or(was.shop_status),
            shop_version: is.shop_version.or(was.shop_version),
            warehouse_status: is.warehouse_status.or(was.warehouse_status),
            warehouse_version: is.warehouse_version.or(was.warehouse_version),
            tracking_code: is.tracking_code.or(was.tracking_code),
            tracking_url: is.tracking_url.or(was.tracking_url),
            warehouse_comments: is.warehouse_comments.or(was.warehouse_comments),
            related: is.related.or(was.related),
            parcel_state: is.parcel_state.or(was.parcel_state),
            returned: is.returned.or(was.returned),
            added_shipments: is.added_shipments.or(was.added_shipments),
            customizations: is.customizations.or(was.customizations),
            waiting: is.waiting.or(was.waiting),
            facts: is.facts.or_earlier(was.facts),
            ready_at: was.ready_at.or(is.ready_at),
            placed_at: was.placed_at.or(is.placed_at),
            completed_at: was.completed_at.or(is.completed_at),
        };
        Self { subject: self.subject, seen_at: later.seen_at, known }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn later_observation_wins_and_first_moments_stay() {
        let at = |seconds| Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let observe =
            |seconds, known| Observation { subject: "order:1".to_owned(), seen_at: at(seconds), known };
        let text = |text: &str| Some(text.to_owned());
        let first = SubjectState {
            shop_status: text("open"),
            warehouse_status: text("New"),
            placed_at: Some(at(1)),
            in_flight: Some(vec![("A".to_owned(), 2)]),
            ..SubjectState::default()
        };
        let second = SubjectState {
            warehouse_status: text("Shipped"),
            placed_at: Some(at(2)),
            completed_at: Some(at(2)),
            in_flight: Some(Vec::new()),
            ..SubjectState::default()
        };
        let Observation { seen_at, known, .. } = observe(1, first).then(&observe(2, second));
        assert_eq!((seen_at, known.placed_at, known.completed_at), (at(2), Some(at(1)), Some(at(2))));
        assert_eq!((known.shop_status, known.warehouse_status), (text("open"), text("Shipped")));
        assert_eq!(known.in_flight, Some(Vec::new()), "none is something that is known");
    }
}
