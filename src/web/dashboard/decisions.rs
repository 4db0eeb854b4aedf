//! What a person has to decide: causes of stopped work, stock figures that are held back, syncs that wait for an approval.
//! Twelve orders with one method that nobody has chosen are one decision.

use std::collections::HashMap;

use maud::{Markup, html};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    badge::{Tone, badge},
    cause::cause_path,
    cause_card::what_happened,
    cause_remedy::{Remedy, remedy_of},
    concern::{called_last, detail_text},
    user::User,
    widgets::sync_kind,
};
use crate::{
    domain::{Timestamp, vendor::Vendor},
    explain::{self, Audience, attention_texts, counted_in},
    store::{
        self, attempts,
        views::{
            attention::{self, AttentionCause},
            braked::{self, Brake},
            waiting_syncs::{self, WaitingSync},
        },
    },
};

/// A decision.
pub(super) enum Decision {
    /// What stopped for one cause.
    Cause(AttentionCause),
    /// Stock figures that would fall to zero at once.
    Brake(Brake),
    /// What a sync has found and left.
    Sync(WaitingSync),
}

impl Decision {
    /// The cause, where it is one.
    pub(super) const fn cause(&self) -> Option<&AttentionCause> {
        match self {
            Self::Cause(cause) => Some(cause),
            Self::Brake(_) | Self::Sync(_) => None,
        }
    }

    /// Since when it waits.
    pub(super) const fn since(&self) -> Timestamp {
        match self {
            Self::Cause(cause) => cause.oldest_at,
            Self::Brake(brake) => brake.since,
            Self::Sync(sync) => sync.since,
        }
    }
}

/// Lists them, the oldest first.
pub(super) async fn load(db: &mut PgConnection, audience: Audience) -> store::Result<Vec<Decision>> {
    let causes = audience.causes(attention::list_causes(db).await?);
    let mut decisions: Vec<_> = causes.into_iter().map(Decision::Cause).collect();
    decisions.extend(braked::list_brakes(db).await?.into_iter().map(Decision::Brake));
    decisions.extend(waiting_syncs::list(db).await?.into_iter().map(Decision::Sync));
    decisions.sort_by_key(Decision::since);
    Ok(decisions)
}

/// The vendors that the causes among these decisions are about, as far as that is known, by the oldest task of each.
pub(super) type Vendors = HashMap<Uuid, Vendor>;

/// Finds them.
pub(super) async fn load_vendors(db: &mut PgConnection, decisions: &[Decision]) -> store::Result<Vendors> {
    let causes: Vec<_> = decisions.iter().filter_map(Decision::cause).collect();
    let ids: Vec<_> = causes.iter().flat_map(|cause| cause.oldest_ids.iter().copied()).collect();
    let newest = attempts::list_newest(db, &ids).await?;
    let vendors = causes.into_iter().filter_map(|cause| {
        let vendor = cause.oldest_ids.iter().find_map(|id| called_last(newest.get(id)?))?;
        Some((*cause.oldest_ids.first()?, vendor))
    });
    Ok(vendors.collect())
}

/// These decisions as lines, each with the way to its remedy.
pub(super) fn lines(user: &User, decisions: &[Decision], vendors: &Vendors) -> Markup {
    html! {
        ul.todo { @for decision in decisions { li {
            (badge(tone(decision), &explain::duration_text(user.now - decision.since(), user.language)))
            (line(user, decision, vendors))
        } } }
    }
}

fn tone(decision: &Decision) -> Tone {
    match decision {
        Decision::Cause(cause) if cause.state == "in_doubt" => Tone::Stopped,
        Decision::Cause(_) | Decision::Brake(_) | Decision::Sync(_) => Tone::Attention,
    }
}

fn line(user: &User, decision: &Decision, vendors: &Vendors) -> Markup {
    let words = user.words();
    match decision {
        Decision::Cause(cause) => {
            let vendor = cause.oldest_ids.first().and_then(|id| vendors.get(id)).copied();
            let what = what_happened(user, cause, vendor);
            let more = html! {
                (cause.connection)
                @if let Some(detail) = &cause.detail { " – " (detail_text(user, &cause.reason, detail)) }
            };
            parts(user, &what, &more, &path(cause))
        }
        Decision::Brake(brake) => {
            let what = html! {
                (words.braked)
                @if brake.count > 0 { ": " (counted_in(brake.count, words.stock_count, user.language)) }
            };
            parts(user, &what, &html! { (brake.connection) }, "/attention")
        }
        Decision::Sync(sync) => {
            let waits = attention_texts(user.language).sync_waits;
            let what =
                html! { (sync_kind(user, &sync.what)) ": " (counted_in(sync.count, waits, user.language)) };
            parts(user, &what, &html! { (sync.connection) }, &format!("/products/syncs/{}", sync.id))
        }
    }
}

/// Where a cause is decided: on its card, if its remedy is there alone.
fn path(cause: &AttentionCause) -> String {
    match remedy_of(&cause.state, &cause.reason, &cause.kind) {
        Remedy::Unknown | Remedy::Adopt | Remedy::Replacement if cause.kind == "order" => {
            "/attention".to_owned()
        }
        _ => cause_path(cause),
    }
}

fn parts(user: &User, what: &Markup, more: &Markup, to: &str) -> Markup {
    html! {
        div { p.strong.first { (what) } p.soft { (more) } }
        a.btn href=(to) { (user.words().decide) }
    }
}
