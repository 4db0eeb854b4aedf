//! The list of syncs.

use axum::extract::{Query, State};
use maud::{Markup, html};

use super::{
    deps::DashboardState,
    error::PageError,
    frame::MenuItem,
    listing::{ListQuery, older_link, split_page},
    page::page,
    sync_schedule::{Schedules, schedule_table},
    user::User,
    widgets::{choices, csrf_field, state, sync_actor, sync_kind, time},
};
use crate::{
    domain::sync::SyncKind,
    explain::{capitalised, connection_texts, number_text, sync_kind_text},
    store::{
        connections::{self, ConnectionRow},
        syncs::{self, SyncRow},
        views::last_syncs,
    },
};

/// Syncs by filter, newest first.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    Query(query): Query<ListQuery>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let mut db = deps.pool.acquire().await?;
    let rows =
        syncs::list(&mut db, query.connection.as_deref(), query.kind.as_deref(), &query.page()).await?;
    let connections = connections::list(&mut db).await?;
    let last = last_syncs::list(&mut db).await?;
    drop(db);
    let (rows, next) = split_page(rows, |row| row.id);
    let kept = [("connection", query.connection.as_deref()), ("kind", query.kind.as_deref())];
    let kinds = SyncKind::ALL.iter().map(|kind| {
        let word = sync_kind_text(*kind, words);
        (kind.as_str().to_owned(), word.to_owned())
    });
    let is_shown = |row: &&ConnectionRow| query.connection.as_ref().is_none_or(|name| *name == row.name);
    let shown: Vec<_> = connections.iter().filter(is_shown).collect();
    let main = html! {
        h1 { (words.syncs) }
        form.row {
            @if let Some(connection) = &query.connection { input type="hidden" name="connection" value=(connection); }
            (choices("kind", words.what, words.all, query.kind.as_deref(), &kinds.collect::<Vec<_>>()))
            button { (words.filter) }
        }
        @if user.is_operator() && !connections.is_empty() { (start_form(&user, &connections)) }
        (schedule(&user, &Schedules { configured: &deps.schedules, last: &last }, &shown))
        div.card.flush { (table(&user, words.syncs, &rows)) }
        (older_link(&user, "/syncs", &kept, next))
    };
    Ok(page(&user, MenuItem::Syncs, words.syncs, &main))
}

/// When each is due next, and what the last one came to.
fn schedule(user: &User, schedules: &Schedules<'_>, rows: &[&ConnectionRow]) -> Markup {
    let title = connection_texts(user.language).schedule;
    html! {
        @if !rows.is_empty() {
            section.card.flush aria-label=(title) {
                h2 { (title) }
                div.scroll role="region" aria-label=(title) tabindex="0" { (schedule_table(user, schedules, rows)) }
            }
        }
    }
}

/// Starts a sync of any kind.
fn start_form(user: &User, connections: &[ConnectionRow]) -> Markup {
    let words = user.words();
    html! {
        details {
            summary { (words.sync_now) }
            form.row method="post" action="/products" {
                (csrf_field(user))
                label { (words.connection) " " select name="connection" {
                    @for row in connections { option { (row.name) } }
                } }
                label { (words.what) " " select name="what" {
                    @for kind in SyncKind::ALL { option value=(kind.as_str()) { (sync_kind_text(*kind, words)) } }
                } }
                label.tick { input type="checkbox" name="dry_run" value="yes"; " " (words.dry_run_only) }
                button { (words.sync_now) }
            }
        }
    }
}

/// Syncs as a table that screen readers know by `label`.
pub(super) fn table(user: &User, label: &str, syncs: &[SyncRow]) -> Markup {
    let words = user.words();
    let checked = capitalised(words.checked);
    html! {
        @if syncs.is_empty() { p.empty { (words.empty_list) } } @else {
            div.scroll role="region" aria-label=(label) tabindex="0" { table.stack {
                thead { tr {
                    th scope="col" { (words.what) } th scope="col" { (words.state) } th.num scope="col" { (checked) }
                    th.num scope="col" { (words.differences) } th scope="col" { (words.by) } th scope="col" { (words.at) }
                } }
                tbody { @for sync in syncs { tr {
                    th scope="row" {
                        a href=(format!("/products/syncs/{}", sync.id)) { (sync_kind(user, &sync.what)) }
                        small { (sync.connection) }
                    }
                    td { (state(user, &sync.state)) }
                    td.num data-l=(checked) {
                        (number_text(sync.done, user.language))
                        @if let Some(total) = sync.total { " / " (number_text(total, user.language)) }
                    }
                    td.num data-l=(words.differences) { (number_text(sync.difference_count, user.language)) }
                    td data-l=(words.by) { (sync_actor(user, &sync.actor)) }
                    td data-l=(words.at) { (time(user, sync.created_at)) }
                } } }
            } }
        }
    }
}
