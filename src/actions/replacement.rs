//! Confirms that what the shop added to an order after it was sent goes to the warehouse as a replacement.

use std::time::Duration;

use sqlx::PgConnection;

use super::{
    ActionError, Actor, ConflictError,
    enqueue::EnqueuedTask,
    order::{enqueue_order, find_order, record_intent},
    switch::require_switched_on,
};
use crate::{
    domain::{event::subject::SubjectKind, order::AddedShipmentView, task::subject_state::SubjectState},
    store::{StoreError, intents::Wish},
};

/// Confirms the replacement of one added shipment and enqueues the order's task. Without `shipment`, of the only one that
/// waits. It is confirmed for that shipment and for no later one.
pub async fn send_replacement(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    order_id: &str,
    shipment: Option<&str>,
) -> Result<EnqueuedTask, ActionError> {
    send_undoable_replacement(db, actor, (connection, order_id), shipment, Duration::ZERO).await
}

/// The same from a page: it leaves after `undo`, and can be taken back until then.
pub async fn send_undoable_replacement(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    (connection, order_id): (&str, &str),
    shipment: Option<&str>,
    undo: Duration,
) -> Result<EnqueuedTask, ActionError> {
    let (subject, known) = find_order(db, connection, order_id).await?;
    let waiting = waiting_shipments(&known.state)?;
    let chosen = match (shipment, waiting.as_slice()) {
        (Some(id), waiting) if waiting.iter().any(|it| it == id) => id,
        (None, [only]) => only,
        (None, [_, _, ..]) => return Err(ConflictError::SeveralReplacements.into()),
        (Some(_), _) | (None, []) => return Err(ConflictError::NoReplacement.into()),
    };
    require_switched_on(db, connection, SubjectKind::Order).await?;
    let leaves_at = (!undo.is_zero()).then(|| actor.now() + undo);
    let wish = Wish::SendReplacement(chosen);
    record_intent(db, actor, (connection, &subject), wish, (leaves_at, None)).await?;
    enqueue_order(db, actor, connection, subject, "send_replacement").await
}

/// The shipments that wait for a person, as the order was last read.
fn waiting_shipments(known: &SubjectState) -> Result<Vec<String>, ActionError> {
    let Some(added) = known.added_shipments.clone() else { return Ok(Vec::new()) };
    let added: Vec<AddedShipmentView> = serde_json::from_value(added)
        .map_err(|_| StoreError::Inconsistent { table: "subject_state", column: "added_shipments" })?;
    Ok(added.into_iter().filter(|it| it.waits).map(|it| it.shipment).collect())
}
