//! The one statement by which news enters: rows of table `event` and the tasks they open in table `task`, together.

use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet},
};

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::{
    Timestamp,
    event::{
        dedup::{DedupScope, fingerprint},
        source::{NewEvent, Source},
        subject::{Priority, Subject},
    },
    id::{EventId, TaskId},
};

/// An event with the task that it opens if its subject has none open.
#[derive(Clone, Debug)]
pub struct IncomingEvent {
    /// The event.
    pub event: NewEvent,
    /// The id of the task, should one be opened.
    pub task_id: TaskId,
    /// The priority of its news.
    pub priority: Priority,
}

/// Revision of our own making about one subject: asked by a person, or found by us.
#[derive(Clone, Debug)]
pub struct InternalEvent<'a> {
    /// Whose subject.
    pub connection: &'a str,
    /// What may be out of sync.
    pub subject: Subject,
    /// A person, or a poll.
    pub source: Source,
    /// As `order.transfer`.
    pub topic: &'a str,
    /// What makes it the same news when incoming_row again.
    pub body: serde_json::Value,
    /// Who is served first.
    pub priority: Priority,
    /// When.
    pub at: Timestamp,
}

impl InternalEvent<'_> {
    /// Ready to be received, under these ids.
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

/// What became of an arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingested {
    /// The stored event: this one, or the one it repeats.
    pub event_id: EventId,
    /// True where it repeats a stored event.
    pub duplicate: bool,
    /// The open task that it opened or whose news it became.
    pub task_id: Option<TaskId>,
    /// True where that task was opened by it.
    pub opened: bool,
}

/// Stores events and opens or refreshes their tasks, all in one statement: so it is atomic also without a
/// transaction around it, and many arrivals share one commit. Answers in the order of the arrivals.
///
/// Two simultaneous tellings of one event race to `event_fingerprint_unique`; the loser has at most added news to an open
/// task, which costs one look.
pub async fn ingest<A: Borrow<IncomingEvent>>(
    db: &mut PgConnection,
    arrivals: &[A],
) -> Result<Vec<Ingested>> {
    // Tellings of one event in one batch: the first stands for all, with the news of every one that is news.
    let mut first = HashMap::with_capacity(arrivals.len());
    let mut representative = Vec::with_capacity(arrivals.len());
    let mut columns = Columns::default();
    for IncomingEvent { event, task_id, priority } in arrivals.iter().map(Borrow::borrow) {
        let incoming_row = (&event.connection, event.source, event.fingerprint.digest);
        let place = *first.entry(incoming_row).or_insert(columns.event_id.len());
        representative.push(place);
        if place == columns.event_id.len() {
            columns.push(event, *task_id, *priority);
        } else if event.fingerprint.dedup_scope != DedupScope::Permanent {
            columns.revisions[place] += 1;
        }
    }
    let answered = store(db, &columns).await?;

    let mut known = HashMap::new();
    let mut stored = HashSet::with_capacity(columns.event_id.len());
    let mut opened_tasks = HashMap::with_capacity(columns.event_id.len());
    for row in &answered {
        match (row.known, row.connection.as_deref(), row.subject.as_deref()) {
            (Some(event), ..) => drop(known.insert(row.id, event)),
            (None, Some(connection), Some(subject)) => {
                opened_tasks.insert((connection, subject), (TaskId(row.id), row.opened));
            }
            _ => drop(stored.insert(row.id)),
        }
    }
    let mut received = Vec::with_capacity(arrivals.len());
    for (arrival, place) in arrivals.iter().map(Borrow::borrow).zip(representative) {
        let of = columns.event_id[place];
        let event_id = match known.get(&of) {
            Some(event) => *event,
            None if stored.contains(&of) => of,
            None => find_duplicate(db, &arrival.event).await?.unwrap_or(of), // lost the race described above
        };
        let subject = columns.subject[place].as_deref();
        let opened =
            subject.and_then(|subject| opened_tasks.get(&(columns.connection[place], subject)).copied());
        received.push(Ingested {
            event_id: EventId(event_id),
            duplicate: !stored.contains(&arrival.event.id.0),
            task_id: opened.map(|(task, _)| task),
            opened: opened.is_some_and(|(_, anew)| anew),
        });
    }
    Ok(received)
}

/// What the statement answers, of three kinds: an event that was `known` already, by the id it came with; a task that
/// is opened_tasks, with its subject; an event that was stored.
struct IngestRow {
    id: Uuid,
    known: Option<Uuid>,
    connection: Option<String>,
    subject: Option<String>,
    opened: bool,
}

