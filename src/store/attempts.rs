//! Table `attempt`: the diary, append-only.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::{Timestamp, delivery::Leased, id::DeliveryId, outcome::Outcome};

/// What an attempt leaves in the diary.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// What it came to.
    pub outcome: &'a Outcome,
    /// The one thing decided on.
    pub deed: Option<&'a str>,
    /// The key sent with it.
    pub idempotency_key: Option<&'a str>,
    /// Plain words; never personal data.
    pub detail: Option<&'a str>,
    /// Every call in order.
    pub calls: serde_json::Value,
    /// When its outcome was known.
    pub ended_at: Timestamp,
}

/// Writes the attempt of a claim. Its row is unique per claim: a second settle of one claim cannot be written.
pub async fn insert(db: &mut PgConnection, held: &Leased, entry: &Entry<'_>) -> Result<()> {
    sqlx::query!(
        "insert into attempt
             (delivery_id, number, claim_id, started_at, ended_at, outcome, reason, deed, idempotency_key, detail, calls)
         values ($1, $2, $3, $4, greatest($4::timestamptz, $5::timestamptz), $6, $7, $8, $9, $10, $11)",
        held.id.0,
        i32::try_from(held.number).unwrap_or(i32::MAX),
        held.claim.0,
        held.claimed_at,
        entry.ended_at,
        entry.outcome.as_str(),
        entry.outcome.reason().map(crate::domain::outcome::Reason::code),
        entry.deed,
        entry.idempotency_key,
        entry.detail,
        entry.calls,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An attempt as people see it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AttemptRow {
    /// From 1.
    pub number: i32,
    /// When the claim was taken.
    pub started_at: Timestamp,
    /// When its outcome was known.
    pub ended_at: Timestamp,
    /// What it came to.
    pub outcome: String,
    /// Closed reason code.
    pub reason: Option<String>,
    /// The one thing decided on.
    pub deed: Option<String>,
    /// The key sent with it.
    pub idempotency_key: Option<String>,
    /// Plain words.
    pub detail: Option<String>,
    /// Every call in order.
    pub calls: serde_json::Value,
}

/// The diary of a delivery, oldest first.
pub async fn list(db: &mut PgConnection, delivery: DeliveryId) -> Result<Vec<AttemptRow>> {
    let id: Uuid = delivery.0;
    let rows = sqlx::query_as!(
        AttemptRow,
        "select number, started_at, ended_at, outcome, reason, deed, idempotency_key, detail, calls
         from attempt where delivery_id = $1 order by number",
        id,
    );
    Ok(rows.fetch_all(db).await?)
}

/// What was sent last for a subject by a call, masked.
pub async fn last_request(
    db: &mut PgConnection,
    connection: &str,
    subject: &str,
    call: &str,
) -> Result<Option<serde_json::Value>> {
    let request = sqlx::query_scalar!(
        r#"
        select sent -> 'request' as "request!"
        from delivery
        join attempt on attempt.delivery_id = delivery.id
        cross join lateral jsonb_array_elements(attempt.calls) as sent
        where delivery.connection = $1 and delivery.subject = $2
          and sent ->> 'call' = $3 and sent ? 'request'
        order by attempt.ended_at desc
        limit 1
        "#,
        connection,
        subject,
        call,
    );
    Ok(request.fetch_optional(db).await?)
}
