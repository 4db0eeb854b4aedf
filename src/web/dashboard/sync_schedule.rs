//! The schedule of syncs: of each kind the last run, what it came to, and when the next one is due.

use std::collections::HashMap;

use maud::{Markup, html};

use super::{
    user::User,
    widgets::{reason, state, time},
};
use crate::{
    domain::{
        sync::SyncKind,
        sync_schedule::{LastRequested, SyncSchedule},
    },
    explain::{connection_texts, number_text, sync_kind_text},
    store::{
        connections::ConnectionRow,
        views::last_syncs::{LastSync, MOST_COUNTED},
    },
};

/// The schedules by connection, and the last sync of each kind.
pub(super) struct Schedules<'a> {
    pub(super) configured: &'a HashMap<String, SyncSchedule>,
    pub(super) last: &'a [LastSync],
}

/// The schedule of these connections.
pub(super) fn schedule_table(user: &User, schedules: &Schedules<'_>, rows: &[&ConnectionRow]) -> Markup {
    let (words, texts) = (user.words(), connection_texts(user.language));
    html! {
        table.stack {
            thead { tr {
                th scope="col" { (words.what) } th scope="col" { (texts.last_sync) }
                th.num scope="col" { (words.differences) } th scope="col" { (texts.next_sync) }
            } }
            tbody { @for row in rows { @for what in SyncKind::ALL.iter().copied() {
                (line(user, schedules, (row, what), rows.len() > 1))
            } } }
        }
    }
}

fn line(
    user: &User,
    schedules: &Schedules<'_>,
    (row, what): (&ConnectionRow, SyncKind),
    names_connection: bool,
) -> Markup {
    let (words, texts) = (user.words(), connection_texts(user.language));
    let last = schedules.last.iter().find(|it| it.connection == row.name && it.what == what.as_str());
    html! {
        tr {
            th scope="row" {
                span.first { (sync_kind_text(what, words)) }
                @if names_connection { small { (row.name) } }
            }
            @match last {
                None => { td data-l=(texts.last_sync) { (texts.not_run) } td.num data-l=(words.differences) { "–" } }
                Some(sync) => {
                    td data-l=(texts.last_sync) {
                        span {
                            a href=(format!("/products/syncs/{}", sync.id)) { (state(user, &sync.state)) } " "
                            (time(user, sync.created_at))
                            @if sync.error.is_some() { small { (reason(user, sync.error.as_deref())) } }
                        }
                    }
                    td.num data-l=(words.differences) {
                        (number_text(sync.differences, user.language)) @if sync.differences >= MOST_COUNTED { "+" }
                    }
                }
            }
            td data-l=(texts.next_sync) { (next(user, schedules, row, (what, last))) }
        }
    }
}

/// When it is due next. A process that does not know the connection does not know that either.
fn next(
    user: &User,
    schedules: &Schedules<'_>,
    row: &ConnectionRow,
    (what, last): (SyncKind, Option<&LastSync>),
) -> Markup {
    let texts = connection_texts(user.language);
    let Some(schedule) = schedules.configured.get(&row.name) else { return html! { "–" } };
    let last = last.map(|it| LastRequested { at: it.created_at, has_failed: it.state == "failed" });
    match schedule.next_at(what, row.catalogue_read_at.is_some(), last, user.now) {
        None => html! { (texts.unscheduled) },
        Some(at) if at <= user.now => html! { (texts.due_now) },
        Some(at) => time(user, at),
    }
}
