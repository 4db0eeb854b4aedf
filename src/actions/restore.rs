//! Records that the database was replaced by a backup.

use serde_json::json;
use sqlx::PgConnection;

use super::Actor;
use crate::store::StoreError;

/// Writes the audit entry of a restore: the trail goes on in the restored database.
pub async fn record_restore(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    file: &str,
    schema: i64,
) -> Result<(), StoreError> {
    actor.audit(db, "database.restore", None, None, json!({ "file": file, "schema": schema })).await
}
