//! Enqueues the task of a subject for an operator.

use sqlx::PgConnection;

use super::Actor;
use crate::{
    domain::id::{EventId, TaskId},
    store::{
        StoreError,
        ingest::{self, InternalEvent},
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

/// Stores an operator's event: it opens the subject's task, or raises the revision of the open one.
pub(super) async fn enqueue(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    id: EventId,
    event: InternalEvent<'_>,
) -> Result<EnqueuedTask, StoreError> {
    let event = event.into_incoming(id, TaskId(actor.entropy.id(actor.now())));
    let ingested = ingest::ingest(db, &[event]).await?;
    let ingested = ingested.first().expect("one answer for one event");
    let task = ingested.task_id.expect("an event with a subject has a task");
    Ok(EnqueuedTask { task, opened: ingested.opened })
}
