//! The webhook section of the page of connections: subscriptions, keys with their use, rejected signatures with a hint.

use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    user::User,
    widgets::{time, time_or_never},
};
use crate::{
    explain,
    store::{
        self,
        key_usage::{self, KeyUsageRow},
        rejected_webhooks::{self, RejectedWebhookRow},
        subscriptions::{self, SubscriptionRow},
    },
};

/// The webhook state of one connection.
pub(super) struct WebhookStatus {
    subscriptions: Vec<SubscriptionRow>,
    keys: Vec<KeyUsageRow>,
    rejected: Vec<RejectedWebhookRow>,
}

impl WebhookStatus {
    pub(super) async fn load(db: &mut PgConnection, connection: &str) -> store::Result<Self> {
        Ok(Self {
            subscriptions: subscriptions::list(db, connection).await?,
            keys: key_usage::list_keys(db, connection).await?,
            rejected: rejected_webhooks::list_rejected(db, connection).await?,
        })
    }

    pub(super) fn render(&self, user: &User, connection: &str) -> Markup {
        let words = user.words();
        let keys = format!("{}: {connection}", words.keys);
        html! {
            h3 { (words.subscriptions) }
            (subscription_table(user, connection, &self.subscriptions))
            h3 { (words.keys) }
            p.small { (words.keys_text) }
            (key_table(user, &keys, &self.keys))
            h3 { (words.rejected_webhooks) }
            (rejected_table(user, connection, &self.rejected))
        }
    }
}

fn subscription_table(user: &User, connection: &str, rows: &[SubscriptionRow]) -> Markup {
    let words = user.words();
    html! {
        @if rows.is_empty() { p { (words.no_subscriptions) } } @else { div.scroll role="region" aria-label=(format!("{}: {connection}", words.subscriptions)) tabindex="0" { table {
            thead { tr {
                th { (words.source) } th { (words.topic) } th { (words.key) } th { (words.by) } th { (words.at) }
                th { (words.seen_at) }
            } }
            tbody { @for row in rows { tr {
                td { (row.source) }
                td { (row.topic) }
                td { code { (row.key_id.as_deref().unwrap_or("–")) } }
                td { (row.created_by) }
                td { (time(user, row.created_at)) }
                td { (time(user, row.seen_at)) }
            } } }
        } } }
    }
}

fn rejected_table(user: &User, connection: &str, rows: &[RejectedWebhookRow]) -> Markup {
    let words = user.words();
    html! {
        @if rows.is_empty() { p { (words.no_rejected_webhooks) } } @else { div.scroll role="region" aria-label=(format!("{}: {connection}", words.rejected_webhooks)) tabindex="0" { table {
            thead { tr { th { (words.source) } th { (words.hint) } th { (words.how_many) } th { (words.last_at) } } }
            tbody { @for row in rows { tr {
                td { (row.source) }
                td { (explain::hint_text(&row.hint, user.language)) }
                td { (row.count) }
                td { (time(user, row.last_at)) }
            } } }
        } } }
    }
}

/// A table of keys with their age and use.
pub(super) fn key_table(user: &User, label: &str, keys: &[KeyUsageRow]) -> Markup {
    let words = user.words();
    html! {
        @if keys.is_empty() { p { (words.empty_list) } } @else { div.scroll role="region" aria-label=(label) tabindex="0" { table {
            thead { tr {
                th { (words.key) } th { (words.purpose) } th { (words.known_since) } th { (words.uses) } th { (words.last_used) }
            } }
            tbody { @for row in keys { tr {
                td { code { (row.key_id) } }
                td { (explain::purpose_text(&row.purpose, user.language)) }
                td { (time(user, row.first_seen_at)) }
                td { (row.uses) }
                td { (time_or_never(user, row.last_used_at)) }
            } } }
        } } }
    }
}
