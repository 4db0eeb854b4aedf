//! Resolves what happened to an action: an operator has looked at the vendor. What they say goes into the ledger, and
//! counts as a fact in every later decision.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor, ConflictError, replay::replay_subject};
use crate::{
    domain::{
        id::TaskId,
        task::{reason::Reason, state::TaskState},
    },
    store::{
        actions as ledger, redaction,
        tasks::{self, Resolution},
        views::overview::{self, TaskRow},
    },
};

/// Closes a task in doubt as done, or makes it due at once. A dead one whose action is in doubt, or whose order has
/// vanished, is replayed with what the operator says.
pub async fn resolve(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    id: TaskId,
    resolution: Resolution,
) -> Result<(), ActionError> {
    let row = overview::find_task(db, id).await?.ok_or(ActionError::NotFound)?;
    let is_in_doubt = tasks::resolve(db, id, resolution, actor.now()).await?;
    if !is_in_doubt && !is_dead_in_doubt(db, &row).await? {
        return Err(ConflictError::NotInDoubt.into());
    }
    let found = ledger::Found {
        was_applied: resolution == Resolution::Done,
        vanished: row.reason.as_deref().and_then(Reason::parse).and_then(vanished_by),
    };
    let entries = ledger::resolve(db, &row.connection, &row.subject, found, actor.name, actor.now()).await?;
    if !is_in_doubt {
        if entries == 0 {
            return Err(ConflictError::NotInDoubt.into());
        }
        replay_subject(db, actor, &row.connection, &row.subject, Some(id), id.0).await?;
    }
    let resolution = match resolution {
        Resolution::Done => "done",
        Resolution::Pending => "pending",
    };
    let detail = json!({ "as": resolution, "subject": row.subject, "actions": entries });
    actor.audit(db, "task.resolve", Some(&row.connection), Some(id.to_string()), detail).await?;
    Ok(())
}

/// What the reason of a task says that the warehouse no longer shows.
const fn vanished_by(reason: Reason) -> Option<ledger::Vanished> {
    match reason {
        Reason::VanishedAtWarehouse => Some(ledger::Vanished::Order),
        Reason::ReplacementVanished => Some(ledger::Vanished::Replacement),
        _ => None,
    }
}

/// True for a dead task that no open one has followed: an attempt that runs must not be overtaken.
async fn is_dead_in_doubt(db: &mut PgConnection, row: &TaskRow) -> Result<bool, ActionError> {
    let is_dead = row.state == TaskState::Dead.as_str();
    Ok(is_dead && !redaction::has_open_task(db, &row.connection, &row.subject).await?)
}
