//! The last step: differences that mend themselves become deliveries, unless too much would be mended at once.

use super::{Broken, Run, SCHEDULE};
use crate::{
    domain::{
        event::{
            source::Source,
            subject::{Subject, SubjectKind, Urgency},
        },
        id::{DeliveryId, EventId},
        sync::What,
        task::outcome::Reason,
    },
    flows::Tied,
    store::{
        ingest::{self, OwnNews},
        subject_states, sync_differences,
    },
};

/// Every class of differences that mends itself, as `[connections.sweeps] approve` names them.
pub const MENDED_BY_ITSELF: [&str; 12] = [
    "products.missing_at_warehouse",
    "products.vanished_at_warehouse",
    "products.differs_at_warehouse",
    "products.renamed_in_shop",
    "stock.figure_differs",
    "stock.falls_to_zero",
    "orders.missing_at_warehouse",
    "orders.not_remembered",
    "orders.edited_in_shop",
    "orders.cancelled_in_shop",
    "orders.not_completed_in_shop",
    "orders.not_read",
];

/// Deliveries opened in one transaction.
const AT_ONCE: i64 = 200;

/// What stood at the warehouse when we last looked, and is in its list still: a count beside the differences.
pub(super) const STILL_THERE: &str = "still_there";

impl Run<'_> {
    pub(super) async fn mend(&mut self, tied: &Tied) -> Result<(), Broken> {
        let mut kept_back = Vec::new();
        if !self.held.approved {
            self.braked = self.brake(tied);
            if self.braked.is_some() {
                return Ok(());
            }
            kept_back = self.left_to_a_person();
        }
        loop {
            let mut tx = self.open().await?;
            let waiting = sync_differences::waiting(&mut tx, self.held.id, &kept_back, AT_ONCE).await?;
            if waiting.is_empty() {
                return Ok(());
            }
            let (places, subjects): (Vec<_>, Vec<_>) = waiting
                .into_iter()
                .filter_map(|(place, subject)| Some((place, subject.parse::<Subject>().ok()?)))
                .unzip();
            let products = subjects.iter().filter(|subject| subject.kind == SubjectKind::Product);
            let products: Vec<_> = products.map(ToString::to_string).collect();
            subject_states::forget_sent(&mut tx, &self.held.connection, &products).await?;
            let arrivals: Vec<_> = subjects.into_iter().map(|subject| self.news(subject)).collect();
            let received = ingest::receive(&mut tx, &arrivals).await?;
            let deliveries = received.iter().zip(&arrivals);
            let deliveries: Vec<_> =
                deliveries.map(|(it, arrival)| it.delivery_id.unwrap_or(arrival.delivery_id).0).collect();
            sync_differences::mark_mending(&mut tx, self.held.id, &places, &deliveries).await?;
            self.turn(tx, &[], String::new(), 0).await?;
        }
    }

    /// Is so much of one kind that the reading itself must be doubted?
    fn brake(&self, tied: &Tied) -> Option<Reason> {
        let vanished = self.counted("vanished_at_warehouse");
        if tied.stock.brakes(vanished, self.counted(STILL_THERE)) {
            return Some(Reason::ListPartial);
        }
        if self.held.what == What::Stock {
            let emptied = self.counted("falls_to_zero");
            if tied.stock.brakes(emptied, self.counted("in_stock")) {
                return Some(Reason::StockBraked);
            }
        }
        None
    }

    /// What a comparison by the clock leaves to a person. Whoever asks for one has asked for its mending.
    fn left_to_a_person(&self) -> Vec<String> {
        if self.held.actor != SCHEDULE {
            return Vec::new();
        }
        let prefix = format!("{}.", self.held.what);
        let comparisons = self.syncer.schedule.get(&self.held.connection);
        let classes = comparisons.into_iter().flat_map(|it| &it.approve);
        classes.filter_map(|class| class.strip_prefix(&prefix)).map(ToOwned::to_owned).collect()
    }

    /// News of this comparison about a subject.
    pub(super) fn news(&self, subject: Subject) -> ingest::Arrival {
        let at = self.syncer.clock.now();
        let topic = format!("compared.{}", self.held.what);
        let news = OwnNews {
            connection: &self.held.connection,
            // A thousand finds never stand in front of a live order.
            urgency: Urgency::BACKGROUND,
            body: serde_json::json!({ "sync": self.held.id, "subject": subject.to_string() }),
            subject,
            source: Source::Sweep,
            topic: &topic,
            at,
        };
        let entropy = &self.syncer.entropy;
        news.arrival(EventId(entropy.id(at)), DeliveryId(entropy.id(at)))
    }
}
