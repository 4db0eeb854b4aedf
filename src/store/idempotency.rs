//! Table `idempotency`: answers given to keyed admin requests.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// What a key is known for.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyStatus {
    /// Nobody used it: it is ours now, in this transaction.
    Reserved,
    /// A request under it is being carried out at this moment.
    Running,
    /// Another request was made under it.
    OtherRequest,
    /// The same request was answered with this status and body.
    Answered(u16, serde_json::Value),
}

/// Takes a key for a request, inside the transaction that will carry it out. A second request under the same key is told
/// that the first is running; later it finds the answer or, after a rollback, the key free.
pub async fn reserve(
    db: &mut PgConnection,
    actor: &str,
    key: &str,
    request_hash: &str,
    now: Timestamp,
) -> Result<KeyStatus> {
    // Held until the transaction ends; two keys of one hash would only wait for each other.
    let locked = sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0)) as "locked!""#,
        actor,
        key,
    );
    if !locked.fetch_one(&mut *db).await? {
        return Ok(KeyStatus::Running);
    }
    let fresh = sqlx::query!(
        "insert into idempotency (actor, key, request_hash, created_at) values ($1, $2, $3, $4) on conflict do nothing",
        actor,
        key,
        request_hash,
        now,
    );
    if fresh.execute(&mut *db).await?.rows_affected() == 1 {
        return Ok(KeyStatus::Reserved);
    }
    let row = sqlx::query!(
        "select request_hash, status, body from idempotency where actor = $1 and key = $2",
        actor,
        key,
    )
    .fetch_one(db)
    .await?;
    Ok(match (row.status, row.body) {
        _ if row.request_hash != request_hash => KeyStatus::OtherRequest,
        (Some(status), Some(body)) => KeyStatus::Answered(status.unsigned_abs(), body),
        _ => KeyStatus::OtherRequest,
    })
}

/// Keeps the answer with its key, in the same transaction.
pub async fn record_answer(
    db: &mut PgConnection,
    actor: &str,
    key: &str,
    status: u16,
    body: &serde_json::Value,
) -> Result<()> {
    sqlx::query!(
        "update idempotency set status = $3, body = $4 where actor = $1 and key = $2",
        actor,
        key,
        i16::try_from(status).unwrap_or_default(),
        body,
    )
    .execute(db)
    .await?;
    Ok(())
}
