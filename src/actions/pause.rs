//! Pause and resume: a person stops claims for a connection, and lets them go on.

use serde_json::json;
use sqlx::PgConnection;

use super::{Actor, Declined, WrongState};
use crate::store::connections;

/// Stops claims for a connection. Webhooks are still taken; nothing is lost, it waits.
pub async fn pause(db: &mut PgConnection, actor: &Actor<'_>, name: &str) -> Result<(), Declined> {
    if !connections::pause(db, name, actor.name, actor.now()).await? {
        return Err(Declined::WrongState(WrongState::PausedAlready));
    }
    actor.audit(db, "connection.pause", Some(name), None, json!({})).await?;
    Ok(())
}

/// Lets claims go on, and ends a hold that refused credentials caused.
pub async fn resume(db: &mut PgConnection, actor: &Actor<'_>, name: &str) -> Result<(), Declined> {
    if !connections::resume(db, name).await? {
        return Err(Declined::WrongState(WrongState::RunsAlready));
    }
    actor.audit(db, "connection.resume", Some(name), None, json!({})).await?;
    Ok(())
}
