//! The last step: differences that fix themselves become tasks, unless too much would be fixed at once.

use super::{Run, SCHEDULE, SyncError};
use crate::{
    domain::{
        event::{
            source::Source,
            subject::{Priority, Subject, SubjectKind},
        },
        id::{EventId, TaskId},
        sync::SyncKind,
        task::outcome::Reason,
    },
    flows::ConnectionClients,
    store::{
        ingest::{self, InternalEvent},
        subject_states, sync_differences,
    },
};

/// Every class of differences that fixes itself, as `[connections.polls] approve` names them.
pub const FIXABLE_DIFFERENCES: [&str; 12] = [
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

/// Tasks opened in one transaction.
const BATCH_SIZE: i64 = 200;

/// What stood at the warehouse when we last looked, and is in its list still: a count beside the differences.
pub(super) const STILL_AT_WAREHOUSE: &str = "still_at_warehouse";

impl Run<'_> {
    pub(super) async fn fix(&mut self, clients: &ConnectionClients) -> Result<(), SyncError> {
        let mut withheld = Vec::new();
        if !self.leased.approved {
            self.braked = self.brake_reason(clients);
            if self.braked.is_some() {
                return Ok(());
            }
            withheld = self.classes_to_approve();
        }
        loop {
            let mut tx = self.begin_transaction().await?;
            let waiting =
                sync_differences::list_awaiting_approval(&mut tx, self.leased.id, &withheld, BATCH_SIZE)
                    .await?;
            if waiting.is_empty() {
                return Ok(());
            }
            let (places, subjects): (Vec<_>, Vec<_>) = waiting
                .into_iter()
                .filter_map(|(place, subject)| Some((place, subject.parse::<Subject>().ok()?)))
                .unzip();
            let products = subjects.iter().filter(|subject| subject.kind == SubjectKind::Product);
            let products: Vec<_> = products.map(ToString::to_string).collect();
            subject_states::clear_sent_hash(&mut tx, &self.leased.connection, &products).await?;
            let arrivals: Vec<_> = subjects.into_iter().map(|subject| self.found_event(subject)).collect();
            let received = ingest::ingest(&mut tx, &arrivals).await?;
            let tasks = received.iter().zip(&arrivals);
            let tasks: Vec<_> = tasks.map(|(it, arrival)| it.task_id.unwrap_or(arrival.task_id).0).collect();
            sync_differences::mark_fixing(&mut tx, self.leased.id, &places, &tasks).await?;
            self.commit_page(tx, &[], String::new(), 0).await?;
        }
    }

    /// Is so much of one kind that the reading itself must be doubted?
    fn brake_reason(&self, clients: &ConnectionClients) -> Option<Reason> {
        let vanished = self.count_of("vanished_at_warehouse");
        if clients.stock.should_brake(vanished, self.count_of(STILL_AT_WAREHOUSE)) {
            return Some(Reason::ListPartial);
        }
        if self.leased.what == SyncKind::Stock {
            let emptied = self.count_of("falls_to_zero");
            if clients.stock.should_brake(emptied, self.count_of("in_stock")) {
                return Some(Reason::StockBraked);
            }
        }
        None
    }

    /// What a sync by the clock leaves to a person. Whoever asks for one has asked for its fixing.
    fn classes_to_approve(&self) -> Vec<String> {
        if self.leased.actor != SCHEDULE {
            return Vec::new();
        }
        let prefix = format!("{}.", self.leased.what);
        let sync_schedule = self.syncer.schedule.get(&self.leased.connection);
        let classes = sync_schedule.into_iter().flat_map(|it| &it.approve);
        classes.filter_map(|class| class.strip_prefix(&prefix)).map(ToOwned::to_owned).collect()
    }

    /// Revision of this sync about a subject.
    pub(super) fn found_event(&self, subject: Subject) -> ingest::IncomingEvent {
        let at = self.syncer.clock.now();
        let topic = format!("synced.{}", self.leased.what);
        let event = InternalEvent {
            connection: &self.leased.connection,
            // A thousand finds never stand in front of a live order.
            priority: Priority::BACKGROUND,
            body: serde_json::json!({ "sync": self.leased.id, "subject": subject.to_string() }),
            subject,
            source: Source::Poll,
            topic: &topic,
            at,
        };
        let entropy = &self.syncer.entropy;
        event.into_incoming(EventId(entropy.id(at)), TaskId(entropy.id(at)))
    }
}
