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
        "insert into intent (id, connection, subject, kind, target, task_id, actor, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        new.id,
        new.connection,
        new.subject,
        kind,
        target,
        task,
        new.actor,
        new.at,
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
}

/// Lists everything ever asked for a subject, oldest first.
pub async fn list(db: &mut PgConnection, connection: &str, subject: &str) -> Result<Vec<IntentRow>> {
    let rows = sqlx::query_as!(
        IntentRow,
        "select kind, actor, created_at from intent where connection = $1 and subject = $2 order by number",
        connection,
        subject,
    );
    Ok(rows.fetch_all(db).await?)
}
