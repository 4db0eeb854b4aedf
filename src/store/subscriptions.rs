//! Table `subscription`: the webhook subscriptions that Silta registered at the vendors. Keys are sealed
//! here.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::Timestamp;

/// A new subscription.
#[derive(Clone, Debug)]
pub struct NewSubscription<'a> {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Its connection.
    pub connection: &'a str,
    /// The vendor: mycashflow or ogoship.
    pub source: &'a str,
    /// What it reports, in the vendor's words.
    pub topic: &'a str,
    /// Its id at the vendor.
    pub remote_id: &'a str,
    /// The URL it calls, without the token.
    pub url: &'a str,
    /// Its sealed key, and the key's id.
    pub key: Option<(&'a [u8], &'a str)>,
    /// Who registered it.
    pub actor: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Stores a subscription.
pub async fn insert(db: &mut PgConnection, new: &NewSubscription<'_>) -> Result<()> {
    let (sealed, key_id) = new.key.unzip();
    sqlx::query!(
        "insert into subscription
             (id, connection, source, topic, remote_id, url, sealed_key, key_id, created_by, created_at, seen_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
         on conflict (connection, source, remote_id) do update set
             seen_at = excluded.seen_at, removed_at = null, url = excluded.url,
             sealed_key = coalesce(excluded.sealed_key, subscription.sealed_key),
             key_id = coalesce(excluded.key_id, subscription.key_id)",
        new.id,
        new.connection,
        new.source,
        new.topic,
        new.remote_id,
        new.url,
        sealed,
        key_id,
        new.actor,
        new.at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A subscription as pages and the API show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SubscriptionRow {
    /// `UUIDv7`.
    pub id: Uuid,
    /// The vendor: mycashflow or ogoship.
    pub source: String,
    /// What it reports, in the vendor's words.
    pub topic: String,
    /// Its id at the vendor.
    pub remote_id: String,
    /// The URL it calls, without the token.
    pub url: String,
    /// Its key's id; `None` if the key is not stored.
    pub key_id: Option<String>,
    /// Who registered it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was last in the vendor's list.
    pub seen_at: Timestamp,
}

/// Lists a connection's subscriptions that were not removed, oldest first.
pub async fn list(db: &mut PgConnection, connection: &str) -> Result<Vec<SubscriptionRow>> {
    let rows = sqlx::query_as!(
        SubscriptionRow,
        "select id, source, topic, remote_id, url, key_id, created_by, created_at, seen_at from subscription
         where connection = $1 and removed_at is null order by id",
        connection,
    );
    Ok(rows.fetch_all(db).await?)
}

/// Records that a subscription was in the vendor's list.
pub async fn mark_seen(db: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<()> {
    sqlx::query!("update subscription set seen_at = $2 where id = $1", id, now).execute(db).await?;
    Ok(())
}

/// Marks a subscription as removed; false if it was not registered.
pub async fn remove(db: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<bool> {
    let done =
        sqlx::query!("update subscription set removed_at = $2 where id = $1 and removed_at is null", id, now);
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Replaces a sealed key, unless another process has changed it.
pub async fn replace_sealed_key(db: &mut PgConnection, id: Uuid, old: &[u8], new: &[u8]) -> Result<()> {
    sqlx::query!("update subscription set sealed_key = $3 where id = $1 and sealed_key = $2", id, old, new)
        .execute(db)
        .await?;
    Ok(())
}

/// A sealed key.
#[derive(Clone, Debug)]
pub struct SealedKey {
    /// Its subscription.
    pub id: Uuid,
    /// The subscription's connection.
    pub connection: String,
    /// The vendor: mycashflow or ogoship.
    pub source: String,
    /// Its id, which does not reveal it.
    pub key_id: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

/// Lists the keys that the webhooks of these connections may be signed with: those of their subscriptions, and of those
/// removed after `since`.
pub async fn list_keys(
    db: &mut PgConnection,
    connections: &[String],
    since: Timestamp,
) -> Result<Vec<SealedKey>> {
    let rows = sqlx::query_as!(
        SealedKey,
        r#"select id, connection, source, key_id as "key_id!", sealed_key as "sealed!" from subscription
           where connection = any($1) and sealed_key is not null and (removed_at is null or removed_at > $2)
           order by id desc"#,
        connections,
        since,
    );
    Ok(rows.fetch_all(db).await?)
}
