//! Takes back what an operator has just asked for by hand, before it leaves.

use sqlx::PgConnection;

use super::{
    ActionError, Actor, ConflictError,
    enqueue::EnqueuedTask,
    order::{enqueue_order, find_order},
};
use crate::store::{intents, tasks};

/// Takes the last intent of an order back, while its time to leave has not come. Nothing was sent then, and nothing will be:
/// the open task is locked against a claim until this has committed, and one that runs already refuses.
pub async fn undo(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    order_id: &str,
) -> Result<EnqueuedTask, ActionError> {
    let (subject, _) = find_order(db, connection, order_id).await?;
    let name = subject.to_string();
    let is_running = tasks::lock_open(db, connection, &name).await?.is_some_and(|state| state == "leased");
    // Read again behind the lock: an attempt may have ended in between.
    let (_, known) = find_order(db, connection, order_id).await?;
    if is_running || known.ledger.placing().is_some() {
        return Err(ConflictError::TooLateToUndo.into());
    }
    let undone = intents::undo(db, connection, &name, actor.name, actor.now()).await?;
    undone.ok_or(ConflictError::TooLateToUndo)?;
    enqueue_order(db, actor, connection, subject, "undo").await
}
