//! Table `key_usage`: how old each key is and when it was last used.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// Identifies a key without revealing it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyIdentity {
    /// The key's connection; empty for admin tokens.
    pub connection: String,
    /// `mycashflow_webhook`, `ogoship_webhook` or `admin_token`.
    pub purpose: &'static str,
    /// Eight hex digits, or a token's name.
    pub key_id: String,
}

/// Ensures a row for every key; the age of a new key starts now.
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

/// A key as pages and the API show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct KeyUsageRow {
    /// The key's connection; empty for admin tokens.
    pub connection: String,
    /// What it authenticates.
    pub purpose: String,
    /// Tells it from other keys.
    pub key_id: String,
    /// When a configuration first had it.
    pub first_seen_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// How often it was used.
    pub uses: i64,
}

/// The keys of a connection, or with an empty name the admin tokens; the last used first.
pub async fn list_keys(db: &mut PgConnection, connection: &str) -> Result<Vec<KeyUsageRow>> {
    let rows = sqlx::query_as!(
        KeyUsageRow,
        "select connection, purpose, key_id, first_seen_at, last_used_at, uses from key_usage
         where connection = $1 order by purpose, last_used_at desc nulls last, key_id",
        connection,
    );
    Ok(rows.fetch_all(db).await?)
}
