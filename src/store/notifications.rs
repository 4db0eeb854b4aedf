//! Table `notice`: who was told of which alert.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, alerts::UNKNOWN_KIND};
use crate::domain::{Timestamp, alert::AlertKind};

/// Writes a message to a channel. That something is right again is told only where it was told that it is wrong.
pub async fn write_notice(
    db: &mut PgConnection,
    id: Uuid,
    alert: Uuid,
    channel: &str,
    word: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into notice (id, alert_id, channel, word, count, detail, created_at, due_at)
         select $1, alert.id, $3, $4, alert.count, alert.detail, $5, $5 from alert
         where alert.id = $2 and ($4 <> 'closed' or exists (
             select 1 from notice
             where alert_id = $2 and channel = $3 and word <> 'closed' and (sent_at is not null or tries > 0)
         ))",
        id,
        alert,
        channel,
        word,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A message to be sent now.
#[derive(Clone, Debug)]
pub struct DueNotice {
    /// The same on every try.
    pub id: Uuid,
    /// To which channel.
    pub channel: String,
    /// opened, reminded or closed.
    pub word: String,
    /// About which connection.
    pub connection: String,
    /// About what.
    pub kind: AlertKind,
    /// How much of it.
    pub count: i64,
    /// What exactly.
    pub detail: String,
    /// Since when.
    pub seen_at: Timestamp,
    /// When the message was written.
    pub created_at: Timestamp,
    /// Tries so far, this one included.
    pub tries: i32,
}

/// Takes messages that are due to be sent by the caller alone, until `until`; the oldest first.
pub async fn take_due(db: &mut PgConnection, now: Timestamp, until: Timestamp) -> Result<Vec<DueNotice>> {
    let rows = sqlx::query!(
        "with taken as (
            update notice set due_at = $2, tries = tries + 1
            where id in (
                select id from notice
                where sent_at is null and given_up_at is null and due_at <= $1
                order by due_at, id limit 20 for update skip locked
            )
            returning id, alert_id, channel, word, count, detail, created_at, tries
         )
         select taken.id, taken.channel, taken.word, alert.connection, alert.kind, taken.count, taken.detail,
                alert.seen_at, taken.created_at, taken.tries
         from taken join alert on alert.id = taken.alert_id
         order by taken.id",
        now,
        until,
    );
    let rows = rows.fetch_all(db).await?.into_iter();
    let notices = rows.map(|row| {
        Ok(DueNotice {
            id: row.id,
            channel: row.channel,
            word: row.word,
            connection: row.connection,
            kind: AlertKind::parse(&row.kind).ok_or(UNKNOWN_KIND)?,
            count: row.count,
            detail: row.detail,
            seen_at: row.seen_at,
            created_at: row.created_at,
            tries: row.tries,
        })
    });
    notices.collect()
}

/// What became of a try.
#[derive(Clone, Copy, Debug)]
pub enum Tried<'a> {
    /// The channel took it.
    Sent,
    /// It did not; again then.
    Again(Timestamp, &'a str),
    /// It did not, and is not asked again.
    GivenUp(&'a str),
}

/// Keeps what became of a try.
pub async fn note_tried(db: &mut PgConnection, id: Uuid, tried: Tried<'_>, now: Timestamp) -> Result<()> {
    let (sent_at, given_up_at, due_at, error) = match tried {
        Tried::Sent => (Some(now), None, None, None),
        Tried::Again(at, error) => (None, None, Some(at), Some(error)),
        Tried::GivenUp(error) => (None, Some(now), None, Some(error)),
    };
    sqlx::query!(
        "update notice set sent_at = $2, given_up_at = $3, due_at = coalesce($4, due_at), last_error = $5
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
