//! Pause and resume: a person stops claims for a connection, and lets them go on.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor, ConflictError};
use crate::store::connections;

/// Stops claims for a connection. Webhooks are still taken; nothing is lost, it waits.
pub async fn pause(db: &mut PgConnection, actor: &Actor<'_>, name: &str) -> Result<(), ActionError> {
    if !connections::pause(db, name, actor.name, actor.now()).await? {
        return Err(ActionError::Conflict(ConflictError::AlreadyPaused));
    }
    actor.audit(db, "connection.pause", Some(name), None, json!({})).await?;
    Ok(())
}

/// Lets claims go on, and ends a hold that refused credentials caused.
pub async fn resume(db: &mut PgConnection, actor: &Actor<'_>, name: &str) -> Result<(), ActionError> {
    if !connections::resume(db, name).await? {
        return Err(ActionError::Conflict(ConflictError::AlreadyRunning));
    }
    actor.audit(db, "connection.resume", Some(name), None, json!({})).await?;
    Ok(())
}
