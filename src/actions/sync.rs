//! Requests and approves syncs, and releases the stock brake.

use std::collections::HashMap;

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ActionError, Actor, ConflictError, switch::require_switched_on};
use crate::{
    domain::{
        Timestamp,
        event::subject::SubjectKind,
        stock::BRAKE_WINDOW,
        switch::Switch,
        sync::{SyncKind, is_possible_start},
        task::reason::Reason,
    },
    store::{
        connections,
        syncs::{self, NewSync, Requested},
        tasks,
    },
};

/// The sync that an operator asks for.
#[derive(Clone, Copy, Debug)]
pub struct SyncRequest<'a> {
    /// The connection.
    pub connection: &'a str,
    /// What is compared.
    pub what: SyncKind,
    /// Differences are reported and not fixed.
    pub dry_run: bool,
    /// The first day of the orders; a default where it is left out.
    pub since: Option<Timestamp>,
    /// The connection's `not_before`: the default never begins earlier.
    pub not_before: Option<Timestamp>,
}

/// The `not_before` of every connection that has one.
pub type NotBefore = HashMap<String, Timestamp>;

/// The sync that was requested.
#[derive(Clone, Copy, Debug)]
pub struct RequestedSync {
    /// Its id.
    pub id: Uuid,
    /// False where the same sync was running already, and this is it.
    pub is_new: bool,
}

/// Requests a sync. Where the kind is switched off, only a dry run is possible. One of each kind runs at a time, and a
/// request for the same joins it. One with another `dry_run` or another first day is refused: its answer would be that of
/// another question.
pub async fn request_sync(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    request: SyncRequest<'_>,
) -> Result<RequestedSync, ActionError> {
    let SyncRequest { connection, what, dry_run, since, not_before } = request;
    let row = connections::find(db, connection).await?.ok_or(ActionError::NotFound)?;
    if !dry_run && row.switches().of_sync(what) == Switch::Off {
        return Err(ConflictError::switched_off(what.subject()).into());
    }
    let at = actor.now();
    if since.is_some_and(|since| !is_possible_start(since, at)) {
        return Err(ActionError::ImpossibleStart);
    }
    let default = syncs::default_since(not_before.unwrap_or(row.connected_at), at);
    let new = NewSync {
        id: actor.entropy.id(at),
        connection,
        what,
        dry_run,
        actor: actor.name,
        since: since.unwrap_or(default),
        is_default_since: since.is_none(),
        at,
    };
    match syncs::request(db, &new).await? {
        Requested::New(id) => {
            let detail = json!({ "sync": id, "dry_run": dry_run, "since": new.since });
            actor.audit(db, "sync.request", Some(connection), Some(what.to_string()), detail).await?;
            Ok(RequestedSync { id, is_new: true })
        }
        Requested::Running(id) => Ok(RequestedSync { id, is_new: false }),
        Requested::OtherRunning => Err(ConflictError::OtherSyncRunning.into()),
    }
}

/// Approves every difference of a sync that waits: the sync goes on and fixes them. For stock this also lets figures
/// fall to zero, because that is what the operator has seen.
pub async fn approve_sync(db: &mut PgConnection, actor: &Actor<'_>, id: Uuid) -> Result<(), ActionError> {
    let row = syncs::find(db, id).await?.ok_or(ActionError::NotFound)?;
    if let Ok(what) = row.what.parse::<SyncKind>() {
        require_switched_on(db, &row.connection, what.subject()).await?;
    }
    if !syncs::approve(db, id, actor.name, actor.now()).await? {
        return Err(ConflictError::NothingToApprove.into());
    }
    let detail = json!({ "sync": id, "differences": row.waiting_count, "braked": row.braked });
    actor.audit(db, "sync.approve", Some(&row.connection), Some(row.what.clone()), detail).await?;
    if row.what == SyncKind::Stock.as_str() {
        release_brake(db, actor, &row.connection).await?;
    }
    Ok(())
}

/// Cancels a sync that runs or waits for its turn. The process that runs it stops at its next page; what it has begun to
/// fix goes on.
pub async fn cancel_sync(db: &mut PgConnection, actor: &Actor<'_>, id: Uuid) -> Result<(), ActionError> {
    let row = syncs::find(db, id).await?.ok_or(ActionError::NotFound)?;
    if !syncs::cancel(db, id, actor.now()).await? {
        return Err(ConflictError::SyncNotRunning.into());
    }
    let detail = json!({ "sync": id, "step": row.step, "done": row.done });
    actor.audit(db, "sync.cancel", Some(&row.connection), Some(row.what.clone()), detail).await?;
    Ok(())
}

/// Releases the stock brake for an hour: any number of figures may fall to zero.
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
