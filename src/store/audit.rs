//! Table `audit`: who changed what, append-only.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Page, Result};
use crate::domain::Timestamp;

/// One entry of the audit trail.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AuditRow {
    /// `UUIDv7`.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// The admin token's name, or `cli:ACCOUNT`.
    pub actor: String,
    /// As `task.replay`.
    pub action: String,
    /// The connection, if it concerns one.
    pub connection: Option<String>,
    /// What was changed.
    pub subject: Option<String>,
    /// Numbers and ids that explain the change.
    pub detail: serde_json::Value,
}

/// Writes one entry. Called inside the transaction that makes the change.
pub async fn insert(db: &mut PgConnection, row: &AuditRow) -> Result<()> {
    sqlx::query!(
        "insert into audit (id, at, actor, action, connection, subject, detail)
         values ($1, $2, $3, $4, $5, $6, $7)",
        row.id,
        row.at,
        row.actor,
        row.action,
        row.connection,
        row.subject,
        row.detail,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lists entries, newest first.
pub async fn list(db: &mut PgConnection, page: &Page) -> Result<Vec<AuditRow>> {
    let rows = sqlx::query_as!(
        AuditRow,
        "select id, at, actor, action, connection, subject, detail from audit
         where ($1::uuid is null or id < $1) order by id desc limit $2",
        page.before,
        page.limit,
    );
    Ok(rows.fetch_all(db).await?)
}
