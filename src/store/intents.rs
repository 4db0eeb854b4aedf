//! Table `intent`: what a person asked for a subject.

use sqlx::PgConnection;

use super::Result;

/// The latest word about a subject.
pub async fn latest(db: &mut PgConnection, connection: &str, subject: &str) -> Result<Option<String>> {
    let action = sqlx::query_scalar!(
        "select action from intent where connection = $1 and subject = $2 order by id desc limit 1",
        connection,
        subject,
    );
    Ok(action.fetch_optional(db).await?)
}
