//! Has a vendor's list read now.

use serde_json::json;
use sqlx::PgConnection;

use super::{ActionError, Actor};
use crate::store::polls;

/// Makes the poll of a list due. One that runs already, or is due, stays as it is.
pub async fn poll_now(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    what: &str,
) -> Result<(), ActionError> {
    let known = polls::list(db, connection).await?;
    if !known.iter().any(|poll| poll.what == what) {
        return Err(ActionError::NotFound);
    }
    polls::bring_forward(db, connection, &[what.to_owned()], actor.now()).await?;
    actor.audit(db, "connection.poll", Some(connection), None, json!({ "list": what })).await?;
    Ok(())
}
