//! Replay: reads the subject of a closed task, or of any event, again.
//!
//! A replay opens a new task and never changes the old one. Where a task of the subject is open, it raises that task's
//! revision. It cannot place an order twice: every task reads both sides before it acts. Replays have the lowest
//! priority, so that ten thousand of them never delay a live order.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    ActionError, Actor, ConflictError,
    enqueue::{EnqueuedTask, enqueue},
};
use crate::{
    domain::{
        event::{
            source::Source,
            subject::{Priority, SubjectKind},
        },
        id::{EventId, TaskId},
    },
    store::{StoreError, events, ingest::InternalEvent, subject_states, tasks, views::overview},
};

/// Replays the subject of an event.
pub async fn replay_event(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    id: EventId,
) -> Result<EnqueuedTask, ActionError> {
    let event = events::find(db, id).await?.ok_or(ActionError::NotFound)?;
    let Some(subject) = event.subject else {
        return Err(ConflictError::NoSubject.into());
    };
    let replay_of = event.task_id.map(TaskId);
    let replayed = replay_subject(db, actor, &event.connection, &subject, replay_of, id.0).await?;
    let detail = json!({ "task": replayed.task, "opened": replayed.opened });
    actor.audit(db, "event.replay", Some(&event.connection), Some(id.to_string()), detail).await?;
    Ok(replayed)
}

/// Replays the subject of a closed task.
pub async fn replay_task(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    id: TaskId,
) -> Result<EnqueuedTask, ActionError> {
    let row = overview::find_task(db, id).await?.ok_or(ActionError::NotFound)?;
    if row.settled_at.is_none() {
        return Err(ConflictError::TaskStillOpen.into());
    }
    let replayed = replay_subject(db, actor, &row.connection, &row.subject, Some(id), id.0).await?;
    let detail = json!({ "task": replayed.task, "opened": replayed.opened });
    actor.audit(db, "task.replay", Some(&row.connection), Some(id.to_string()), detail).await?;
    Ok(replayed)
}

/// Enqueues the task of a subject. `cause` is the task or event that is replayed.
pub(super) async fn replay_subject(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    subject: &str,
    replay_of: Option<TaskId>,
    cause: Uuid,
) -> Result<EnqueuedTask, StoreError> {
    let subject = tasks::parse_subject(subject)?;
    if subject.kind == SubjectKind::Product {
        // Without the stored hash the flow reads the warehouse's product again.
        subject_states::clear_sent_hash(db, connection, &[subject.to_string()]).await?;
    }
    let at = actor.now();
    let id = EventId(actor.entropy.id(at));
    let event = InternalEvent {
        connection,
        subject,
        source: Source::Operator,
        topic: "replay",
        // The body holds the event's own id, so that two replays are two events.
        body: json!({ "replays": cause, "event": id }),
        priority: Priority::BACKGROUND,
        at,
    };
    let replayed = enqueue(db, actor, id, event).await?;
    if let Some(replay_of) = replay_of.filter(|old| replayed.opened && *old != replayed.task) {
        tasks::mark_replay(db, replayed.task, replay_of).await?;
    }
    Ok(replayed)
}
