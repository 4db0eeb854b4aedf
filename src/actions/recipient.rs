//! Shows an operator who gets an order: read from the shop now, recorded in the audit log, stored nowhere.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor, OrderFinder};
use crate::domain::{event::subject::Subject, order::Recipient};

/// Reads an order's recipient from the shop. It is shown only once that is recorded.
pub async fn read_recipient(
    finder: &dyn OrderFinder,
    connection: &str,
    order_id: &str,
) -> Result<Recipient, ActionError> {
    let is_number = (1..=20).contains(&order_id.len()) && order_id.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(ActionError::NotFound);
    }
    finder.recipient(connection, order_id).await?.ok_or(ActionError::NotFound)
}

/// Records that the recipient is shown.
pub async fn record_recipient_shown(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    order_id: &str,
) -> Result<(), ActionError> {
    let subject = Subject::order(order_id).to_string();
    Ok(actor.audit(db, "order.recipient", Some(connection), Some(subject), json!({})).await?)
}
