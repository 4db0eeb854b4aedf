//! Table `intent`: what a person asked for a subject. The latest word is read with the rest of what we remember: see
//! `subject states`.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::{Timestamp, order::Intent};

/// A word of a person.
#[derive(Clone, Debug)]
pub struct NewIntent<'a> {
    /// `UUIDv7`: the latest wins.
    pub id: Uuid,
    /// Whose subject.
    pub connection: &'a str,
    /// As `order:1042`.
    pub subject: &'a str,
    /// What is asked.
    pub intent: Intent,
    /// The admin token's name.
    pub actor: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Keeps a word. Called inside the transaction that opens the task which will read it.
pub async fn insert(db: &mut PgConnection, new: &NewIntent<'_>) -> Result<()> {
    sqlx::query!(
        "insert into intent (id, connection, subject, kind, actor, created_at) values ($1, $2, $3, $4, $5, $6)",
        new.id,
        new.connection,
        new.subject,
        new.intent.as_str(),
        new.actor,
        new.at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A word as people see it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct IntentRow {
    /// transfer, hold, release or cancel.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// When.
    pub created_at: Timestamp,
}

/// Everything that was ever asked for a subject, oldest first.
pub async fn list(db: &mut PgConnection, connection: &str, subject: &str) -> Result<Vec<IntentRow>> {
    let rows = sqlx::query_as!(
        IntentRow,
        "select kind, actor, created_at from intent where connection = $1 and subject = $2 order by id",
        connection,
        subject,
    );
    Ok(rows.fetch_all(db).await?)
}
