//! Erase: whatever we keep of an order that may speak of a person is redacted, at once and for good.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor, ConflictError};
use crate::{
    domain::event::subject::Subject,
    store::{
        redaction::{self, Erased},
        views::overview,
    },
};

/// Erases an order's personal data. The vendors themselves are not touched: as long as they have them, a later reading
/// may bring a tracking code back, so erase there first.
pub async fn erase_order(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    order_id: &str,
) -> Result<Erased, ActionError> {
    let subject = Subject::order(order_id).to_string();
    if !overview::has_task(db, connection, &subject).await? {
        return Err(ActionError::NotFound);
    }
    if redaction::has_open_task(db, connection, &subject).await? {
        return Err(ActionError::Conflict(ConflictError::OrderHasOpenTask));
    }
    let erased = redaction::erase(db, connection, &subject, actor.now()).await?;
    actor.audit(db, "order.erase", Some(connection), Some(subject), json!(erased)).await?;
    Ok(erased)
}
