//! Reveal: a person asks to see what an event said, people's names and all. That they did is written down.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor};
use crate::{domain::id::EventId, store::events};

/// The raw bytes of an event; empty where they were redacted.
pub async fn reveal_body(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    id: EventId,
) -> Result<Vec<u8>, ActionError> {
    let event = events::find(db, id).await?.ok_or(ActionError::NotFound)?;
    let body = events::find_body(db, id).await?.unwrap_or_default();
    let detail = json!({ "bytes": body.len() });
    actor.audit(db, "event.reveal", Some(&event.connection), Some(id.to_string()), detail).await?;
    Ok(body)
}
