//! The audit log: who changed what.

use axum::extract::{Query, State};
use maud::{Markup, html};

use super::{
    deps::DashboardState,
    error::PageError,
    listing::{ListQuery, older_link, split_page},
    page::{MenuItem, page},
    user::User,
    widgets::time,
};
use crate::store::audit;

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
        @if rows.is_empty() { p { (words.empty_list) } } @else { div.scroll role="region" aria-label=(words.audit) tabindex="0" { table {
            thead { tr {
                th { (words.at) } th { (words.actor) } th { (words.action) } th { (words.connection) } th { (words.subject) }
                th { (words.detail) }
            } }
            tbody { @for row in &rows { tr {
                td { (time(&deps, &user, row.at)) }
                td { (row.actor) }
                td { (row.action) }
                td { (row.connection.as_deref().unwrap_or_default()) }
                td { (row.subject.as_deref().unwrap_or_default()) }
                td { code { (user.audience().request(row.detail.clone()).to_string()) } }
            } } }
        } } }
        (older_link(&user, "/audit", &[], next))
    };
    Ok(page(&user, MenuItem::Audit, words.audit, &main))
}