/// The statement. Its parts are joined by nobody: what they answer is put together above, in time that grows with the
/// arrivals and not with their square.
async fn store(db: &mut PgConnection, columns: &Columns<'_>) -> Result<Vec<IngestRow>> {
    let incoming_row = sqlx::query_as!(
        IngestRow,
        r#"
        with incoming as materialized (
            select incoming_row.*, (
                select event.id from event
                where event.connection = incoming_row.connection and event.source = incoming_row.source
                  and event.fingerprint = incoming_row.fingerprint
            ) as known
            from unnest(
                $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
                $8::bytea[], $10::bool[], $11::smallint[], $12::uuid[], $13::int[]
            ) with ordinality as incoming_row (
                event_id, connection, source, topic, kind, subject, received_at,
                fingerprint, same_forever, priority, task_id, revisions, place
            )
        ),
        opened_tasks as (
            insert into task (id, connection, kind, subject, state, priority, revision, due_at, created_at)
            -- A repeat that does not prove itself one is still revision: a look is cheap, a loss is not.
            select
                (array_agg(task_id))[1], connection, kind, subject, 'pending', min(priority), sum(revisions),
                min(received_at), min(received_at)
            from incoming
            where subject is not null and (not same_forever or known is null)
            group by connection, kind, subject
            -- One lock order for all writers: what is open by its id, as in a settle, and then what is not yet.
            order by (
                select open.id from task as open
                where open.connection = incoming.connection and open.subject = incoming.subject
                  and open.state in ('pending', 'leased', 'in_doubt')
            ), connection, subject
            on conflict (connection, subject) where state in ('pending', 'leased', 'in_doubt') do update set
                revision = task.revision + excluded.revision,
                priority = least(task.priority, excluded.priority),
                -- What waits for the world is looked at again at once; what backs off from a fault goes on backing off.
                due_at = case
                    when task.state = 'pending' and task.failures = 0
                        then least(task.due_at, excluded.due_at)
                    else task.due_at
                end
            returning id, connection, subject, xmax = 0 as opened
        ),
        stored as (
            insert into event
                (id, connection, source, topic, kind, subject, received_at, fingerprint, body, task_id)
            select
                event_id, connection, source, topic, kind, subject, received_at, fingerprint,
                ($9::bytea[])[place], -- a row of `incoming` that held it would be copied from step to step
                opened_tasks.id
            from incoming left join opened_tasks using (connection, subject)
            where incoming.known is null
            on conflict on constraint event_fingerprint_unique do nothing
            returning id
        ),
        woken as (select pg_notify('silta_due', '') from opened_tasks limit 1)
        select event_id as "id!", known, null as connection, null as subject, false as "opened!"
        from incoming where known is not null
        union all
        select id, null, connection, subject, opened from opened_tasks, (select count(*) from woken) as heard
        union all
        select id, null, null, null, false from stored
        "#,
        &columns.event_id,
        &columns.connection as &[&str],
        &columns.source as &[&str],
        &columns.topic as &[&str],
        &columns.kind as &[Option<&str>],
        &columns.subject as &[Option<String>],
        &columns.received_at,
        &columns.fingerprint as &[&[u8]],
        &columns.body as &[&[u8]],
        &columns.same_forever,
        &columns.priority,
        &columns.task_id,
        &columns.revisions,
    );
    Ok(incoming_row.fetch_all(db).await?)
}

async fn find_duplicate(db: &mut PgConnection, event: &NewEvent) -> Result<Option<Uuid>> {
    let found = sqlx::query_scalar!(
        "select id from event where connection = $1 and source = $2 and fingerprint = $3",
        event.connection,
        event.source.as_str(),
        &event.fingerprint.digest[..],
    );
    Ok(found.fetch_optional(db).await?)
}

/// The arrivals turned on their side, as `unnest` takes them.
#[derive(Default)]
struct Columns<'a> {
    event_id: Vec<Uuid>,
    connection: Vec<&'a str>,
    source: Vec<&'static str>,
    topic: Vec<&'a str>,
    kind: Vec<Option<&'static str>>,
    subject: Vec<Option<String>>,
    received_at: Vec<Timestamp>,
    fingerprint: Vec<&'a [u8]>,
    body: Vec<&'a [u8]>,
    same_forever: Vec<bool>,
    priority: Vec<i16>,
    task_id: Vec<Uuid>,
    revisions: Vec<i32>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, event: &'a NewEvent, task_id: TaskId, priority: Priority) {
        let NewEvent { id, connection, source, topic, subject, received_at, fingerprint, body } = event;
        self.event_id.push(id.0);
        self.connection.push(connection);
        self.source.push(source.as_str());
        self.topic.push(topic);
        self.kind.push(subject.as_ref().map(|subject| subject.kind.as_str()));
        self.subject.push(subject.as_ref().map(ToString::to_string));
        self.received_at.push(*received_at);
        self.fingerprint.push(&fingerprint.digest);
        self.body.push(body);
        self.same_forever.push(fingerprint.dedup_scope == DedupScope::Permanent);
        self.priority.push(priority.0);
        self.task_id.push(task_id.0);
        self.revisions.push(1);
    }
}
