//! Table `intent`: what an operator asked for a subject. `subject_states` reads the latest one together with
//! the subject state.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::{Timestamp, id::TaskId, order::Intent};

/// A new intent.
#[derive(Clone, Debug)]
pub struct NewIntent<'a> {
    /// `UUIDv7`. Which is the latest, a sequence says: clocks of two processes differ.
    pub id: Uuid,
    /// The subject's connection.
    pub connection: &'a str,
    /// As `order:1042`.
    pub subject: &'a str,
    /// What is asked for.
    pub wish: Wish<'a>,
    /// The admin token's name.
    pub actor: &'a str,
    /// When.
    pub at: Timestamp,
    /// When its effect may leave at the earliest; `None` for at once.
    pub leaves_at: Option<Timestamp>,
    /// The request for several orders that it is part of.
    pub bulk: Option<Uuid>,
}

/// What an operator asks for.
#[derive(Clone, Copy, Debug)]
pub enum Wish<'a> {
    /// An intent; the latest counts.
    Intent(Intent),
    /// That the goods of this shipment of the shop are sent as a replacement; it counts for that shipment from then on.
    SendReplacement(&'a str),
    /// That a product or a stock figure is written by this task, though its switch is "manual".
    Sync(TaskId),
}

/// Stores an intent. Called inside the transaction that opens the task that will read it.
pub async fn insert(db: &mut PgConnection, new: &NewIntent<'_>) -> Result<()> {
    let (kind, target, task) = match new.wish {
        Wish::Intent(intent) => (intent.as_str(), None, None),
        Wish::SendReplacement(shipment) => ("send_replacement", Some(shipment), None),
        Wish::Sync(TaskId(task)) => ("sync", None, Some(task)),
    };
    sqlx::query!(
        "insert into intent (id, connection, subject, kind, target, task_id, actor, created_at, leaves_at, bulk_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        new.id,
        new.connection,
        new.subject,
        kind,
        target,
        task,
        new.actor,
        new.at,
        new.leaves_at,
        new.bulk,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An intent as pages and the API show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct IntentRow {
    /// `transfer`, `hold`, `release`, `cancel`, `adopt`, `send_replacement` or `sync`.
    pub kind: String,
    /// Who asked.
    pub actor: String,
    /// When.
    pub created_at: Timestamp,
    /// Who took it back before its effect left, and when.
    pub undone_by: Option<String>,
    /// When that was.
    pub undone_at: Option<Timestamp>,
}

/// Lists everything ever asked for a subject, oldest first.
pub async fn list(db: &mut PgConnection, connection: &str, subject: &str) -> Result<Vec<IntentRow>> {
    let rows = sqlx::query_as!(
        IntentRow,
        "select kind, actor, created_at, undone_by, undone_at from intent where connection = $1 and subject = $2 order by number",
        connection,
        subject,
    );
    Ok(rows.fetch_all(db).await?)
}

/// What was last asked for a subject, while it can still be taken back.
#[derive(Clone, Debug)]
pub struct PendingIntent {
    /// When its effect may leave.
    pub leaves_at: Timestamp,
    /// Of a replacement its shipment in the shop.
    pub target: Option<String>,
}

/// Finds what was last asked for a subject, if it can still be taken back.
pub async fn find_pending(
    db: &mut PgConnection,
    connection: &str,
    subject: &str,
    now: Timestamp,
) -> Result<Option<PendingIntent>> {
    let pending = sqlx::query_as!(
        PendingIntent,
        r#"
        select leaves_at as "leaves_at!", target from (
            select leaves_at, target from intent
            where connection = $1 and subject = $2 and kind <> 'sync' and undone_at is null
            order by number desc limit 1
        ) latest
        where leaves_at > $3
        "#,
        connection,
        subject,
        now,
    );
    Ok(pending.fetch_optional(db).await?)
}

/// Who takes something back, and what.
#[derive(Clone, Copy, Debug)]
pub struct Undo<'a> {
    /// The subject's connection.
    pub connection: &'a str,
    /// As `order:1042`.
    pub subject: &'a str,
    /// The admin token's name.
    pub actor: &'a str,
    /// When.
    pub at: Timestamp,
    /// Only if it is part of this request for several orders.
    pub bulk: Option<Uuid>,
}

/// Takes back what was last asked for a subject, if its effect has not left yet, and with it the same where it was asked
/// before and has not left either: a form that was sent twice is taken back once. False where there is nothing to take back.
pub async fn undo(db: &mut PgConnection, undo: &Undo<'_>) -> Result<bool> {
    let undone = sqlx::query!(
        "
        with latest as (
            select kind, target, leaves_at, bulk_id from intent
            where connection = $1 and subject = $2 and kind <> 'sync' and undone_at is null
            order by number desc limit 1
        )
        update intent set undone_at = $4, undone_by = $3
        from latest
        where intent.connection = $1 and intent.subject = $2
          and intent.kind = latest.kind and intent.target is not distinct from latest.target
          and intent.leaves_at > $4 and intent.undone_at is null
          and latest.leaves_at > $4
          and ($5::uuid is null or latest.bulk_id = $5)
        ",
        undo.connection,
        undo.subject,
        undo.actor,
        undo.at,
        undo.bulk,
    );
    Ok(undone.execute(db).await?.rows_affected() > 0)
}
