//! Marks what a stopped order asked for as done outside Silta: a refund, missing goods. It then needs no attention until a later
//! task of the order stops again.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor, ConflictError};
use crate::{
    domain::{id::TaskId, task::reason::Reason},
    store::{tasks, views::overview},
};

/// Marks a dead task as handled. Refused where it does not need attention any more, since the order was read again: what it
/// asks for now may be something else. Refused too where Silta itself goes on once the cause is corrected.
pub async fn mark_handled(db: &mut PgConnection, actor: &Actor<'_>, id: TaskId) -> Result<(), ActionError> {
    let row = overview::find_task(db, id).await?.ok_or(ActionError::NotFound)?;
    let reasons = Reason::HANDLED_OUTSIDE.map(Reason::code);
    if !tasks::mark_handled(db, id, &reasons, (actor.name, actor.now())).await? {
        return Err(ConflictError::NothingToHandle.into());
    }
    let detail = json!({ "subject": row.subject, "reason": row.reason });
    actor.audit(db, "task.handle", Some(&row.connection), Some(id.to_string()), detail).await?;
    Ok(())
}
