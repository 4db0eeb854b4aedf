//! What `silta doctor` checks of webhooks: are they subscribed to, and did one fit lately.

use anyhow::Result;

use super::{check::Check, database::Database, doctor_vendors::VendorChecks};
use crate::{
    app::App,
    background::subscriptions::SubscriptionError,
    domain::{Timestamp, language::Language},
    explain,
    runtime::clock::{Clock, SystemClock},
    store::{key_usage, rejected_webhooks},
};

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

/// Whether both vendors have subscriptions that lead here.
pub(super) async fn check_subscriptions(app: &App, vendors: &VendorChecks<'_>) -> Result<Check> {
    let connection = &vendors.clients.name;
    let subscriptions = &app.subscriptions;
    let subscriber = subscriptions.find(connection)?;
    let (listed, shop_has_list) = match subscriptions.list(subscriber).await {
        Ok(listed) => listed,
        Err(SubscriptionError::Call(error)) => return Ok(vendors.failed("webhooks", &error).await),
        Err(error) => return Err(error.into()),
    };
    let count_own = |source| listed.iter().filter(|it| it.source == source && it.is_ours).count();
    let (shop, warehouse) = (count_own("mycashflow"), count_own("ogoship"));
    let unlisted = if shop_has_list { "" } else { " (it does not list them)" };
    let url = &subscriber.public_url;
    let found = format!("{shop} at the shop{unlisted}, {warehouse} at the warehouse call {url}");
    let check = Check::good(connection, "webhooks", found);
    let is_ok = (shop > 0 || !shop_has_list) && warehouse > 1;
    Ok(if is_ok { check } else { check.failed(format!("silta webhooks register {connection}")) })
}

/// Whether a webhook matched a key lately, and whether one was rejected since.
pub(super) async fn check_signatures(database: &Database, connection: &str) -> Result<Check> {
    let mut db = database.pool.acquire().await?;
    let (keys, refusals) = (
        key_usage::list_keys(&mut db, connection).await?,
        rejected_webhooks::list_rejected(&mut db, connection).await?,
    );
    let now = SystemClock.now();
    let mut messages = Vec::new();
    let mut is_ok = true;
    for (source, purpose) in [("mycashflow", "mycashflow_webhook"), ("ogoship", "ogoship_webhook")] {
        let last = keys.iter().filter(|key| key.purpose == purpose).filter_map(|key| key.last_used_at).max();
        let ago = |at: Timestamp| {
            humantime::format_duration((now - at).to_std().unwrap_or_default().max(SECOND)).to_string()
        };
        messages.push(match last {
            Some(at) => format!(
                "{source}: a signature matched {} ago",
                ago(at).split(' ').take(2).collect::<Vec<_>>().join(" ")
            ),
            None => format!("{source}: no signature has matched yet"),
        });
        let refused =
            refusals.iter().filter(|it| it.source == source && last.is_none_or(|last| it.last_at > last));
        for refusal in refused {
            is_ok = false;
            messages.push(explain::hint_text(&refusal.hint, Language::English));
        }
    }
    let check = Check::good(connection, "signatures", messages.join("; "));
    let remedy = format!("silta webhooks detect {connection} finds how a rejected webhook is signed");
    Ok(if is_ok { check } else { check.failed(remedy) })
}
