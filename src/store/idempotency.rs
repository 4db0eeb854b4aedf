//! Table `idempotency`: answers to API requests with an `Idempotency-Key`.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyStatus {
    /// It was unused; this transaction has reserved it.
    Reserved,
    /// A request with it is running.
    Running,
    /// It was used for another request.
    OtherRequest,
    /// The same request was answered with this status and body.
    Answered(u16, serde_json::Value),
}

/// Reserves a key for a request, inside the transaction that carries it out. A second request with the key
/// finds it `Running`, later `Answered`, or unused after a rollback.
pub async fn reserve(
    db: &mut PgConnection,
    actor: &str,
    key: &str,
    request_hash: &str,
    now: Timestamp,
) -> Result<KeyStatus> {
    // The lock lasts until the transaction ends. Two keys with the same hash merely exclude each other.
    let locked = sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0)) as "locked!""#,
        actor,
        key,
    );
    if !locked.fetch_one(&mut *db).await? {
        return Ok(KeyStatus::Running);
    }
    let fresh = sqlx::query!(
        "insert into idempotency (actor, key, request_hash, created_at) values ($1, $2, $3, $4)
         on conflict do nothing",
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

/// Stores the answer with its key, in the same transaction.
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
