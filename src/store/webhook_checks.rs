//! Tables `key_usage`, `rejected_webhook` and `signature_detection`: what the porch has seen of keys and signatures.

use serde_json::Value;
use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// A key, as far as it may be named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyIdentity {
    /// Whose; empty for admin tokens.
    pub connection: String,
    /// `mycashflow_webhook`, `ogoship_webhook` or `admin_token`.
    pub purpose: &'static str,
    /// Eight hex digits, or a token's name.
    pub key_id: String,
}

/// What is refused and why, as far as it may be named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RejectedWebhookKey {
    /// To whom it was sent.
    pub connection: String,
    /// mycashflow or ogoship.
    pub source: &'static str,
    /// What seems to be wrong.
    pub hint: &'static str,
}

/// Makes sure that every key has its row: a new one's age begins now.
pub async fn ensure_keys(db: &mut PgConnection, keys: &[KeyIdentity], now: Timestamp) -> Result<()> {
    let connections: Vec<_> = keys.iter().map(|key| key.connection.clone()).collect();
    let purposes: Vec<_> = keys.iter().map(|key| key.purpose.to_owned()).collect();
    let ids: Vec<_> = keys.iter().map(|key| key.key_id.clone()).collect();
    sqlx::query!(
        "insert into key_usage (connection, purpose, key_id, first_seen_at)
         select connection, purpose, key_id, $4 from unnest($1::text[], $2::text[], $3::text[])
             as key (connection, purpose, key_id)
         on conflict do nothing",
        &connections,
        &purposes,
        &ids,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Adds uses to a key.
pub async fn add_key_uses(
    db: &mut PgConnection,
    key: &KeyIdentity,
    uses: i64,
    last_at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into key_usage (connection, purpose, key_id, first_seen_at, last_used_at, uses)
         values ($1, $2, $3, $5, $5, $4)
         on conflict (connection, purpose, key_id) do update
             set uses = key_usage.uses + excluded.uses,
                 last_used_at = greatest(key_usage.last_used_at, excluded.last_used_at)",
        key.connection,
        key.purpose,
        key.key_id,
        uses,
        last_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Adds refusals.
pub async fn add_rejected_webhooks(
    db: &mut PgConnection,
    key: &RejectedWebhookKey,
    count: i64,
    last_at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into rejected_webhook (connection, source, hint, first_at, last_at, count) values ($1, $2, $3, $5, $5, $4)
         on conflict (connection, source, hint) do update
             set count = rejected_webhook.count + excluded.count, last_at = greatest(rejected_webhook.last_at, excluded.last_at)",
        key.connection,
        key.source,
        key.hint,
        count,
        last_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A key as people see it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct KeyUsageRow {
    /// Whose; empty for admin tokens.
    pub connection: String,
    /// What it opens.
    pub purpose: String,
    /// Tells it from others.
    pub key_id: String,
    /// When a configuration first had it.
    pub first_seen_at: Timestamp,
    /// When it last opened.
    pub last_used_at: Option<Timestamp>,
    /// How often.
    pub uses: i64,
}

/// The keys of a connection, or with an empty name the admin tokens; those used last first.
pub async fn list_keys(db: &mut PgConnection, connection: &str) -> Result<Vec<KeyUsageRow>> {
    let rows = sqlx::query_as!(
        KeyUsageRow,
        "select connection, purpose, key_id, first_seen_at, last_used_at, uses from key_usage
         where connection = $1 order by purpose, last_used_at desc nulls last, key_id",
        connection,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Refused signatures as people see them.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RejectedWebhookRow {
    /// Who they say they are from.
    pub source: String,
    /// What seems to be wrong.
    pub hint: String,
    /// The first one.
    pub first_at: Timestamp,
    /// The last one.
    pub last_at: Timestamp,
    /// How many.
    pub count: i64,
}

/// A connection's refused signatures, the last first.
pub async fn list_rejected(db: &mut PgConnection, connection: &str) -> Result<Vec<RejectedWebhookRow>> {
    let rows = sqlx::query_as!(
        RejectedWebhookRow,
        "select source, hint, first_at, last_at, count from rejected_webhook where connection = $1 order by last_at desc",
        connection,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Wants to learn from the next refused webhook of a source, until then.
pub async fn request_detection(
    db: &mut PgConnection,
    connection: &str,
    source: &str,
    actor: &str,
    until: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into signature_detection (connection, source, wanted_until, requested_by) values ($1, $2, $3, $4)
         on conflict (connection, source) do update
             set wanted_until = excluded.wanted_until, requested_by = excluded.requested_by, detected_at = null, headers = null, found = null",
        connection,
        source,
        until,
        actor,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Does somebody want to learn from this source now?
pub async fn is_detecting(
    db: &mut PgConnection,
    connection: &str,
    source: &str,
    now: Timestamp,
) -> Result<bool> {
    let wanted = sqlx::query_scalar!(
        r#"select exists (
            select 1 from signature_detection where connection = $1 and source = $2 and wanted_until > $3 and detected_at is null
        ) as "wanted!""#,
        connection,
        source,
        now,
    );
    Ok(wanted.fetch_one(db).await?)
}

/// What a webhook taught; the first one of several at once counts.
pub async fn save_detection(
    db: &mut PgConnection,
    connection: &str,
    source: &str,
    headers: &[String],
    found: &Value,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "update signature_detection set detected_at = $5, headers = $3, found = $4
         where connection = $1 and source = $2 and detected_at is null",
        connection,
        source,
        headers,
        found,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What was learnt.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SignatureDetectionRow {
    /// When the webhook came.
    pub detected_at: Timestamp,
    /// The names of its headers.
    pub headers: Vec<String>,
    /// Which of them holds an HMAC, by what.
    pub found: Value,
}

/// What was learnt of a source since it was last asked; nothing while none has come.
pub async fn find_detection(
    db: &mut PgConnection,
    connection: &str,
    source: &str,
) -> Result<Option<SignatureDetectionRow>> {
    let row = sqlx::query_as!(
        SignatureDetectionRow,
        r#"select detected_at as "detected_at!", headers as "headers!", found as "found!" from signature_detection
           where connection = $1 and source = $2 and detected_at is not null"#,
        connection,
        source,
    );
    Ok(row.fetch_optional(db).await?)
}
