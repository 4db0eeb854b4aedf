//! Pauses and resumes a connection.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor, ConflictError};
use crate::store::connections;

/// Stops claims for a connection. Webhooks are still stored, and their tasks wait.
pub async fn pause(db: &mut PgConnection, actor: &Actor<'_>, name: &str) -> Result<(), ActionError> {
    if !connections::pause(db, name, actor.name, actor.now()).await? {
        return Err(ConflictError::AlreadyPaused.into());
    }
    actor.audit(db, "connection.pause", Some(name), None, json!({})).await?;
    Ok(())
}

/// Allows claims again, and closes a circuit that rejected credentials opened.
pub async fn resume(db: &mut PgConnection, actor: &Actor<'_>, name: &str) -> Result<(), ActionError> {
    if !connections::resume(db, name, actor.now()).await? {
        return Err(ConflictError::AlreadyRunning.into());
    }
    actor.audit(db, "connection.resume", Some(name), None, json!({})).await?;
    Ok(())
}
