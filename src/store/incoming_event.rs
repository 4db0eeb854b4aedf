//! Events on their way into table `event`: from a vendor, or of Silta's own making.

use crate::domain::{
    Timestamp,
    event::{
        dedup::{DedupScope, fingerprint},
        new_event::NewEvent,
        source::Source,
        subject::{Priority, Subject},
    },
    id::{EventId, TaskId},
};

/// An event, and the task that it opens if its subject has none open.
#[derive(Clone, Debug)]
pub struct IncomingEvent {
    /// The event.
    pub event: NewEvent,
    /// The id of the task, should one be opened.
    pub task_id: TaskId,
    /// The priority that the task gets at least.
    pub priority: Priority,
}

/// An event that no vendor sent: an operator's request, or what a poll, a sync or a follow-up found.
#[derive(Clone, Debug)]
pub struct InternalEvent<'a> {
    /// The subject's connection.
    pub connection: &'a str,
    /// What may be out of sync.
    pub subject: Subject,
    /// An operator or a poll.
    pub source: Source,
    /// As `order.transfer`.
    pub topic: &'a str,
    /// What identifies it: an event with the same source, topic and body is a duplicate.
    pub body: serde_json::Value,
    /// Who is served first.
    pub priority: Priority,
    /// When it was made.
    pub at: Timestamp,
}

impl InternalEvent<'_> {
    /// Turns it into an incoming event with these ids.
    pub fn into_incoming(self, id: EventId, task_id: TaskId) -> IncomingEvent {
        let Self { connection, subject, source, topic, body, priority, at } = self;
        let body = body.to_string().into_bytes();
        let event = NewEvent {
            id,
            connection: connection.to_owned(),
            source,
            topic: topic.to_owned(),
            subject: Some(subject),
            received_at: at,
            fingerprint: fingerprint(source, topic, &body, DedupScope::Permanent, at),
            body,
        };
        IncomingEvent { event, task_id, priority }
    }
}
