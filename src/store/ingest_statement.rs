//! The statement behind [`ingest`](super::ingest::ingest).
//!
//! Its answer has rows of three kinds ([`Answers`]) instead of one row per event: joining them in SQL would
//! take time that grows with the square of the batch, since the planner knows nothing of the CTEs' sizes.
//! Hash maps take linear time.

use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, StoreError};
use crate::domain::{
    Timestamp,
    event::{dedup::DedupScope, new_event::NewEvent, subject::Priority},
    id::TaskId,
};

/// What the statement found and wrote.
#[derive(Default)]
pub(super) struct Answers {
    /// Events that repeat a stored one: their id, and the id of the stored event.
    pub(super) repeats: HashMap<Uuid, Uuid>,
    /// Events that were stored.
    pub(super) stored: HashSet<Uuid>,
    /// Tasks that were opened, or whose revision was raised.
    pub(super) tasks: OpenTasks,
}

/// Open tasks by connection and subject.
#[derive(Default)]
pub(super) struct OpenTasks(HashMap<String, HashMap<String, OpenTask>>);

impl OpenTasks {
    pub(super) fn get(&self, connection: &str, subject: &str) -> Option<OpenTask> {
        self.0.get(connection)?.get(subject).copied()
    }

    fn insert(&mut self, connection: String, subject: String, task: OpenTask) {
        self.0.entry(connection).or_default().insert(subject, task);
    }
}

/// The open task of a subject.
#[derive(Clone, Copy)]
pub(super) struct OpenTask {
    pub(super) id: Uuid,
    /// True if this statement opened it.
    pub(super) is_new: bool,
}

/// Runs the statement.
pub(super) async fn execute(db: &mut PgConnection, columns: &Columns<'_>) -> Result<Answers> {
    let mut answers = Answers::default();
    for row in fetch(db, columns).await? {
        match row.try_into()? {
            Answer::Repeat { id, stored_id } => drop(answers.repeats.insert(id, stored_id)),
            Answer::Stored { id } => drop(answers.stored.insert(id)),
            Answer::Task { connection, subject, task } => answers.tasks.insert(connection, subject, task),
        }
    }
    Ok(answers)
}

/// One row of the answer.
enum Answer {
    Repeat { id: Uuid, stored_id: Uuid },
    Stored { id: Uuid },
    Task { connection: String, subject: String, task: OpenTask },
}

/// One row as the statement returns it. `answer` says which kind it is, and so which columns are filled.
struct AnswerRow {
    answer: String,
    id: Uuid,
    stored_id: Option<Uuid>,
    connection: Option<String>,
    subject: Option<String>,
    is_new: Option<bool>,
}

impl TryFrom<AnswerRow> for Answer {
    type Error = StoreError;

    fn try_from(row: AnswerRow) -> Result<Self> {
        let AnswerRow { answer, id, stored_id, connection, subject, is_new } = row;
        match (answer.as_str(), stored_id, connection, subject, is_new) {
            ("repeat", Some(stored_id), ..) => Ok(Self::Repeat { id, stored_id }),
            ("stored", ..) => Ok(Self::Stored { id }),
            ("task", _, Some(connection), Some(subject), Some(is_new)) => {
                Ok(Self::Task { connection, subject, task: OpenTask { id, is_new } })
            }
            _ => Err(StoreError::Inconsistent { table: "event", column: "answer" }),
        }
    }
}

#[expect(clippy::too_many_lines, reason = "one SQL statement")]
async fn fetch(db: &mut PgConnection, columns: &Columns<'_>) -> Result<Vec<AnswerRow>> {
    let rows = sqlx::query_as!(
        AnswerRow,
        r#"
        with incoming as materialized (
            select new.*, (
                select event.id from event
                where event.connection = new.connection and event.source = new.source
                  and event.fingerprint = new.fingerprint
            ) as stored_id
            from unnest(
                $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
                $8::bytea[], $10::bool[], $11::smallint[], $12::uuid[], $13::int[]
            ) with ordinality as new (
                event_id, connection, source, topic, kind, subject, received_at,
                fingerprint, is_never_repeated, priority, task_id, revisions, position
            )
        ),
        open_task as (
            insert into task (id, connection, kind, subject, state, priority, revision, due_at, created_at)
            -- A repeat that may be a new occurrence counts: reading once more is cheap, a loss is not.
            select
                (array_agg(task_id))[1], connection, kind, subject, 'pending', min(priority), sum(revisions),
                min(received_at), min(received_at)
            from incoming
            where subject is not null and (not is_never_repeated or stored_id is null)
            group by connection, kind, subject
            -- One lock order for all writers: open tasks by id, as in `settle`, then the new ones.
            order by (
                select open.id from task as open
                where open.connection = incoming.connection and open.subject = incoming.subject
                  and open.state in ('pending', 'leased', 'in_doubt')
            ), connection, subject
            on conflict (connection, subject) where state in ('pending', 'leased', 'in_doubt') do update set
                revision = task.revision + excluded.revision,
                priority = least(task.priority, excluded.priority),
                -- A task that waits for a change is due at once; one that failed keeps backing off.
                due_at = case
                    when task.state = 'pending' and task.failures = 0 then least(task.due_at, excluded.due_at)
                    else task.due_at
                end
            returning id, connection, kind, subject, xmax = 0 as is_new
        ),
        counted as (
            insert into open_task_change (connection, kind, change)
            select connection, kind, count(*) from open_task where is_new group by connection, kind
        ),
        stored_event as (
            insert into event
                (id, connection, source, topic, kind, subject, received_at, fingerprint, body, task_id)
            select
                event_id, connection, source, topic, incoming.kind, subject, received_at, fingerprint,
                ($9::bytea[])[position], -- a column of `incoming` would be copied from step to step
                open_task.id
            from incoming left join open_task using (connection, subject)
            where incoming.stored_id is null
            on conflict on constraint event_fingerprint_unique do nothing
            returning id
        ),
        notified as (
            select pg_notify('silta_due', connection) from (select distinct connection from open_task) as opened
        )
        select 'repeat' as "answer!", event_id as "id!", stored_id, null as connection, null as subject,
               null::boolean as is_new
        from incoming where stored_id is not null
        union all
        select 'stored', id, null, null, null, null from stored_event
        union all
        -- Only a CTE that is read runs to its end, the notification too.
        select 'task', id, null, connection, subject, is_new from open_task, (select count(*) from notified) as read
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
        &columns.is_never_repeated,
        &columns.priority,
        &columns.task_id,
        &columns.revisions,
    );
    Ok(rows.fetch_all(db).await?)
}

/// The events as columns, as `unnest` takes them.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) event_id: Vec<Uuid>,
    pub(super) connection: Vec<&'a str>,
    source: Vec<&'static str>,
    topic: Vec<&'a str>,
    kind: Vec<Option<&'static str>>,
    pub(super) subject: Vec<Option<String>>,
    received_at: Vec<Timestamp>,
    fingerprint: Vec<&'a [u8]>,
    body: Vec<&'a [u8]>,
    is_never_repeated: Vec<bool>,
    priority: Vec<i16>,
    task_id: Vec<Uuid>,
    pub(super) revisions: Vec<i32>,
}

impl<'a> Columns<'a> {
    pub(super) fn push(&mut self, event: &'a NewEvent, task_id: TaskId, priority: Priority) {
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
        self.is_never_repeated.push(fingerprint.dedup_scope == DedupScope::Permanent);
        self.priority.push(priority.0);
        self.task_id.push(task_id.0);
        self.revisions.push(1);
    }
}
