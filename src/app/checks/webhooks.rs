//! What is checked of webhooks: are they subscribed to, and did one fit lately.

use sqlx::PgPool;

use super::vendors::VendorChecks;
use crate::{
    background::subscriptions::{SubscriptionError, Subscriptions},
    domain::{
        Timestamp,
        check::{Check, CheckName, Found, Obstacle, SignatureState},
        event::source::Source,
        vendor::Vendor,
    },
    store::{self, key_usage, rejected_webhooks},
};

/// Whether both vendors have subscriptions that lead here.
pub(super) async fn check_subscriptions(
    subscriptions: &Subscriptions,
    vendors: &VendorChecks<'_>,
) -> store::Result<Check> {
    let name = CheckName::Webhooks;
    let subscriber = match subscriptions.find(&vendors.clients.name) {
        Ok(subscriber) if !subscriber.public_url.is_empty() => subscriber,
        _ => return Ok(Check::skipped(name, Obstacle::NoPublicUrl)),
    };
    let (listed, shop_has_list) = match subscriptions.list(subscriber).await {
        Ok(listed) => listed,
        Err(SubscriptionError::Call(error)) => return Ok(vendors.failed(name, &error).await),
        Err(SubscriptionError::Store(error)) => return Err(error),
        Err(
            SubscriptionError::UnknownConnection
            | SubscriptionError::NoPublicUrl
            | SubscriptionError::Running,
        ) => {
            return Ok(Check::skipped(name, Obstacle::NoPublicUrl));
        }
    };
    let count_own =
        |source: Source| listed.iter().filter(|it| it.source == source.as_str() && it.is_ours).count();
    let (shop, warehouse) = (count_own(Source::MyCashflow), count_own(Source::Ogoship));
    let url = subscriber.public_url.clone();
    let is_ok = (shop > 0 || !shop_has_list) && warehouse > 1;
    Ok(Check::good(name, Found::Subscriptions { shop, warehouse, shop_has_list, url }).required(is_ok))
}

/// Whether a webhook matched a key lately, and whether one was rejected since.
pub(super) async fn check_signatures(
    pool: &PgPool,
    connection: &str,
    now: Timestamp,
) -> store::Result<Check> {
    let mut db = pool.acquire().await?;
    let keys = key_usage::list_keys(&mut db, connection).await?;
    let rejected = rejected_webhooks::list_rejected(&mut db, connection).await?;
    drop(db);
    let state = |(vendor, purpose): (Vendor, &str)| {
        let last = keys.iter().filter(|key| key.purpose == purpose).filter_map(|key| key.last_used_at).max();
        let since = rejected
            .iter()
            .filter(|it| it.source == vendor.as_str() && last.is_none_or(|last| it.last_at > last));
        SignatureState {
            vendor,
            matched_ago: last.map(|at| (now - at).to_std().unwrap_or_default().as_secs()),
            hints: since.map(|it| it.hint.clone()).collect(),
        }
    };
    let senders = [(Vendor::MyCashflow, "mycashflow_webhook"), (Vendor::Ogoship, "ogoship_webhook")];
    let states = senders.map(state).to_vec();
    let is_ok = states.iter().all(|state| state.hints.is_empty());
    Ok(Check::good(CheckName::Signatures, Found::Signatures(states)).required(is_ok))
}
