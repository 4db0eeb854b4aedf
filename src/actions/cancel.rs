//! Cancels a waiting task.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor, ConflictError};
use crate::{
    domain::id::TaskId,
    store::{tasks, views::overview},
};

/// Closes a waiting task. A running task cannot be stopped: its call may have been sent.
pub async fn cancel(db: &mut PgConnection, actor: &Actor<'_>, id: TaskId) -> Result<(), ActionError> {
    let row = overview::find_task(db, id).await?.ok_or(ActionError::NotFound)?;
    if !tasks::cancel(db, id, actor.now()).await? {
        return Err(ConflictError::NotCancellable.into());
    }
    let detail = json!({ "state": row.state, "subject": row.subject });
    actor.audit(db, "task.cancel", Some(&row.connection), Some(id.to_string()), detail).await?;
    Ok(())
}
