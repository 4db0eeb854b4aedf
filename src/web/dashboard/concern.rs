//! What a cause concerns: the oldest of its orders or products, as links, and with what a remedy needs of them.

use std::collections::HashMap;

use maud::{Markup, html};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{listing::order_path, user::User};
use crate::{
    domain::{task::reason::Reason, vendor::Vendor},
    explain::{self, attention_texts, subject_text, with_count},
    store::{
        self,
        attempts::{self, AttemptRow},
        views::{
            attention::AttentionCause,
            items,
            orders::{self, OrderRow},
            overview::TaskRow,
        },
    },
};

/// What a cause concerns: a task, and what is known of its order where the remedy needs it.
pub(super) struct Concern {
    pub(super) task: Uuid,
    pub(super) subject: String,
    /// The name of a product.
    pub(super) name: Option<String>,
    pub(super) order: Option<OrderRow>,
    /// The last attempt.
    pub(super) last_attempt: Option<AttemptRow>,
}

/// Loads the oldest that a cause concerns; with their orders where those are needed.
pub(super) async fn load(
    db: &mut PgConnection,
    cause: &AttentionCause,
    needs_orders: bool,
) -> store::Result<Vec<Concern>> {
    let mut names = match cause.kind.as_str() {
        "product" => items::list_names(db, &cause.connection, &cause.oldest_subjects).await?,
        _ => HashMap::new(),
    };
    let mut newest = attempts::list_newest(db, &cause.oldest_ids).await?;
    let mut concerns = Vec::new();
    for (task, subject) in cause.oldest_ids.iter().zip(&cause.oldest_subjects) {
        let mut order = None;
        if let Some(order_id) = subject.strip_prefix("order:").filter(|_| needs_orders) {
            order = orders::find(db, &cause.connection, order_id).await?;
        }
        let last_attempt = newest.remove(task);
        let name = names.remove(subject);
        concerns.push(Concern { task: *task, subject: subject.clone(), name, order, last_attempt });
    }
    Ok(concerns)
}

/// A stuck order, with what the last attempt of this task came to.
pub(super) async fn of_stuck(db: &mut PgConnection, task: Uuid, order: OrderRow) -> store::Result<Concern> {
    let last_attempt = attempts::list_newest(db, &[task]).await?.remove(&task);
    let subject = format!("order:{}", order.order_id);
    Ok(Concern { task, subject, name: None, order: Some(order), last_attempt })
}

impl Concern {
    /// What its last attempt said.
    pub(super) fn detail(&self) -> Option<&str> {
        self.last_attempt.as_ref()?.detail.as_deref()
    }

    /// The vendor that was called last.
    pub(super) fn vendor(&self) -> Option<Vendor> {
        called_last(self.last_attempt.as_ref()?)
    }
}

/// The vendor that an attempt called last.
pub(super) fn called_last(attempt: &AttemptRow) -> Option<Vendor> {
    attempt.calls.as_array()?.last()?["vendor"].as_str()?.parse().ok()
}

/// What the last attempt said; of a shipping method that nobody has mapped its names, since the reason says the rest. A
/// vendor's own words are quoted.
pub(super) fn detail_text(user: &User, reason: &str, detail: &str) -> String {
    match Reason::parse(reason) {
        Some(Reason::ShippingUnmapped) if detail.contains('"') => {
            format!("{}: {}.", attention_texts(user.language).method, explain::method_names(detail))
        }
        Some(Reason::Refused | Reason::Conflict) => refusal(user, detail),
        _ => explain::sentence(&explain::detail(detail, user.language)),
    }
}

/// A vendor's words, and the field that they are about where it is known.
fn refusal(user: &User, words: &str) -> String {
    let texts = attention_texts(user.language);
    match explain::refused_field(words, user.language) {
        Some(field) => format!("{}: {field}. {}", texts.refused_field, texts.quote.replace('%', words)),
        None => texts.quote.replace('%', words),
    }
}

/// Each order or product with what its own last attempt said; only as links where nothing tells them apart.
pub(super) fn links_with_details(user: &User, cause: &AttentionCause, concerns: &[Concern]) -> Markup {
    if cause.detail.is_some() || concerns.iter().all(|concern| concern.detail().is_none()) {
        return links(user, cause, concerns);
    }
    html! {
        ul.rows { @for concern in concerns { li {
            @if let Some(name) = &concern.name { span { (name) } } @else { (link(user, &cause.connection, &concern.subject)) }
            @if let Some(detail) = concern.detail() { span.soft { (detail_text(user, &cause.reason, detail)) } }
        } } }
    }
}

/// The orders or products as links.
pub(super) fn links(user: &User, cause: &AttentionCause, concerns: &[Concern]) -> Markup {
    let rest = rest(user, cause.count, concerns.len());
    html! {
        @if !concerns.is_empty() {
            p {
                @for (at, concern) in concerns.iter().enumerate() {
                    // Names have commas of their own.
                    @if at > 0 { (if concern.name.is_some() { "; " } else { ", " }) }
                    @if let Some(name) = &concern.name { (name) } @else { (link(user, &cause.connection, &concern.subject)) }
                }
                @if let Some(rest) = rest { " " (rest) }
            }
        }
    }
}

/// How many more there are than are shown.
fn rest(user: &User, count: i64, shown: usize) -> Option<String> {
    let rest = usize::try_from(count).unwrap_or_default().saturating_sub(shown);
    (rest > 0).then(|| with_count(attention_texts(user.language).and_more, rest))
}

/// An order as a link; a product or a stock figure by its name.
pub(super) fn link(user: &User, connection: &str, subject: &str) -> Markup {
    html! {
        @match subject.strip_prefix("order:") {
            Some(id) => { a href=(order_path(connection, id)) { (id) } }
            None => { (subject_text(subject, user.language)) }
        }
    }
}

/// Orders of a preview as links.
pub(super) fn order_links(connection: &str, tasks: &[TaskRow], count: i64, user: &User) -> Markup {
    let rest = rest(user, count, tasks.len());
    html! {
        p {
            @for (at, task) in tasks.iter().enumerate() {
                @if at > 0 { ", " }
                (link(user, connection, &task.subject))
            }
            @if let Some(rest) = rest { " " (rest) }
        }
    }
}
