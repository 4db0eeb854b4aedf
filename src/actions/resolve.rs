//! Resolve: a person has found out what truly happened to a delivery in doubt.

use serde_json::json;
use sqlx::PgConnection;

use super::{Actor, Declined, WrongState};
use crate::{
    domain::id::DeliveryId,
    store::{
        observations,
        tasks::{self, Resolution},
        views::overview,
    },
};

/// Closes a delivery in doubt as delivered, or lets it be tried again at once.
pub async fn resolve(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    id: DeliveryId,
    word: Resolution,
) -> Result<(), Declined> {
    let row = overview::find_delivery(db, id).await?.ok_or(Declined::NotFound)?;
    if !tasks::resolve(db, id, word, actor.now()).await? {
        return Err(Declined::WrongState(WrongState::NotInDoubt));
    }
    observations::end_begun(db, &row.connection, &row.subject).await?;
    let word = match word {
        Resolution::Delivered => "delivered",
        Resolution::Pending => "pending",
    };
    let detail = json!({ "as": word, "of": row.subject });
    actor.audit(db, "delivery.resolve", Some(&row.connection), Some(id.to_string()), detail).await?;
    Ok(())
}
