//! Reads table `event`; `ingest` writes it.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Listed, Page, Result, page::WINDOW};
use crate::domain::{Timestamp, event::source::Source, id::EventId};

/// An event as pages and the API show it, without its body.
#[derive(Clone, Debug, serde::Serialize)]
pub struct EventRow {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Its connection.
    pub connection: String,
    /// mycashflow, ogoship, poll or operator.
    pub source: String,
    /// The sender's name for it.
    pub topic: String,
    /// What may be out of sync.
    pub subject: Option<String>,
    /// When it had arrived completely.
    pub received_at: Timestamp,
    /// The task that it opened or whose revision it raised.
    pub task_id: Option<Uuid>,
    /// The size of its body.
    pub body_bytes: i32,
}

/// Which events to list; `None` means any.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventFilter {
    /// By connection.
    pub connection: Option<String>,
    /// By source.
    pub source: Option<String>,
    /// By topic.
    pub topic: Option<String>,
    /// By subject.
    pub subject: Option<String>,
    /// Received at or after.
    pub since: Option<Timestamp>,
    /// Received before.
    pub until: Option<Timestamp>,
}

/// Lists events, newest first.
pub async fn list(db: &mut PgConnection, filter: &EventFilter, page: &Page) -> Result<Vec<EventRow>> {
    match &filter.subject {
        Some(subject) => list_of_subject(db, filter, subject, page).await,
        None => list_all(db, filter, page, i64::MAX).await,
    }
}

/// Lists a page for a person. `page` asks for one row more than is shown. Where no index knows the filter, it looks at a
/// window of events.
pub async fn list_page(db: &mut PgConnection, filter: &EventFilter, page: &Page) -> Result<Listed<EventRow>> {
    let EventFilter { connection, source, topic, subject, .. } = filter;
    let has_index = subject.is_some() || source.as_deref() == Some(Source::Operator.as_str());
    if has_index || connection.is_none() && source.is_none() && topic.is_none() {
        return Ok(page.listed(list(db, filter, page).await?, |row| row.id));
    }
    let listed = page.listed(list_all(db, filter, page, WINDOW).await?, |row| row.id);
    if listed.next.is_some() {
        return Ok(listed);
    }
    let (from, to) = page.ids(filter.since, filter.until);
    let end = sqlx::query_scalar!(
        "select id from event where id >= $1 and id < $2 order by id desc offset $3 limit 1",
        from,
        to,
        WINDOW - 1,
    );
    Ok(Listed { next: end.fetch_optional(db).await?, ..listed })
}

async fn list_all(
    db: &mut PgConnection,
    filter: &EventFilter,
    page: &Page,
    window: i64,
) -> Result<Vec<EventRow>> {
    if filter.source.as_deref() == Some(Source::Operator.as_str()) {
        return list_by_operators(db, filter, page).await;
    }
    let (from, to) = page.ids(filter.since, filter.until);
    let rows = sqlx::query_as!(
        EventRow,
        r#"
        select id, connection, source, topic, subject, received_at, task_id,
               octet_length(body) as "body_bytes!"
        from (select * from event where id >= $6 and id < $7 order by id desc limit $9) as event
        where ($1::text is null or connection = $1)
          and ($2::text is null or source = $2)
          and ($3::text is null or topic = $3)
          and ($4::timestamptz is null or received_at >= $4)
          and ($5::timestamptz is null or received_at < $5)
        order by id desc
        limit $8
        "#,
        filter.connection,
        filter.source,
        filter.topic,
        filter.since,
        filter.until,
        from,
        to,
        page.limit,
        window,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Few among millions of webhooks, with an index of their own.
async fn list_by_operators(
    db: &mut PgConnection,
    filter: &EventFilter,
    page: &Page,
) -> Result<Vec<EventRow>> {
    let (from, to) = page.ids(filter.since, filter.until);
    let rows = sqlx::query_as!(
        EventRow,
        r#"
        select id, connection, source, topic, subject, received_at, task_id,
               octet_length(body) as "body_bytes!"
        from event
        where source = 'operator'
          and ($1::text is null or connection = $1)
          and ($2::text is null or topic = $2)
          and ($3::timestamptz is null or received_at >= $3)
          and ($4::timestamptz is null or received_at < $4)
          and id >= $5 and id < $6
        order by id desc
        limit $7
        "#,
        filter.connection,
        filter.topic,
        filter.since,
        filter.until,
        from,
        to,
        page.limit,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Events have no index by subject; tasks have.
async fn list_of_subject(
    db: &mut PgConnection,
    filter: &EventFilter,
    subject: &str,
    page: &Page,
) -> Result<Vec<EventRow>> {
    let rows = sqlx::query_as!(
        EventRow,
        r#"
        with own as materialized (
            select id from connection cross join lateral (
                select id from task
                where task.connection = connection.name and task.subject = $4 and settled_at is not null
                union all
                select id from task
                where task.connection = connection.name and task.subject = $4
                  and state in ('pending', 'leased', 'in_doubt')
            ) tasks
            where $1::text is null or connection.name = $1
        )
        select event.id as "id!", event.connection as "connection!", source as "source!", topic as "topic!", subject,
               received_at as "received_at!", task_id, body_bytes as "body_bytes!"
        from own cross join lateral (
            select id, connection, source, topic, subject, received_at, task_id, octet_length(body) as body_bytes
            from event where task_id = own.id
            offset 0
        ) event
        where ($2::text is null or source = $2)
          and ($3::text is null or topic = $3)
          and ($5::timestamptz is null or received_at >= $5)
          and ($6::timestamptz is null or received_at < $6)
          and ($7::uuid is null or event.id < $7)
        order by event.id desc
        limit $8
        "#,
        filter.connection,
        filter.source,
        filter.topic,
        subject,
        filter.since,
        filter.until,
        page.before,
        page.limit,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Finds one event.
pub async fn find(db: &mut PgConnection, id: EventId) -> Result<Option<EventRow>> {
    let row = sqlx::query_as!(
        EventRow,
        r#"
        select id, connection, source, topic, subject, received_at, task_id,
               octet_length(body) as "body_bytes!"
        from event where id = $1
        "#,
        id.0,
    );
    Ok(row.fetch_optional(db).await?)
}

/// Finds the raw bytes of an event; empty if they were redacted, `None` if there is no such event.
pub async fn find_body(db: &mut PgConnection, id: EventId) -> Result<Option<Vec<u8>>> {
    let body = sqlx::query_scalar!("select body from event where id = $1", id.0);
    Ok(body.fetch_optional(db).await?)
}
