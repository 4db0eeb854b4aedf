//! Erases the personal data of an order.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor, ConflictError};
use crate::{
    domain::event::subject::Subject,
    store::redaction::{self, Erased},
};

/// Redacts what our tables hold of an order's customer, for good. The vendors keep theirs, and a later read may bring a
/// tracking code back: erase there first.
pub async fn erase_order(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    order_id: &str,
) -> Result<Erased, ActionError> {
    let subject = Subject::order(order_id).to_string();
    if redaction::has_open_task(db, connection, &subject).await? {
        return Err(ConflictError::OrderHasOpenTask.into());
    }
    let is_known = redaction::is_known(db, connection, &subject).await?;
    let erased = redaction::erase_order(db, connection, order_id, actor.now()).await?;
    if !is_known && erased.events == 0 {
        return Err(ActionError::NotFound);
    }
    actor.audit(db, "order.erase", Some(connection), Some(subject), json!(erased)).await?;
    Ok(erased)
}
