//! The event and its debt, in one statement; then, and only then, the answer.

use std::{slice, sync::Arc};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use sqlx::{Connection, PgConnection, PgPool};

use super::{Door, verify::Verified};
use crate::{
    clock::{Clock, Entropy},
    domain::{
        event::{NewEvent, Source},
        fingerprint::{Sameness, fingerprint},
        id::{DeliveryId, EventId},
        routing::{About, Told, subject_of},
        subject::{Subject, Urgency},
    },
    store::{
        self, StoreError,
        events::{self, Arrival, Received},
        sweeps,
    },
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    source: &'static str,
    duplicate: &'static str,
}

/// Events received.
#[derive(Clone)]
pub struct Metrics {
    events: Family<EventLabels, Counter>,
}

impl Metrics {
    /// Counters entered into a registry; documented in `docs/telemetry.md`.
    pub fn registered(registry: &mut Registry) -> Self {
        let events = Family::default();
        registry.register("silta_events_received", "Events received, by source", events.clone());
        Self { events }
    }

    fn event(&self, source: Source, duplicate: bool) {
        let duplicate = if duplicate { "true" } else { "false" };
        self.events.get_or_create(&EventLabels { source: source.as_str(), duplicate }).inc();
    }
}

/// Something that a sweep saw changed.
#[derive(Clone, Debug)]
pub(super) struct Find {
    /// What may be out of step.
    pub(super) subject: Subject,
    /// What tells this change from the last one.
    pub(super) version: String,
}

/// Takes verified webhooks, and the finds of sweeps, into the inbox.
#[derive(Clone)]
pub(super) struct Receiver {
    pub(super) pool: PgPool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<Entropy>,
    pub(super) metrics: Metrics,
}

impl Receiver {
    /// Stores a verified webhook and opens, or refreshes, the debt of its subject. Returns after commit.
    pub(super) async fn receive(
        &self,
        door: &Door,
        verified: Verified,
        told: &Told,
    ) -> store::Result<Received> {
        let source = verified.source();
        let subject = subject_of(&told.about, &door.reference_prefix);
        let unreadable = told.about == About::Unknown;
        let arrival = self.arrival(&door.connection, source, told, subject, verified.into_body());

        let brings_forward = if unreadable { swept_for(source) } else { Vec::new() };
        let received = match self.store_pooled(&arrival, &brings_forward).await {
            // The pooled connection had died with its server since it was last used: once more, by a new one. Had the
            // first been stored all the same, the second is its duplicate.
            Err(error) if error.is_broken_connection() => {
                let options = self.pool.connect_options();
                let mut db = PgConnection::connect_with(&options).await.map_err(StoreError::from)?;
                self.store(&mut db, &arrival, &brings_forward).await?
            }
            stored => stored?,
        };
        self.metrics.event(source, received.duplicate);
        tracing::info!(
            event = %received.event_id, connection = door.connection, source = source.as_str(), topic = told.topic,
            duplicate = received.duplicate, "event received"
        );
        Ok(received)
    }

    async fn store_pooled(&self, arrival: &Arrival, brings_forward: &[String]) -> store::Result<Received> {
        let mut db = self.pool.acquire().await?;
        self.store(&mut db, arrival, brings_forward).await
    }

    /// One arrival, and the sweeps that it brings forward, in one commit.
    async fn store(
        &self,
        db: &mut PgConnection,
        arrival: &Arrival,
        brings_forward: &[String],
    ) -> store::Result<Received> {
        let received = if brings_forward.is_empty() {
            events::receive(db, slice::from_ref(arrival)).await?
        } else {
            // Something happened that we cannot read: look everywhere soon.
            let mut db = db.begin().await?;
            let received = events::receive(&mut db, slice::from_ref(arrival)).await?;
            sweeps::bring_forward(&mut db, &arrival.event.connection, brings_forward, self.clock.now())
                .await?;
            db.commit().await?;
            received
        };
        Ok(received.into_iter().next().expect("one arrival, one answer"))
    }

    /// Stores a page of a sweep's finds, each once per version; answers how many were news.
    pub(super) async fn receive_finds(
        &self,
        connection: &str,
        topic: &str,
        finds: &[Find],
    ) -> store::Result<usize> {
        let arrivals: Vec<_> = finds.iter().map(|find| self.found(connection, topic, find)).collect();
        let mut db = self.pool.acquire().await?;
        let received = events::receive(&mut db, &arrivals).await?;
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
fn swept_for(source: Source) -> Vec<String> {
    let sweeps: &[&str] = match source {
        Source::Ogoship => &["statuses", "stock"],
        Source::MyCashflow => &["orders", "products"],
        Source::Sweep | Source::Person => &[],
    };
    sweeps.iter().map(|&what| what.to_owned()).collect()
}
