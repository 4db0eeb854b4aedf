//! The webhook section of the page of connections: subscriptions, keys with their use, rejected signatures with a hint.

use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    connection_parts::part,
    user::User,
    widgets::{time, time_or_never},
};
use crate::{
    explain,
    store::{
        self,
        key_usage::{self, KeyUsageRow},
        rejected_webhooks::{self, RejectedWebhookRow},
        signature_detections::{self, DetectionRequest},
        subscriptions::{self, SubscriptionRow},
    },
};

/// The webhook state of one connection.
pub(super) struct WebhookStatus {
    subscriptions: Vec<SubscriptionRow>,
    keys: Vec<KeyUsageRow>,
    rejected: Vec<RejectedWebhookRow>,
    pub(super) requests: Vec<DetectionRequest>,
}

impl WebhookStatus {
    pub(super) async fn load(db: &mut PgConnection, connection: &str) -> store::Result<Self> {
        Ok(Self {
            subscriptions: subscriptions::list(db, connection).await?,
            keys: key_usage::list_keys(db, connection).await?,
            rejected: rejected_webhooks::list_rejected(db, connection).await?,
            requests: signature_detections::list_requests(db, connection).await?,
        })
    }

    /// What seemed wrong with webhooks of its sender that were rejected since a detection was asked for.
    pub(super) fn rejected_since(&self, request: &DetectionRequest) -> Vec<&str> {
        let of_sender = self.rejected.iter().filter(|row| row.source == request.source);
        let since = of_sender.filter(|row| request.requested_at.is_some_and(|at| row.last_at >= at));
        since.map(|row| row.hint.as_str()).collect()
    }

    /// Whether a webhook of its sender was accepted since then.
    pub(super) fn was_accepted_since(&self, request: &DetectionRequest) -> bool {
        let purpose = format!("{}_webhook", request.source);
        let mut used =
            self.keys.iter().filter(|row| row.purpose == purpose).filter_map(|row| row.last_used_at);
        used.any(|at| request.requested_at.is_some_and(|since| at >= since))
    }

    /// The tables; what an operator can do stands below the subscriptions.
    pub(super) fn render(&self, user: &User, connection: &str, actions: &Markup) -> Markup {
        let words = user.words();
        let keys = format!("{}: {connection}", words.keys);
        html! {
            (part(words.subscriptions, connection, &subscription_table(user, &self.subscriptions)))
            (actions)
            section.card.flush aria-label=(keys) { h2 { (words.keys) } (key_table(user, &keys, &self.keys)) }
            p.soft { (words.keys_text) }
            (part(words.rejected_webhooks, connection, &rejected_table(user, &self.rejected)))
        }
    }
}

fn subscription_table(user: &User, rows: &[SubscriptionRow]) -> Markup {
    let words = user.words();
    html! {
        @if rows.is_empty() { p.empty { (words.no_subscriptions) } } @else { table.stack {
            thead { tr {
                th scope="col" { (words.source) } th scope="col" { (words.key) } th scope="col" { (words.by) }
                th scope="col" { (words.seen_at) }
            } }
            tbody { @for row in rows { tr {
                th scope="row" { (explain::source_text(&row.source, user.language)) small { (row.topic) } }
                td.code data-l=(words.key) { (row.key_id.as_deref().unwrap_or("–")) }
                td data-l=(words.by) { (row.created_by) " " (time(user, row.created_at)) }
                td data-l=(words.seen_at) { (time(user, row.seen_at)) }
            } } }
        } }
    }
}

fn rejected_table(user: &User, rows: &[RejectedWebhookRow]) -> Markup {
    let words = user.words();
    html! {
        @if rows.is_empty() { p.empty { (words.no_rejected_webhooks) } } @else { table.stack {
            thead { tr {
                th scope="col" { (words.source) } th scope="col" { (words.hint) } th.num scope="col" { (words.how_many) }
                th scope="col" { (words.last_at) }
            } }
            tbody { @for row in rows { tr {
                th scope="row" { (explain::source_text(&row.source, user.language)) }
                td.wide { (explain::hint_text(&row.hint, user.language)) }
                td.num data-l=(words.how_many) { (row.count) }
                td data-l=(words.last_at) { (time(user, row.last_at)) }
            } } }
        } }
    }
}

/// A table of keys with their age and use.
pub(super) fn key_table(user: &User, label: &str, keys: &[KeyUsageRow]) -> Markup {
    let words = user.words();
    html! {
        @if keys.is_empty() { p.empty { (words.empty_list) } } @else {
            div.scroll role="region" aria-label=(label) tabindex="0" { table.stack {
                thead { tr {
                    th scope="col" { (words.key) } th scope="col" { (words.known_since) } th.num scope="col" { (words.uses) }
                    th scope="col" { (words.last_used) }
                } }
                tbody { @for row in keys { tr {
                    th scope="row" { span.code { (row.key_id) } small { (explain::capitalised(&explain::purpose_text(&row.purpose, user.language))) } }
                    td data-l=(words.known_since) { (time(user, row.first_seen_at)) }
                    td.num data-l=(words.uses) { (explain::number_text(row.uses, user.language)) }
                    td data-l=(words.last_used) { (time_or_never(user, row.last_used_at)) }
                } } }
            } }
        }
    }
}
