//! Reveals the body of an event, with personal data; the audit trail records who read it.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor};
use crate::{domain::id::EventId, store::events};

/// Returns the raw body of an event; empty where it was redacted.
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
