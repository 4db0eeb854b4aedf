//! The audit log: who changed what.

use axum::extract::{Query, State};
use maud::{Markup, html};

use super::{
    deps::DashboardState,
    error::PageError,
    frame::MenuItem,
    listing::{ListQuery, older_link, split_page},
    page::page,
    tasks::subject_link,
    user::User,
    widgets::{json, nothing, sync_kind, time},
};
use crate::{
    explain::{audit_subject, audit_text},
    store::audit::{self, AuditRow},
};

/// The audit log, newest first.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    Query(query): Query<ListQuery>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let mut db = deps.pool.acquire().await?;
    let (rows, next) = split_page(audit::list(&mut db, &query.page()).await?, |row| row.id);
    drop(db);
    let main = html! {
        h1 { (words.audit) }
        div.card.flush {
            @if rows.is_empty() { (nothing(&user)) } @else { (table(&user, &rows)) }
        }
        (older_link(&user, "/audit", &[], next))
    };
    Ok(page(&user, MenuItem::Audit, words.audit, &main))
}

fn table(user: &User, rows: &[AuditRow]) -> Markup {
    let words = user.words();
    html! {
        div.scroll role="region" aria-label=(words.audit) tabindex="0" { table.stack {
            thead { tr {
                th scope="col" { (words.at) } th scope="col" { (words.actor) } th scope="col" { (words.action) }
                th scope="col" { (words.connection) } th scope="col" { (words.detail) }
            } }
            tbody { @for row in rows { tr {
                td { (time(user, row.at)) }
                th scope="row" { (row.actor) }
                td.wide { (what_was_done(user, row)) }
                td data-l=(words.connection) { (row.connection.as_deref().unwrap_or("–")) }
                td.wide { details { summary { (words.as_stored) } (as_stored(user, row)) } }
            } } }
        } }
    }
}

/// What was done; an order that it was done to is a link.
fn what_was_done(user: &User, row: &AuditRow) -> Markup {
    html! {
        (audit_text(row, user.language))
        @match audit_subject(row) {
            Some(kind) if row.action.starts_with("sync.") => { ": " (sync_kind(user, kind)) }
            Some(subject) => { ": " (subject_link(user, row.connection.as_deref().unwrap_or_default(), subject)) }
            None => {}
        }
    }
}

/// The entry as the log has it.
fn as_stored(user: &User, row: &AuditRow) -> Markup {
    json(&serde_json::json!({
        "action": row.action,
        "subject": row.subject,
        "detail": user.audience().request(row.detail.clone()),
    }))
}
