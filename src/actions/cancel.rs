//! Cancel: a person says that a waiting delivery shall not be tried again.

use serde_json::json;
use sqlx::PgConnection;

use super::{Actor, Declined, WrongState};
use crate::{
    domain::id::DeliveryId,
    store::{tasks, views::overview},
};

/// Closes a waiting delivery. One that is running cannot be stopped: its call may be on its way.
pub async fn cancel(db: &mut PgConnection, actor: &Actor<'_>, id: DeliveryId) -> Result<(), Declined> {
    let row = overview::find_delivery(db, id).await?.ok_or(Declined::NotFound)?;
    if !tasks::cancel(db, id, actor.now()).await? {
        return Err(Declined::WrongState(WrongState::NotWaiting));
    }
    let detail = json!({ "state": row.state, "of": row.subject });
    actor.audit(db, "delivery.cancel", Some(&row.connection), Some(id.to_string()), detail).await?;
    Ok(())
}
