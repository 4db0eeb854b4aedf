//! Erase: whatever we keep of an order that may speak of a person is blanked, at once and for good.

use serde_json::json;
use sqlx::PgConnection;

use super::{Actor, Declined, WrongState};
use crate::{
    domain::event::subject::Subject,
    store::{
        retention::{self, Erased},
        views::overview,
    },
};

/// Erases an order's personal data. The systems themselves are not touched: as long as they have them, a later reading
/// may bring a tracking code back, so erase there first.
pub async fn erase_order(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    order_id: &str,
) -> Result<Erased, Declined> {
    let subject = Subject::order(order_id).to_string();
    if !overview::knows(db, connection, &subject).await? {
        return Err(Declined::NotFound);
    }
    if retention::is_open(db, connection, &subject).await? {
        return Err(Declined::WrongState(WrongState::OrderStillOpen));
    }
    let erased = retention::erase(db, connection, &subject, actor.now()).await?;
    actor.audit(db, "order.erase", Some(connection), Some(subject), json!(erased)).await?;
    Ok(erased)
}
