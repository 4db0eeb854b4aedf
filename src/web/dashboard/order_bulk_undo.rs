//! What was done to several orders at once, and the one button that takes back those of them that have not left.

use axum::{extract::State, response::Redirect};
use maud::{Markup, html};
use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    badge::{Tone, flash},
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    listing::trimmed,
    order_bulk::{back, said_at},
    order_offers::Request,
    user::User,
    widgets::{button, inline_time},
};
use crate::{
    actions::{self, Undone},
    explain::{self, order_texts, with_count},
    store::{
        self,
        bulk_requests::{self, PendingBulk},
    },
};

/// What the address of the list says was done: to how many orders, how many were refused, and by which request; of what was
/// taken back also how many had left, and how many were changed since.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    #[serde(deserialize_with = "trimmed")]
    done: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    count: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    refused: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    left: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    changed: Option<String>,
    #[serde(deserialize_with = "trimmed")]
    bulk: Option<String>,
}

impl Said {
    fn bulk(&self) -> Option<Uuid> {
        self.bulk.as_deref()?.parse().ok()
    }
}

/// Finds what of the request can still be taken back.
pub(super) async fn load(
    db: &mut PgConnection,
    user: &User,
    said: &Said,
) -> store::Result<Option<PendingBulk>> {
    match said.bulk() {
        Some(bulk) => bulk_requests::find_pending(db, bulk, user.now).await,
        None => Ok(None),
    }
}

/// What was done to several orders just now, with the way back where there is one.
pub(super) fn done(user: &User, said: &Said, pending: Option<&PendingBulk>, list: &str) -> Markup {
    let texts = order_texts(user.language);
    let (count, refused) = (number(said.count.as_ref()), number(said.refused.as_ref()));
    let text = match said.done.as_deref() {
        Some("undo") => return undone(user, said),
        done => match done.and_then(Request::parse) {
            Some(Request::Transfer) => texts.done_transfer,
            Some(Request::Hold) => texts.done_hold,
            Some(Request::Release) => texts.done_release,
            Some(Request::Refresh) => texts.done_refresh,
            Some(Request::Cancel | Request::Adopt) | None => return html! {},
        },
    };
    let tone = if pending.is_some() { Tone::Waiting } else { Tone::Ok };
    flash(
        tone,
        &html! {
            span role="status" {
                (with_count(text, count))
                @if refused > 0 { " " (with_count(texts.done_refused, refused)) }
            }
            @if let (Some(pending), Some(bulk)) = (pending, said.bulk()) {
                @let fields = [("bulk", bulk.to_string()), ("back", list.to_owned())];
                @let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
                " " (with_count(texts.bulk_leaves, usize::try_from(pending.count).unwrap_or(usize::MAX)))
                " " (inline_time(user, pending.leaves_at))
                " (" (explain::relative_text(pending.leaves_at, user.now, user.language)) ") "
                (button(user, "/orders/bulk/undo", &fields, texts.undo))
            }
        },
    )
}

/// How many were taken back, and what became of the others.
fn undone(user: &User, said: &Said) -> Markup {
    let texts = order_texts(user.language);
    let (count, left) = (number(said.count.as_ref()), number(said.left.as_ref()));
    let changed = number(said.changed.as_ref());
    flash(
        if left + changed > 0 { Tone::Attention } else { Tone::Ok },
        &html! {
            span role="status" {
                @if count > 0 { (with_count(texts.bulk_undone, count)) } @else { (texts.bulk_none_undone) }
                @if left > 0 { " " (with_count(texts.bulk_left, left)) }
                @if changed > 0 { " " (with_count(texts.bulk_changed, changed)) }
            }
        },
    )
}

fn number(text: Option<&String>) -> usize {
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Takes back what has not left of a request for several orders, each order in its own transaction.
pub(super) async fn undo(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let bulk: Uuid = form.require("bulk")?.parse().map_err(|_| PageError::InvalidForm)?;
    let mut db = deps.pool.acquire().await?;
    let orders = bulk_requests::list(&mut db, bulk).await?;
    drop(db);
    if orders.is_empty() {
        return Err(PageError::NotFound);
    }
    let (mut count, mut left, mut changed) = (0_usize, 0_usize, 0_usize);
    for order in &orders {
        let of = (order.connection.as_str(), order.subject.as_str());
        let undone =
            form.execute(&deps, async |db, actor| actions::undo_of_bulk(db, actor, bulk, of).await).await?;
        match undone {
            Undone::TakenBack => count += 1,
            Undone::Left => left += 1,
            Undone::Changed => changed += 1,
            Undone::Before => {}
        }
    }
    let said = format!("done=undo&count={count}&left={left}&changed={changed}");
    Ok(Redirect::to(&said_at(&back(&form), &said)))
}
