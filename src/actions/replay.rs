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
    enqueue::{EnqueuedTask, OperatorEvent, enqueue},
};
use crate::{
    domain::{
        event::subject::Priority,
        id::{EventId, TaskId},
    },
    store::{StoreError, events, tasks, views::overview},
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
    let body = json!({ "replays": cause });
    let event = OperatorEvent { topic: "replay", body, priority: Priority::BACKGROUND };
    let replayed = enqueue(db, actor, (connection, &subject), event).await?;
    if let Some(replay_of) = replay_of.filter(|old| replayed.opened && *old != replayed.task) {
        tasks::mark_replay(db, replayed.task, replay_of).await?;
    }
    Ok(replayed)
}
