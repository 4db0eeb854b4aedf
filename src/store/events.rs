//! Reads table `event`; `ingest` writes it.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Page, Result};
use crate::domain::{Timestamp, id::EventId};

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
    let rows = sqlx::query_as!(
        EventRow,
        r#"
        select id, connection, source, topic, subject, received_at, task_id,
               octet_length(body) as "body_bytes!"
        from event
        where ($1::text is null or connection = $1)
          and ($2::text is null or source = $2)
          and ($3::text is null or topic = $3)
          -- Events have no index by subject; tasks have.
          and ($4::text is null or task_id = any (array(
              select task.id from task
              where ($1::text is null or task.connection = $1) and task.subject = $4
                and (settled_at is not null or state in ('pending', 'leased', 'in_doubt'))
          )))
          and ($5::timestamptz is null or received_at >= $5)
          and ($6::timestamptz is null or received_at < $6)
          and ($7::uuid is null or id < $7)
        order by id desc
        limit $8
        "#,
        filter.connection,
        filter.source,
        filter.topic,
        filter.subject,
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
