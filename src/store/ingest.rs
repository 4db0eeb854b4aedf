//! Stores events and enqueues their tasks: the only way by which a task is opened.

use std::{borrow::Borrow, collections::HashMap};

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Result,
    ingest_statement::{self, Columns},
};
use crate::domain::{
    event::{dedup::DedupScope, new_event::NewEvent},
    id::{EventId, TaskId},
};

pub use super::incoming_event::{IncomingEvent, InternalEvent};

/// What became of an incoming event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingested {
    /// The stored event: this one, or the one it repeats.
    pub event_id: EventId,
    /// True if it repeats a stored event.
    pub duplicate: bool,
    /// The open task of its subject, whose revision it raised; `None` if it has no subject or changed
    /// nothing.
    pub task_id: Option<TaskId>,
    /// True if that task was opened by it.
    pub opened: bool,
}

/// Stores events and opens their tasks or raises their revision, in one statement. So it is atomic without a
/// transaction around it, and many events share one commit. Returns one answer per event, in their order.
///
/// Two simultaneous copies of one event race to `event_fingerprint_unique`. The loser has at most raised the
/// revision of an open task, which costs one more read of both sides.
pub async fn ingest<E: Borrow<IncomingEvent>>(db: &mut PgConnection, events: &[E]) -> Result<Vec<Ingested>> {
    let batch = Batch::of(events);
    let answers = ingest_statement::execute(db, &batch.columns).await?;
    let mut ingested = Vec::with_capacity(events.len());
    for (incoming, row) in events.iter().map(Borrow::borrow).zip(&batch.rows) {
        let id = batch.columns.event_id[*row];
        let event_id = match answers.repeats.get(&id) {
            Some(first) => *first,
            None if answers.stored.contains(&id) => id,
            None => find_same(db, &incoming.event).await?.unwrap_or(id), // lost the race described above
        };
        let subject = batch.columns.subject[*row].as_deref();
        let task = subject.and_then(|subject| answers.tasks.get(batch.columns.connection[*row], subject));
        ingested.push(Ingested {
            event_id: EventId(event_id),
            duplicate: !answers.stored.contains(&incoming.event.id.0),
            task_id: task.map(|task| TaskId(task.id)),
            opened: task.is_some_and(|task| task.is_new),
        });
    }
    Ok(ingested)
}

/// Incoming events as rows for the statement. Copies of one event share a row: the first stands for all of
/// them, with a revision for each copy that counts as one.
struct Batch<'a> {
    columns: Columns<'a>,
    /// Of each event the index of its row.
    rows: Vec<usize>,
}

impl<'a> Batch<'a> {
    fn of<E: Borrow<IncomingEvent>>(events: &'a [E]) -> Self {
        let mut batch = Self { columns: Columns::default(), rows: Vec::with_capacity(events.len()) };
        let mut first = HashMap::with_capacity(events.len());
        for IncomingEvent { event, task_id, priority } in events.iter().map(Borrow::borrow) {
            let identity = (&event.connection, event.source, event.fingerprint.digest);
            let next = batch.columns.event_id.len();
            let row = *first.entry(identity).or_insert(next);
            batch.rows.push(row);
            if row == next {
                batch.columns.push(event, *task_id, *priority);
            } else if event.fingerprint.dedup_scope != DedupScope::Permanent {
                batch.columns.revisions[row] += 1;
            }
        }
        batch
    }
}

async fn find_same(db: &mut PgConnection, event: &NewEvent) -> Result<Option<Uuid>> {
    let found = sqlx::query_scalar!(
        "select id from event where connection = $1 and source = $2 and fingerprint = $3",
        event.connection,
        event.source.as_str(),
        &event.fingerprint.digest[..],
    );
    Ok(found.fetch_optional(db).await?)
}
