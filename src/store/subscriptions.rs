//! Table `subscription`: the webhook subscriptions that we made at the two vendors. Keys come and go sealed.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::Timestamp;

/// A subscription that we made.
#[derive(Clone, Debug)]
pub struct NewSubscription<'a> {
    /// `UUIDv7`.
    pub id: Uuid,
    /// For whom.
    pub connection: &'a str,
    /// mycashflow or ogoship.
    pub source: &'a str,
    /// What it tells of.
    pub topic: &'a str,
    /// Its id there.
    pub remote_id: &'a str,
    /// What it calls, without the token.
    pub url: &'a str,
    /// Its key, sealed, and what the key is called.
    pub key: Option<(&'a [u8], &'a str)>,
    /// Who registered it.
    pub actor: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Keeps a subscription.
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

/// A subscription as people see it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SubscriptionRow {
    /// `UUIDv7`.
    pub id: Uuid,
    /// mycashflow or ogoship.
    pub source: String,
    /// What it tells of.
    pub topic: String,
    /// Its id there.
    pub remote_id: String,
    /// What it calls, without the token.
    pub url: String,
    /// What its key is called; nothing where we do not keep it.
    pub key_id: Option<String>,
    /// Who registered it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was last in that vendor's list.
    pub seen_at: Timestamp,
}

/// A connection's subscriptions that were not removed, the oldest first.
pub async fn list(db: &mut PgConnection, connection: &str) -> Result<Vec<SubscriptionRow>> {
    let rows = sqlx::query_as!(
        SubscriptionRow,
        "select id, source, topic, remote_id, url, key_id, created_by, created_at, seen_at from subscription
         where connection = $1 and removed_at is null order by id",
        connection,
    );
    Ok(rows.fetch_all(db).await?)
}

/// It was in that vendor's list.
pub async fn mark_seen(db: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<()> {
    sqlx::query!("update subscription set seen_at = $2 where id = $1", id, now).execute(db).await?;
    Ok(())
}

/// It is no longer ours; false where it was not.
pub async fn remove(db: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<bool> {
    let done =
        sqlx::query!("update subscription set removed_at = $2 where id = $1 and removed_at is null", id, now);
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Keeps a key sealed anew, where it still is as it was.
pub async fn replace_sealed_key(db: &mut PgConnection, id: Uuid, old: &[u8], new: &[u8]) -> Result<()> {
    sqlx::query!("update subscription set sealed_key = $3 where id = $1 and sealed_key = $2", id, old, new)
        .execute(db)
        .await?;
    Ok(())
}

/// A sealed key, and what it is called.
#[derive(Clone, Debug)]
pub struct SealedKey {
    /// Of which subscription.
    pub id: Uuid,
    /// mycashflow or ogoship.
    pub source: String,
    /// What it is called.
    pub key_id: String,
    /// Sealed.
    pub sealed: Vec<u8>,
}

/// The keys that a connection's webhooks may still be signed with: those of its subscriptions, and of what was removed
/// since `since`.
pub async fn list_keys(db: &mut PgConnection, connection: &str, since: Timestamp) -> Result<Vec<SealedKey>> {
    let rows = sqlx::query_as!(
        SealedKey,
        r#"select id, source, key_id as "key_id!", sealed_key as "sealed!" from subscription
           where connection = $1 and sealed_key is not null and (removed_at is null or removed_at > $2)
           order by id desc"#,
        connection,
        since,
    );
    Ok(rows.fetch_all(db).await?)
}
