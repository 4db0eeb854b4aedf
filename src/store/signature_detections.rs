//! Table `signature_detection`: how a sender signs, detected from a rejected webhook that a known key has signed.

use serde_json::Value;
use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// Requests detection: rejected webhooks of a source before `until` are examined until a known key has signed one.
pub async fn request_detection(
    db: &mut PgConnection,
    connection: &str,
    source: &str,
    actor: &str,
    (now, until): (Timestamp, Timestamp),
) -> Result<()> {
    sqlx::query!(
        "insert into signature_detection (connection, source, wanted_until, requested_by, requested_at)
         values ($1, $2, $3, $4, $5)
         on conflict (connection, source) do update set
             wanted_until = excluded.wanted_until, requested_by = excluded.requested_by,
             requested_at = excluded.requested_at,
             detected_at = null, headers = null, found = null,
             unsigned_headers = null, wrong_tokens = 0, wrong_token_at = null",
        connection,
        source,
        until,
        actor,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// True if detection is requested for this source and has no result yet.
pub async fn is_detecting(
    db: &mut PgConnection,
    connection: &str,
    source: &str,
    now: Timestamp,
) -> Result<bool> {
    let wanted = sqlx::query_scalar!(
        r#"select exists (
            select 1 from signature_detection
            where connection = $1 and source = $2 and wanted_until > $3 and detected_at is null
        ) as "wanted!""#,
        connection,
        source,
        now,
    );
    Ok(wanted.fetch_one(db).await?)
}

/// Keeps the names of the headers of a webhook that no known key has signed. It does not end the detection.
pub async fn record_unsigned(
    db: &mut PgConnection,
    connection: &str,
    source: &str,
    headers: &[String],
) -> Result<()> {
    sqlx::query!(
        "update signature_detection set unsigned_headers = $3
         where connection = $1 and source = $2 and detected_at is null",
        connection,
        source,
        headers,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The names of the headers of the last webhook that no known key has signed, since the last request.
pub async fn find_unsigned(
    db: &mut PgConnection,
    connection: &str,
    source: &str,
) -> Result<Option<Vec<String>>> {
    let headers = sqlx::query_scalar!(
        "select unsigned_headers from signature_detection where connection = $1 and source = $2",
        connection,
        source,
    );
    Ok(headers.fetch_optional(db).await?.flatten())
}

/// Counts a webhook whose path has a wrong token, where a detection waits for one.
pub async fn record_wrong_token(
    db: &mut PgConnection,
    connection: &str,
    source: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "update signature_detection set wrong_tokens = wrong_tokens + 1, wrong_token_at = $3
         where connection = $1 and source = $2 and wanted_until > $3 and detected_at is null",
        connection,
        source,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How many webhooks came with a wrong token in their path since the last request.
pub async fn count_wrong_tokens(db: &mut PgConnection, connection: &str, source: &str) -> Result<i64> {
    let count = sqlx::query_scalar!(
        "select wrong_tokens from signature_detection where connection = $1 and source = $2",
        connection,
        source,
    );
    Ok(count.fetch_optional(db).await?.unwrap_or_default())
}

/// Stores the result; of several at once, the first one stays.
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

/// The result of a detection.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SignatureDetectionRow {
    /// When the webhook arrived.
    pub detected_at: Timestamp,
    /// The names of its headers.
    pub headers: Vec<String>,
    /// Which of them holds an HMAC, and how it is made.
    pub found: Value,
}

/// The result since the last request; `None` while no webhook has arrived that a known key has signed.
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

/// What was asked for, and what has come since.
#[derive(Clone, Debug)]
pub struct DetectionRequest {
    /// mycashflow or ogoship.
    pub source: String,
    /// Who asked.
    pub requested_by: String,
    /// When; `None` where an older version was asked.
    pub requested_at: Option<Timestamp>,
    /// Until when it waits.
    pub wanted_until: Timestamp,
    /// When a webhook came that a known key has signed.
    pub detected_at: Option<Timestamp>,
    /// How that one is signed: names only.
    pub found: Option<Value>,
    /// The names of the headers of the last webhook that no known key has signed.
    pub unsigned_headers: Option<Vec<String>>,
    /// How many webhooks came with a wrong token in their path.
    pub wrong_tokens: i64,
}

/// Lists the last request for each sender of a connection.
pub async fn list_requests(db: &mut PgConnection, connection: &str) -> Result<Vec<DetectionRequest>> {
    let rows = sqlx::query_as!(
        DetectionRequest,
        "select source, requested_by, requested_at, wanted_until, detected_at, found, unsigned_headers, wrong_tokens
         from signature_detection where connection = $1 order by source",
        connection,
    );
    Ok(rows.fetch_all(db).await?)
}
