//! Table `rejected_webhook`: webhooks with a bad or missing signature, counted by what seems to be wrong.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// Identifies one kind of rejected webhook.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RejectedWebhookKey {
    /// The connection it was sent to.
    pub connection: String,
    /// mycashflow or ogoship.
    pub source: &'static str,
    /// What seems to be wrong.
    pub hint: &'static str,
}

/// Adds to the count of one kind of rejected webhook. Those since the last accepted one are counted anew where one was accepted
/// since the last rejection, or that is a day ago.
pub async fn add_rejected_webhooks(
    db: &mut PgConnection,
    key: &RejectedWebhookKey,
    count: i64,
    last_at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into rejected_webhook (connection, source, hint, first_at, last_at, count, since_accepted)
         values ($1, $2, $3, $5, $5, $4, $4)
         on conflict (connection, source, hint) do update
             set count = rejected_webhook.count + excluded.count,
                 since_accepted = excluded.since_accepted + case
                     when rejected_webhook.last_at < excluded.last_at - interval '1 day' or exists (
                         select 1 from key_usage
                         where key_usage.connection = rejected_webhook.connection
                           and key_usage.purpose = rejected_webhook.source || '_webhook'
                           and key_usage.last_used_at >= rejected_webhook.last_at
                     ) then 0
                     else rejected_webhook.since_accepted
                 end,
                 last_at = greatest(rejected_webhook.last_at, excluded.last_at)",
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

/// Rejected webhooks of one kind, as pages and the API show them.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RejectedWebhookRow {
    /// The vendor they claim to come from.
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

/// A connection's rejected webhooks, the last first.
pub async fn list_rejected(db: &mut PgConnection, connection: &str) -> Result<Vec<RejectedWebhookRow>> {
    let rows = sqlx::query_as!(
        RejectedWebhookRow,
        "select source, hint, first_at, last_at, count from rejected_webhook
         where connection = $1 order by last_at desc",
        connection,
    );
    Ok(rows.fetch_all(db).await?)
}
