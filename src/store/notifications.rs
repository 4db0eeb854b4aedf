//! Table `notification`: who was told of which alert.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, alerts::UNKNOWN_KIND};
use crate::domain::{Timestamp, alert::AlertKind};

/// Writes a message to a channel. That something is right again is told only where it was told that it is wrong.
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

/// A message to be sent now.
#[derive(Clone, Debug)]
pub struct DueNotification {
    /// The same on every try.
    pub id: Uuid,
    /// To which channel.
    pub channel: String,
    /// opened, reminded or closed.
    pub kind: String,
    /// About which connection.
    pub connection: String,
    /// About what.
    pub alert_kind: AlertKind,
    /// How much of it.
    pub count: i64,
    /// What exactly.
    pub detail: String,
    /// Since when.
    pub seen_at: Timestamp,
    /// When the message was written.
    pub created_at: Timestamp,
    /// Attempts so far, this one included.
    pub attempts: i32,
}

/// Takes messages that are due to be sent by the caller alone, until `until`; the oldest first.
pub async fn claim_due(
    db: &mut PgConnection,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<DueNotification>> {
    let rows = sqlx::query!(
        "with taken as (
            update notification set due_at = $2, attempts = attempts + 1
            where id in (
                select id from notification
                where sent_at is null and given_up_at is null and due_at <= $1
                order by due_at, id limit 20 for update skip locked
            )
            returning id, alert_id, channel, kind, count, detail, created_at, attempts
         )
         select taken.id, taken.channel, taken.kind, alert.connection, alert.kind as alert_kind, taken.count, taken.detail,
                alert.seen_at, taken.created_at, taken.attempts
         from taken join alert on alert.id = taken.alert_id
         order by taken.id",
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

/// What became of a try.
#[derive(Clone, Copy, Debug)]
pub enum SendResult<'a> {
    /// The channel took it.
    Sent,
    /// It did not; again then.
    RetryAt(Timestamp, &'a str),
    /// It did not, and is not asked again.
    GivenUp(&'a str),
}

/// Keeps what became of a try.
pub async fn record_send_result(
    db: &mut PgConnection,
    id: Uuid,
    send_result: SendResult<'_>,
    now: Timestamp,
) -> Result<()> {
    let (sent_at, given_up_at, due_at, error) = match send_result {
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
