//! Takes back what an operator has just asked for by hand, before it leaves: for one order, or for one of those that were
//! asked for together.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    ActionError, Actor, ConflictError,
    enqueue::EnqueuedTask,
    order::{enqueue_order, find_order},
};
use crate::store::{
    bulk_requests::{self, BulkOrder},
    intents::{self, Undo},
    tasks,
};

/// Takes the last intent of an order back, while its time to leave has not come.
pub async fn undo(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    order_id: &str,
) -> Result<EnqueuedTask, ActionError> {
    take_back(db, actor, (connection, order_id), None).await
}

/// What became of one order when a request for several was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// It was taken back now: nothing was sent.
    TakenBack,
    /// It was taken back before.
    Before,
    /// It had left.
    Left,
    /// Something else was asked for it since, or it is not known any more: it stays as it is.
    Changed,
}

/// Takes back what a request for several orders asks for one of them: only if that still is the last thing that was asked for
/// it, and has not left.
pub async fn undo_of_bulk(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    bulk: Uuid,
    (connection, subject): (&str, &str),
) -> Result<Undone, ActionError> {
    let Some(order_id) = subject.strip_prefix("order:") else { return Ok(Undone::Changed) };
    match take_back(db, actor, (connection, order_id), Some(bulk)).await {
        Ok(_) => Ok(Undone::TakenBack),
        Err(ActionError::NotFound) => Ok(Undone::Changed),
        Err(ActionError::Conflict(ConflictError::TooLateToUndo)) => {
            let order = bulk_requests::find(db, bulk, (connection, subject)).await?;
            why_not(db, actor, order.ok_or(ActionError::NotFound)?).await
        }
        Err(error) => Err(error),
    }
}

/// Why an order of a request was not taken back.
async fn why_not(db: &mut PgConnection, actor: &Actor<'_>, order: BulkOrder) -> Result<Undone, ActionError> {
    let BulkOrder { connection, subject, leaves_at, is_undone } = order;
    if is_undone {
        return Ok(Undone::Before);
    }
    let order_id = subject.strip_prefix("order:").unwrap_or_default();
    let (_, known) = find_order(db, &connection, order_id).await?;
    let is_running =
        tasks::lock_open(db, &connection, &subject).await?.is_some_and(|state| state == "leased");
    let has_left = leaves_at.is_none_or(|at| at <= actor.now());
    let is_gone = has_left || is_running || known.ledger.placing().is_some();
    Ok(if is_gone { Undone::Left } else { Undone::Changed })
}

/// Nothing was sent before the time to leave, and nothing will be: the open task is locked against a claim until this has
/// committed, and one that runs already refuses.
async fn take_back(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    (connection, order_id): (&str, &str),
    bulk: Option<Uuid>,
) -> Result<EnqueuedTask, ActionError> {
    let (subject, _) = find_order(db, connection, order_id).await?;
    let name = subject.to_string();
    let is_running = tasks::lock_open(db, connection, &name).await?.is_some_and(|state| state == "leased");
    // Read again behind the lock: an attempt may have ended in between.
    let (_, known) = find_order(db, connection, order_id).await?;
    let pending = intents::find_pending(db, connection, &name, actor.now()).await?;
    let is_sent = match pending.and_then(|pending| pending.target) {
        Some(shipment) => known.ledger.replacement(&shipment).is_some(),
        None => known.ledger.placing().is_some(),
    };
    let undo = Undo { connection, subject: &name, actor: actor.name, at: actor.now(), bulk };
    if is_running || is_sent || !intents::undo(db, &undo).await? {
        return Err(ConflictError::TooLateToUndo.into());
    }
    enqueue_order(db, actor, connection, subject, "undo").await
}
