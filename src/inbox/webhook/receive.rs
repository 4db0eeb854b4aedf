//! From what was told to an event and its task, ready to be stored.

use std::sync::Arc;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use sqlx::PgPool;
use tokio::sync::OwnedSemaphorePermit;

use super::verify::Verified;
use crate::inbox::Endpoint;
use crate::{
    domain::{
        event::{
            dedup::{DedupScope, fingerprint},
            new_event::NewEvent,
            routing::{ParsedWebhook, VendorEntity, route},
            source::Source,
            subject::{Priority, Subject},
        },
        id::{EventId, TaskId},
    },
    runtime::clock::{Clock, Entropy},
    store::{
        self,
        ingest::{self, IncomingEvent},
    },
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    source: &'static str,
    duplicate: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusedLabels {
    source: &'static str,
    code: &'static str,
}

/// Events received, and webhooks refused.
#[derive(Clone)]
pub struct Metrics {
    events: Family<EventLabels, Counter>,
    refused: Family<RefusedLabels, Counter>,
}

impl Metrics {
    /// Counters entered into a registry; documented in `docs/telemetry.md`.
    pub fn registered(registry: &mut Registry) -> Self {
        let (events, refused) = (Family::default(), Family::default());
        registry.register("silta_events_received", "Events received, by source", events.clone());
        registry.register("silta_webhooks_refused", "Webhooks refused, by problem code", refused.clone());
        Self { events, refused }
    }

    pub(in crate::inbox) fn refused(&self, source: Source, code: &'static str) {
        self.refused.get_or_create(&RefusedLabels { source: source.as_str(), code }).inc();
    }

    pub(in crate::inbox) fn event(&self, source: Source, duplicate: bool) {
        let duplicate = if duplicate { "true" } else { "false" };
        self.events.get_or_create(&EventLabels { source: source.as_str(), duplicate }).inc();
    }
}

/// Something that a poll saw changed.
#[derive(Clone, Debug)]
pub(in crate::inbox) struct PolledChange {
    /// What may be out of sync.
    pub(in crate::inbox) subject: Subject,
    /// What tells this change from the last one.
    pub(in crate::inbox) version: String,
}

/// Takes verified webhooks, and the finds of polls, into the inbox.
#[derive(Clone)]
pub(in crate::inbox) struct Ingester {
    pub(in crate::inbox) pool: PgPool,
    pub(in crate::inbox) clock: Arc<dyn Clock>,
    pub(in crate::inbox) entropy: Arc<Entropy>,
    pub(in crate::inbox) metrics: Metrics,
}

impl Ingester {
    /// A verified webhook, ready to be stored: its event, and the task of its subject.
    pub(in crate::inbox) fn webhook_arrival(
        &self,
        endpoint: &Endpoint,
        verified: Verified,
        parsed: &ParsedWebhook,
    ) -> (IncomingEvent, OwnedSemaphorePermit) {
        let subject = route(&parsed.entity, &endpoint.reference_prefix);
        let source = verified.source();
        let (body, permit) = verified.into_parts();
        (self.new_arrival(&endpoint.connection, source, parsed, subject, body), permit)
    }

    /// Stores a page of a poll's changes, each once per version; answers how many were news.
    pub(in crate::inbox) async fn ingest_changes(
        &self,
        connection: &str,
        topic: &str,
        changes: &[PolledChange],
    ) -> store::Result<usize> {
        let arrivals: Vec<_> =
            changes.iter().map(|change| self.poll_arrival(connection, topic, change)).collect();
        let mut db = self.pool.acquire().await?;
        let received = ingest::ingest(&mut db, &arrivals).await?;
        for received in &received {
            self.metrics.event(Source::Poll, received.duplicate);
        }
        Ok(received.iter().filter(|received| !received.duplicate).count())
    }

    fn poll_arrival(&self, connection: &str, topic: &str, change: &PolledChange) -> IncomingEvent {
        let PolledChange { subject, version } = change;
        let body = serde_json::json!({ "subject": subject.to_string(), "version": version });
        let parsed = ParsedWebhook {
            topic: topic.to_owned(),
            entity: VendorEntity::Unknown,
            dedup_scope: DedupScope::Permanent,
        };
        self.new_arrival(
            connection,
            Source::Poll,
            &parsed,
            Some(subject.clone()),
            body.to_string().into_bytes(),
        )
    }

    fn new_arrival(
        &self,
        connection: &str,
        source: Source,
        parsed: &ParsedWebhook,
        subject: Option<Subject>,
        body: Vec<u8>,
    ) -> IncomingEvent {
        let now = self.clock.now();
        let priority = match &subject {
            Some(subject) if source.is_live() => Priority::live(subject.kind),
            Some(_) | None => Priority::BACKGROUND,
        };
        IncomingEvent {
            task_id: TaskId(self.entropy.id(now)),
            priority,
            event: NewEvent {
                id: EventId(self.entropy.id(now)),
                connection: connection.to_owned(),
                source,
                topic: parsed.topic.chars().filter(|letter| *letter != '\0').take(100).collect(),
                subject,
                received_at: now,
                fingerprint: fingerprint(source, &parsed.topic, &body, parsed.dedup_scope, now),
                body,
            },
        }
    }
}

/// The polls that find what an unreadable webhook of this vendor may have meant.
pub(in crate::inbox) const fn polls_for(source: Source) -> &'static [&'static str] {
    match source {
        Source::Ogoship => &["statuses", "stock"],
        Source::MyCashflow => &["orders", "products"],
        Source::Poll | Source::Operator => &[],
    }
}
