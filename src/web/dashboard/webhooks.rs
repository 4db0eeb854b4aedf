//! What the porch has seen, on the page of connections: subscriptions, keys and their use, refused signatures with a hint.

use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    Dash,
    page::{time, time_or_never},
    session::Visitor,
};
use crate::{
    explain,
    store::{
        self,
        subscriptions::{self, SubscriptionRow},
        webhook_checks::{self, KeyRow, RefusalRow},
    },
};

/// What one connection's porch has seen.
pub(super) struct Porch {
    subscriptions: Vec<SubscriptionRow>,
    keys: Vec<KeyRow>,
    refusals: Vec<RefusalRow>,
}

impl Porch {
    pub(super) async fn read(db: &mut PgConnection, connection: &str) -> store::Result<Self> {
        Ok(Self {
            subscriptions: subscriptions::list(db, connection).await?,
            keys: webhook_checks::keys(db, connection).await?,
            refusals: webhook_checks::refusals(db, connection).await?,
        })
    }

    pub(super) fn show(&self, dash: &Dash, visitor: &Visitor) -> Markup {
        let words = visitor.language.words();
        html! {
            h3 { (words.subscriptions) }
            @if self.subscriptions.is_empty() { p { (words.no_subscriptions) } } @else { div.wide tabindex="0" { table {
                thead { tr { th { (words.source) } th { (words.topic) } th { (words.key) } th { (words.by) } th { (words.at) } th { (words.seen_at) } } }
                tbody { @for row in &self.subscriptions { tr {
                    td { (row.source) }
                    td { (row.topic) }
                    td { code { (row.key_id.as_deref().unwrap_or("–")) } }
                    td { (row.made_by) }
                    td { (time(dash, visitor, row.made_at)) }
                    td { (time(dash, visitor, row.seen_at)) }
                } } }
            } } }
            h3 { (words.keys) }
            p.small { (words.keys_text) }
            (key_table(dash, visitor, &self.keys))
            h3 { (words.refused) }
            @if self.refusals.is_empty() { p { (words.none_refused) } } @else { div.wide tabindex="0" { table {
                thead { tr { th { (words.source) } th { (words.hint) } th { (words.how_many) } th { (words.last_at) } } }
                tbody { @for row in &self.refusals { tr {
                    td { (row.source) }
                    td { (explain::hint_words(&row.hint, visitor.language)) }
                    td { (row.count) }
                    td { (time(dash, visitor, row.last_at)) }
                } } }
            } } }
        }
    }
}

/// Keys with their age and use.
pub(super) fn key_table(dash: &Dash, visitor: &Visitor, keys: &[KeyRow]) -> Markup {
    let words = visitor.language.words();
    html! {
        @if keys.is_empty() { p { (words.nothing_here) } } @else { div.wide tabindex="0" { table {
            thead { tr { th { (words.key) } th { (words.purpose) } th { (words.age) } th { (words.uses) } th { (words.last_used) } } }
            tbody { @for row in keys { tr {
                td { code { (row.key_id) } }
                td { (explain::purpose_words(&row.purpose, visitor.language)) }
                td { (time(dash, visitor, row.first_seen_at)) }
                td { (row.uses) }
                td { (time_or_never(dash, visitor, row.last_used_at)) }
            } } }
        } } }
    }
}
