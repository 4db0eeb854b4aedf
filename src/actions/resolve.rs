//! Resolves a task in doubt: an operator has found out what happened.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor, ConflictError};
use crate::{
    domain::id::TaskId,
    store::{
        actions as ledger,
        tasks::{self, Resolution},
        views::overview,
    },
};

/// Closes a task in doubt as done, or makes it due at once.
pub async fn resolve(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    id: TaskId,
    resolution: Resolution,
) -> Result<(), ActionError> {
    let row = overview::find_task(db, id).await?.ok_or(ActionError::NotFound)?;
    if !tasks::resolve(db, id, resolution, actor.now()).await? {
        return Err(ConflictError::NotInDoubt.into());
    }
    let was_applied = resolution == Resolution::Done;
    ledger::resolve(db, &row.connection, &row.subject, was_applied, actor.name, actor.now()).await?;
    let resolution = match resolution {
        Resolution::Done => "done",
        Resolution::Pending => "pending",
    };
    let detail = json!({ "as": resolution, "subject": row.subject });
    actor.audit(db, "task.resolve", Some(&row.connection), Some(id.to_string()), detail).await?;
    Ok(())
}
