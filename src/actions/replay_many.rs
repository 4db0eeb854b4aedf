//! Replays many tasks at once, and cancels such a replay.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ActionError, Actor, ConflictError, replay::replay_subject};
use crate::{
    domain::{id::TaskId, task::state::TaskState},
    store::{
        replays::{self, NewReplay},
        tasks,
        views::overview::{self, TaskFilter, TaskRow},
    },
};

/// The most tasks that one replay selects.
pub const MAX_REPLAYED: i64 = 1000;

/// The tasks of a replay.
#[derive(Clone, Debug)]
pub enum ReplaySelection {
    /// Closed tasks that match a filter, the oldest first, up to a limit; of each subject the newest task only.
    Matching(TaskFilter, i64),
    /// These tasks. Open ones are skipped: they are retried anyway.
    Ids(Vec<Uuid>),
}

/// A replay that was started.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The id under which its progress is shown and it is cancelled.
    pub id: Uuid,
    /// The tasks that it has enqueued.
    pub tasks: Vec<Uuid>,
}

/// The closed tasks of a selection, the oldest first.
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

/// Replays the subjects of a selection, each subject once.
pub async fn replay_many(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    selection: &ReplaySelection,
) -> Result<Replay, ActionError> {
    let rows = select_tasks(db, selection).await?;
    let filter = match selection {
        ReplaySelection::Matching(filter, _) => json!(filter),
        ReplaySelection::Ids(ids) => json!({ "ids": ids }),
    };
    let mut tasks = Vec::with_capacity(rows.len());
    let mut opened = Vec::new();
    for TaskRow { id, connection, subject, .. } in &rows {
        let replayed = replay_subject(db, actor, connection, subject, Some(TaskId(*id)), *id).await?;
        let task = replayed.task.0;
        if !tasks.contains(&task) {
            tasks.push(task);
            opened.extend(replayed.opened.then_some(task));
        }
    }
    let at = actor.now();
    let id = actor.entropy.id(at);
    let detail = json!({ "filter": filter, "count": tasks.len() });
    let connection = filter["connection"].as_str().map(ToOwned::to_owned);
    let new = NewReplay { id, actor: actor.name, filter, tasks: &tasks, opened: &opened, at };
    replays::insert(db, &new).await?;
    actor.audit(db, "replays.create", connection.as_deref(), Some(id.to_string()), detail).await?;
    Ok(Replay { id, tasks })
}

/// Cancels the tasks that a replay has opened and that have not begun. A task that runs or is in doubt goes on. Returns
/// how many were cancelled.
pub async fn cancel_replay(db: &mut PgConnection, actor: &Actor<'_>, id: Uuid) -> Result<usize, ActionError> {
    replays::find(db, id).await?.ok_or(ActionError::NotFound)?;
    let opened = replays::cancel(db, id, actor.name, actor.now()).await?;
    let opened = opened.ok_or(ConflictError::ReplayAlreadyCancelled)?;
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
