//! Cancel: a person says that a waiting task shall not be tried again.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor, ConflictError};
use crate::{
    domain::id::TaskId,
    store::{tasks, views::overview},
};

/// Closes a waiting task. One that is running cannot be stopped: its call may be on its way.
pub async fn cancel(db: &mut PgConnection, actor: &Actor<'_>, id: TaskId) -> Result<(), ActionError> {
    let row = overview::find_task(db, id).await?.ok_or(ActionError::NotFound)?;
    if !tasks::cancel(db, id, actor.now()).await? {
        return Err(ActionError::Conflict(ConflictError::NotCancellable));
    }
    let detail = json!({ "state": row.state, "subject": row.subject });
    actor.audit(db, "task.cancel", Some(&row.connection), Some(id.to_string()), detail).await?;
    Ok(())
}
