//! A sync: a person asks for a full sync of both sides, or approves what one has left waiting; and lets stock
//! figures fall that the brake has stopped.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ActionError, Actor, ConflictError};
use crate::{
    domain::{
        Timestamp, event::subject::SubjectKind, stock::BRAKE_WINDOW, sync::SyncKind, task::reason::Reason,
    },
    store::{
        connections,
        syncs::{self, NewSync},
        tasks,
    },
};

/// Asks for a sync; answers its id, and whether it is a new one: of each kind one runs at a time.
pub async fn request_sync(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    what: SyncKind,
    dry_run: bool,
    since: Option<Timestamp>,
) -> Result<(Uuid, bool), ActionError> {
    let row = connections::find(db, connection).await?.ok_or(ActionError::NotFound)?;
    let at = actor.now();
    let since = since.unwrap_or_else(|| syncs::default_since(row.created_at, at));
    let new = NewSync { id: actor.entropy.id(at), connection, what, dry_run, actor: actor.name, since, at };
    let (id, opened) = syncs::request(db, &new).await?;
    if opened {
        let detail = json!({ "sync": id, "dry_run": dry_run, "since": since });
        actor.audit(db, "sync.request", Some(connection), Some(what.to_string()), detail).await?;
    }
    Ok((id, opened))
}

/// Approves every difference that a sync has left waiting: it goes on with its fixing. For stock this lets figures
/// fall to zero too, since that is what was looked at.
pub async fn approve_sync(db: &mut PgConnection, actor: &Actor<'_>, id: Uuid) -> Result<(), ActionError> {
    let row = syncs::find(db, id).await?.ok_or(ActionError::NotFound)?;
    if !syncs::approve(db, id, actor.name, actor.now()).await? {
        return Err(ActionError::Conflict(ConflictError::NothingToApprove));
    }
    let detail = json!({ "sync": id, "differences": row.waiting_count, "braked": row.braked });
    actor.audit(db, "sync.approve", Some(&row.connection), Some(row.what.clone()), detail).await?;
    if row.what == SyncKind::Stock.as_str() {
        release_brake(db, actor, &row.connection).await?;
    }
    Ok(())
}

/// Lets stock figures fall to zero for an hour, however many: a person has looked at them.
pub async fn release_brake(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
) -> Result<(), ActionError> {
    let now = actor.now();
    let until = now + BRAKE_WINDOW;
    if !connections::release_brake(db, connection, until).await? {
        return Err(ActionError::NotFound);
    }
    let woken = tasks::wake_waiting(db, connection, SubjectKind::Stock, Reason::StockBraked, now).await?;
    let detail = json!({ "until": until, "tasks": woken });
    actor.audit(db, "connection.release_brake", Some(connection), None, detail).await?;
    Ok(())
}
