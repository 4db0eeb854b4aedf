//! Makes events with tasks from parsed webhooks and from what polls found.

use std::sync::Arc;

use sqlx::PgPool;

use super::metrics::Metrics;
use crate::{
    domain::{
        event::{
            dedup::{DedupScope, fingerprint},
            new_event::NewEvent,
            routing::{ParsedWebhook, VendorEntity},
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

/// An item that a poll found new or changed.
#[derive(Clone, Debug)]
pub(super) struct PolledChange {
    /// What may be out of sync.
    pub(super) subject: Subject,
    /// Distinguishes this change from the last one.
    pub(super) version: String,
    /// How many polls have met it without a read that covers it.
    pub(super) times: i32,
}

/// A message from a vendor, before it becomes an event.
pub(super) struct Message<'a> {
    pub(super) connection: &'a str,
    pub(super) source: Source,
    pub(super) parsed: &'a ParsedWebhook,
    pub(super) subject: Option<Subject>,
    pub(super) body: Vec<u8>,
}

/// Turns messages into events, and stores those of polls.
#[derive(Clone)]
pub(super) struct Ingester {
    pub(super) pool: PgPool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<Entropy>,
    pub(super) metrics: Metrics,
}

impl Ingester {
    /// Stores a page of a poll's changes, each once per version and count. Returns how many were new.
    pub(super) async fn ingest_changes(
        &self,
        connection: &str,
        topic: &str,
        changes: &[PolledChange],
    ) -> store::Result<usize> {
        let events: Vec<_> =
            changes.iter().map(|change| self.event_of_change(connection, topic, change)).collect();
        let mut db = self.pool.acquire().await?;
        let ingested = ingest::ingest(&mut db, &events).await?;
        for event in &ingested {
            self.metrics.count_event(Source::Poll, event.duplicate);
        }
        Ok(ingested.iter().filter(|event| !event.duplicate).count())
    }

    fn event_of_change(&self, connection: &str, topic: &str, change: &PolledChange) -> IncomingEvent {
        let PolledChange { subject, version, times } = change;
        let body = serde_json::json!({ "subject": subject.to_string(), "version": version, "times": times });
        let parsed = ParsedWebhook {
            topic: topic.to_owned(),
            dedup_topic: topic.to_owned(),
            entity: VendorEntity::Unknown,
            dedup_scope: DedupScope::Permanent,
        };
        self.event_of(Message {
            connection,
            source: Source::Poll,
            parsed: &parsed,
            subject: Some(subject.clone()),
            body: body.to_string().into_bytes(),
        })
    }

    /// The event of a message, with the task of its subject.
    pub(super) fn event_of(&self, message: Message<'_>) -> IncomingEvent {
        let Message { connection, source, parsed, subject, body } = message;
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
                fingerprint: fingerprint(source, &parsed.dedup_topic, &body, parsed.dedup_scope, now),
                body,
            },
        }
    }
}
