//! Table `notification`: the messages about alerts, and whether they were sent.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, alerts::UNKNOWN_KIND};
use crate::domain::{Timestamp, alert::AlertKind};

/// Queues a notification for a channel. `closed` is queued only if the channel may have got the opening one.
pub async fn insert_notification(
    db: &mut PgConnection,
    id: Uuid,
    alert: Uuid,
    channel: &str,
    kind: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into notification (id, alert_id, channel, kind, count, detail, created_at, due_at)
         select $1, alert.id, $3, $4, alert.count, alert.detail, $5, $5 from alert
         where alert.id = $2 and ($4 <> 'closed' or exists (
             select 1 from notification
             where alert_id = $2 and channel = $3 and kind <> 'closed' and (sent_at is not null or attempts > 0)
         ))",
        id,
        alert,
        channel,
        kind,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A notification to send now.
#[derive(Clone, Debug)]
pub struct DueNotification {
    /// The same on every attempt.
    pub id: Uuid,
    /// The channel.
    pub channel: String,
    /// opened, reminded or closed.
    pub kind: String,
    /// The alert's connection.
    pub connection: String,
    /// The alert's kind.
    pub alert_kind: AlertKind,
    /// How many.
    pub count: i64,
    /// What exactly, in codes.
    pub detail: String,
    /// When the alert was first seen.
    pub seen_at: Timestamp,
    /// When the notification was queued.
    pub created_at: Timestamp,
    /// Attempts so far, this one included.
    pub attempts: i32,
}

/// Claims due notifications until `until`, oldest first; no other process sends them before.
pub async fn claim_due(
    db: &mut PgConnection,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<DueNotification>> {
    let rows = sqlx::query!(
        "with claimed as (
            update notification set due_at = $2, attempts = attempts + 1
            where id in (
                select id from notification
                where sent_at is null and given_up_at is null and due_at <= $1
                order by due_at, id limit 20 for update skip locked
            )
            returning id, alert_id, channel, kind, count, detail, created_at, attempts
         )
         select claimed.id, claimed.channel, claimed.kind, alert.connection, alert.kind as alert_kind, claimed.count,
                claimed.detail, alert.seen_at, claimed.created_at, claimed.attempts
         from claimed join alert on alert.id = claimed.alert_id
         order by claimed.id",
        now,
        until,
    );
    let rows = rows.fetch_all(db).await?.into_iter();
    let notifications = rows.map(|row| {
        Ok(DueNotification {
            id: row.id,
            channel: row.channel,
            kind: row.kind,
            connection: row.connection,
            alert_kind: AlertKind::parse(&row.alert_kind).ok_or(UNKNOWN_KIND)?,
            count: row.count,
            detail: row.detail,
            seen_at: row.seen_at,
            created_at: row.created_at,
            attempts: row.attempts,
        })
    });
    notifications.collect()
}

/// How an attempt to send ended.
#[derive(Clone, Copy, Debug)]
pub enum SendResult<'a> {
    /// The channel took it.
    Sent,
    /// It failed; retry at this time.
    RetryAt(Timestamp, &'a str),
    /// It failed and is not retried.
    GivenUp(&'a str),
}

/// Records how an attempt to send ended.
pub async fn record_send_result(
    db: &mut PgConnection,
    id: Uuid,
    result: SendResult<'_>,
    now: Timestamp,
) -> Result<()> {
    let (sent_at, given_up_at, due_at, error) = match result {
        SendResult::Sent => (Some(now), None, None, None),
        SendResult::RetryAt(at, error) => (None, None, Some(at), Some(error)),
        SendResult::GivenUp(error) => (None, Some(now), None, Some(error)),
    };
    sqlx::query!(
        "update notification set sent_at = $2, given_up_at = $3, due_at = coalesce($4, due_at), last_error = $5
         where id = $1 and sent_at is null and given_up_at is null",
        id,
        sent_at,
        given_up_at,
        due_at,
        error,
    )
    .execute(db)
    .await?;
    Ok(())
}
