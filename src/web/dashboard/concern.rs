//! What a cause concerns: the oldest of its orders or products, as links, and with what a remedy needs of them.

use maud::{Markup, html};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{listing::order_path, user::User};
use crate::{
    domain::{Timestamp, id::TaskId},
    explain::{attention_texts, subject_text},
    store::{
        self, Page,
        attempts::{self, AttemptRow},
        views::{
            attention::AttentionCause,
            orders::{self, OrderFilter, OrderPage, OrderRow, OrderSort},
            overview::{self, TaskFilter, TaskRow},
            releasable::{self, WaitingFilter},
            task_list,
        },
    },
};

/// Orders or products that a card shows.
pub(super) const MAX_CONCERNS: i64 = 5;

/// What a cause concerns: a task, and what is known of its order where the remedy needs it.
pub(super) struct Concern {
    pub(super) task: Option<Uuid>,
    pub(super) subject: String,
    pub(super) order: Option<OrderRow>,
    /// The last attempt, where a person must know what it came to.
    pub(super) last_attempt: Option<AttemptRow>,
}

/// Loads the oldest that a cause concerns; with their orders where those are needed.
pub(super) async fn load(
    db: &mut PgConnection,
    cause: &AttentionCause,
    (needs_orders, now): (bool, Timestamp),
) -> store::Result<Vec<Concern>> {
    let page = Page { before: None, limit: MAX_CONCERNS };
    if cause.state == "on_hold" && cause.kind == "order" {
        let (connection, reason) = (Some(cause.connection.clone()), Some(cause.reason.clone()));
        let filter = OrderFilter { connection, reason, sort: OrderSort::Oldest, ..OrderFilter::default() };
        let oldest = OrderPage { after: None, limit: MAX_CONCERNS };
        return Ok(orders::list(db, &filter, &oldest, now).await?.into_iter().map(of_order).collect());
    }
    let filter = TaskFilter {
        connection: Some(cause.connection.clone()),
        kind: Some(cause.kind.clone()),
        reason: Some(cause.reason.clone()).filter(|reason| !reason.is_empty()),
        detail: cause.detail.clone(),
        state: Some(cause.state.clone()),
        ..TaskFilter::default()
    };
    let tasks = match cause.state.as_str() {
        "dead" => overview::list_closed_oldest_first(db, &filter, MAX_CONCERNS).await?,
        "in_doubt" => task_list::list(db, &filter, &page).await?,
        _ => {
            let (connection, reason) = (cause.connection.as_str(), cause.reason.as_str());
            let filter = WaitingFilter { connection, reason, detail: None, ids: None };
            releasable::list(db, &filter, MAX_CONCERNS).await?
        }
    };
    let mut concerns = Vec::new();
    for TaskRow { id, connection, subject, .. } in tasks {
        let (mut order, mut last_attempt) = (None, None);
        if needs_orders {
            let order_id = subject.strip_prefix("order:").unwrap_or_default();
            order = orders::find(db, &connection, order_id).await?;
            last_attempt = attempts::list(db, TaskId(id)).await?.pop();
        }
        concerns.push(Concern { task: Some(id), subject, order, last_attempt });
    }
    Ok(concerns)
}

fn of_order(order: OrderRow) -> Concern {
    let subject = format!("order:{}", order.order_id);
    Concern { task: order.task_id, subject, order: Some(order), last_attempt: None }
}

/// The orders or products as links.
pub(super) fn links(user: &User, cause: &AttentionCause, concerns: &[Concern]) -> Markup {
    let rest = cause.count > i64::try_from(concerns.len()).unwrap_or(i64::MAX);
    html! {
        @if !concerns.is_empty() {
            p {
                @for (at, concern) in concerns.iter().enumerate() {
                    @if at > 0 { ", " }
                    (link(user, &cause.connection, &concern.subject))
                }
                @if rest { " " (attention_texts(user.language).and_more) }
            }
        }
    }
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
    let rest = count > i64::try_from(tasks.len()).unwrap_or(i64::MAX);
    html! {
        p {
            @for (at, task) in tasks.iter().enumerate() {
                @if at > 0 { ", " }
                (link(user, connection, &task.subject))
            }
            @if rest { " " (attention_texts(user.language).and_more) }
        }
    }
}
