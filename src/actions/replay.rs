//! Replay: a person orders a fresh look at the subject of a closed task, or of any event.
//!
//! A replay opens a new task and never touches the old one. If one is open for the subject already, the replay
//! becomes its news. It can never double an order: like every task it reads both sides before it does anything.
//! Replays have the last priority, so that ten thousand of them never stand in front of a live order.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ActionError, Actor, ConflictError, enqueue};
use crate::{
    domain::{
        event::{
            source::Source,
            subject::{Priority, SubjectKind},
        },
        id::{EventId, TaskId},
        task::state::TaskState,
    },
    store::{
        StoreError, events,
        ingest::InternalEvent,
        replays::{self, NewReplay},
        subject_states, tasks,
        views::overview::{self, TaskFilter, TaskRow},
    },
};

/// What a replay came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnqueuedTask {
    /// The task that will look again.
    pub task: TaskId,
    /// True where it is a new one; false where it was open already and got this as news.
    pub opened: bool,
}

/// Looks again at the subject of an event.
pub async fn replay_event(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    id: EventId,
) -> Result<EnqueuedTask, ActionError> {
    let event = events::find(db, id).await?.ok_or(ActionError::NotFound)?;
    let Some(subject) = event.subject else {
        return Err(ActionError::Conflict(ConflictError::NoSubject));
    };
    let replay_of = event.task_id.map(TaskId);
    let replayed = open_task(db, actor, &event.connection, &subject, replay_of, id.0).await?;
    let detail = json!({ "task": replayed.task, "opened": replayed.opened });
    actor.audit(db, "event.replay", Some(&event.connection), Some(id.to_string()), detail).await?;
    Ok(replayed)
}

/// Looks again at the subject of a closed task.
pub async fn replay_task(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    id: TaskId,
) -> Result<EnqueuedTask, ActionError> {
    let row = overview::find_task(db, id).await?.ok_or(ActionError::NotFound)?;
    if row.settled_at.is_none() {
        return Err(ActionError::Conflict(ConflictError::TaskStillOpen));
    }
    let replayed = open_task(db, actor, &row.connection, &row.subject, Some(id), id.0).await?;
    let detail = json!({ "task": replayed.task, "opened": replayed.opened });
    actor.audit(db, "task.replay", Some(&row.connection), Some(id.to_string()), detail).await?;
    Ok(replayed)
}

/// The most tasks that are replayed together.
pub const MAX_REPLAYED: i64 = 1000;

/// What is to be replayed together.
#[derive(Clone, Debug)]
pub enum ReplaySelection {
    /// Closed tasks matching a filter, oldest first, at most so many; of each subject its newest alone.
    Matching(TaskFilter, i64),
    /// These; those that are open go on by themselves and are passed over.
    Ids(Vec<Uuid>),
}

/// The closed tasks that are meant, oldest first.
pub async fn select_tasks(
    db: &mut PgConnection,
    selection: &ReplaySelection,
) -> Result<Vec<TaskRow>, ActionError> {
    match selection {
        ReplaySelection::Matching(filter, limit) => {
            Ok(overview::list_closed_oldest_first(db, filter, *limit).await?)
        }
        ReplaySelection::Ids(ids) => {
            let ids: BTreeSet<_> = ids.iter().copied().collect(); // ids sort by time
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                let row = overview::find_task(db, TaskId(id)).await?.ok_or(ActionError::NotFound)?;
                rows.extend(Some(row).filter(|row| row.settled_at.is_some()));
            }
            Ok(rows)
        }
    }
}

/// Looks again at the subjects of what is [chosen](select_tasks), each subject once. Answers the replay's own id, by which it is
/// watched and called off, and the tasks that look again.
pub async fn replay_many(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    selection: &ReplaySelection,
) -> Result<(Uuid, Vec<Uuid>), ActionError> {
    let rows = select_tasks(db, selection).await?;
    let filter = match selection {
        ReplaySelection::Matching(filter, _) => json!(filter),
        ReplaySelection::Ids(ids) => json!({ "ids": ids }),
    };
    let mut ids = Vec::with_capacity(rows.len());
    let mut opened = Vec::new();
    for TaskRow { id, connection, subject, .. } in &rows {
        let replayed = open_task(db, actor, connection, subject, Some(TaskId(*id)), *id).await?;
        if !ids.contains(&replayed.task.0) {
            ids.push(replayed.task.0);
            opened.extend(Some(replayed.task.0).filter(|_| replayed.opened));
        }
    }
    let at = actor.now();
    let id = actor.entropy.id(at);
    let detail = json!({ "filter": filter, "count": ids.len() });
    let connection = filter["connection"].as_str().map(ToOwned::to_owned);
    let new = NewReplay { id, actor: actor.name, filter, tasks: &ids, opened: &opened, at };
    replays::insert(db, &new).await?;
    actor.audit(db, "replays.create", connection.as_deref(), Some(id.to_string()), detail).await?;
    Ok((id, ids))
}

/// Calls off whatever a replay has opened and nobody has begun. What is running, or in doubt, comes to its end.
/// Answers how many were called off.
pub async fn cancel_replay(db: &mut PgConnection, actor: &Actor<'_>, id: Uuid) -> Result<usize, ActionError> {
    replays::find(db, id).await?.ok_or(ActionError::NotFound)?;
    let opened = replays::cancel(db, id, actor.name, actor.now()).await?;
    let opened = opened.ok_or(ActionError::Conflict(ConflictError::ReplayAlreadyCancelled))?;
    let mut count = 0;
    for task in opened {
        let row = overview::find_task(db, TaskId(task)).await?;
        let is_waiting = row.is_some_and(|row| row.state == TaskState::Pending.as_str() && row.failures == 0);
        if is_waiting && tasks::cancel(db, TaskId(task), actor.now()).await? {
            count += 1;
        }
    }
    actor.audit(db, "replays.cancel", None, Some(id.to_string()), json!({ "count": count })).await?;
    Ok(count)
}

async fn open_task(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    subject: &str,
    replay_of: Option<TaskId>,
    cause: Uuid,
) -> Result<EnqueuedTask, StoreError> {
    let subject = tasks::parse_subject(subject)?;
    if subject.kind == SubjectKind::Product {
        // Whoever orders a fresh look wants the warehouse looked at, not what we believe of it.
        subject_states::clear_sent_hash(db, connection, &[subject.to_string()]).await?;
    }
    let at = actor.now();
    let id = EventId(actor.entropy.id(at));
    let event = InternalEvent {
        connection,
        subject,
        source: Source::Operator,
        topic: "replay",
        // The event's own id is in the body: two replays of one thing are two events.
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
