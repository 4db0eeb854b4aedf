//! Audit: who did what by hand.

use axum::extract::{Query as AxumQuery, State};
use maud::{Markup, html};

use super::{
    deps::DashboardState,
    error::PageError,
    page::{self, MenuItem, Query, page, time},
    user::User,
};
use crate::store::audit;

/// The trail, newest first.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    AxumQuery(query): AxumQuery<Query>,
) -> Result<Markup, PageError> {
    let words = user.language.words();
    let mut db = deps.pool.acquire().await?;
    let (rows, next) = page::split_page(audit::list(&mut db, &query.page()).await?, |row| row.id);
    drop(db);
    let main = html! {
        h1 { (words.audit) }
        @if rows.is_empty() { p { (words.empty_list) } } @else { div.wide tabindex="0" { table {
            thead { tr { th { (words.at) } th { (words.actor) } th { (words.action) } th { (words.connection) } th { (words.subject) } th { (words.detail) } } }
            tbody { @for row in &rows { tr {
                td { (time(&deps, &user, row.at)) }
                td { (row.actor) }
                td { (row.action) }
                td { (row.connection.as_deref().unwrap_or_default()) }
                td { (row.subject.as_deref().unwrap_or_default()) }
                td { code { (row.detail.to_string()) } }
            } } }
        } } }
        (page::older_anchor(&user, "/audit", &[], next))
    };
    Ok(page(&user, MenuItem::Audit, words.audit, &main))
}
