//! Enqueues the task of a subject for an operator.

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::Actor;
use crate::{
    domain::{
        event::{
            source::Source,
            subject::{Priority, Subject, SubjectKind},
        },
        id::{EventId, TaskId},
    },
    store::{
        StoreError,
        ingest::{self, InternalEvent},
        subject_states,
    },
};

/// The task that an action has enqueued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnqueuedTask {
    /// The subject's open task.
    pub task: TaskId,
    /// False where it was open already, and its revision was raised.
    pub opened: bool,
}

/// What an operator's event says.
pub(super) struct OperatorEvent<'a> {
    /// What was asked for, as `order.hold`.
    pub(super) topic: &'a str,
    /// What the event's body holds besides the event's own id.
    pub(super) body: Value,
    /// Who is served first.
    pub(super) priority: Priority,
}

impl<'a> OperatorEvent<'a> {
    /// An event that is served like a live one of its kind.
    pub(super) fn live(topic: &'a str, kind: SubjectKind) -> Self {
        Self { topic, body: json!({}), priority: Priority::live(kind) }
    }
}

/// Stores an operator's event: it opens the subject's task, or raises the revision of the open one.
pub(super) async fn enqueue(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    (connection, subject): (&str, &Subject),
    OperatorEvent { topic, mut body, priority }: OperatorEvent<'_>,
) -> Result<EnqueuedTask, StoreError> {
    if subject.kind == SubjectKind::Product {
        // Without the stored hash the flow reads the warehouse's product again.
        subject_states::clear_sent_hash(db, connection, &[subject.to_string()]).await?;
    }
    let at = actor.now();
    let id = EventId(actor.entropy.id(at));
    // The body holds the event's own id, so that asking twice makes two events.
    body["event"] = json!(id);
    let (source, subject) = (Source::Operator, subject.clone());
    let event = InternalEvent { connection, subject, source, topic, body, priority, at };
    let event = event.into_incoming(id, TaskId(actor.entropy.id(at)));
    let ingested = ingest::ingest(db, &[event]).await?;
    let ingested = ingested.first().expect("one answer for one event");
    let task = ingested.task_id.expect("an event with a subject has a task");
    Ok(EnqueuedTask { task, opened: ingested.opened })
}
