//! From what was told to an event and its debt, ready to be stored.

use std::sync::Arc;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use sqlx::PgPool;
use tokio::sync::OwnedSemaphorePermit;

use super::verify::Verified;
use crate::inbox::Door;
use crate::{
    domain::{
        event::{
            dedup::{Sameness, fingerprint},
            routing::{About, Told, subject_of},
            source::{NewEvent, Source},
            subject::{Subject, Urgency},
        },
        id::{DeliveryId, EventId},
    },
    runtime::clock::{Clock, Entropy},
    store::{
        self,
        ingest::{self, Arrival},
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

/// Something that a sweep saw changed.
#[derive(Clone, Debug)]
pub(in crate::inbox) struct Find {
    /// What may be out of step.
    pub(in crate::inbox) subject: Subject,
    /// What tells this change from the last one.
    pub(in crate::inbox) version: String,
}

/// Takes verified webhooks, and the finds of sweeps, into the inbox.
#[derive(Clone)]
pub(in crate::inbox) struct Receiver {
    pub(in crate::inbox) pool: PgPool,
    pub(in crate::inbox) clock: Arc<dyn Clock>,
    pub(in crate::inbox) entropy: Arc<Entropy>,
    pub(in crate::inbox) metrics: Metrics,
}

impl Receiver {
    /// A verified webhook, ready to be stored: its event, and the debt of its subject.
    pub(in crate::inbox) fn told(
        &self,
        door: &Door,
        verified: Verified,
        told: &Told,
    ) -> (Arrival, OwnedSemaphorePermit) {
        let subject = subject_of(&told.about, &door.reference_prefix);
        let source = verified.source();
        let (body, room) = verified.into_parts();
        (self.arrival(&door.connection, source, told, subject, body), room)
    }

    /// Stores a page of a sweep's finds, each once per version; answers how many were news.
    pub(in crate::inbox) async fn receive_finds(
        &self,
        connection: &str,
        topic: &str,
        finds: &[Find],
    ) -> store::Result<usize> {
        let arrivals: Vec<_> = finds.iter().map(|find| self.found(connection, topic, find)).collect();
        let mut db = self.pool.acquire().await?;
        let received = ingest::receive(&mut db, &arrivals).await?;
        for received in &received {
            self.metrics.event(Source::Sweep, received.duplicate);
        }
        Ok(received.iter().filter(|received| !received.duplicate).count())
    }

    fn found(&self, connection: &str, topic: &str, find: &Find) -> Arrival {
        let Find { subject, version } = find;
        let body = serde_json::json!({ "subject": subject.to_string(), "version": version });
        let told = Told { topic: topic.to_owned(), about: About::Unknown, sameness: Sameness::Forever };
        self.arrival(connection, Source::Sweep, &told, Some(subject.clone()), body.to_string().into_bytes())
    }

    fn arrival(
        &self,
        connection: &str,
        source: Source,
        told: &Told,
        subject: Option<Subject>,
        body: Vec<u8>,
    ) -> Arrival {
        let now = self.clock.now();
        let urgency = match &subject {
            Some(subject) if source.is_live() => Urgency::live(subject.kind),
            Some(_) | None => Urgency::BACKGROUND,
        };
        Arrival {
            delivery_id: DeliveryId(self.entropy.id(now)),
            urgency,
            event: NewEvent {
                id: EventId(self.entropy.id(now)),
                connection: connection.to_owned(),
                source,
                topic: told.topic.chars().filter(|letter| *letter != '\0').take(100).collect(),
                subject,
                received_at: now,
                fingerprint: fingerprint(source, &told.topic, &body, told.sameness, now),
                body,
            },
        }
    }
}

/// The sweeps that find what an unreadable webhook of this system may have meant.
pub(in crate::inbox) const fn swept_for(source: Source) -> &'static [&'static str] {
    match source {
        Source::Ogoship => &["statuses", "stock"],
        Source::MyCashflow => &["orders", "products"],
        Source::Sweep | Source::Person => &[],
    }
}
