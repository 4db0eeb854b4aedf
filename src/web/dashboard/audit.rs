//! Audit: who did what by hand.

use axum::extract::{Query as AxumQuery, State};
use maud::{Markup, html};

use super::{
    Dash,
    guard::Refusal,
    page::{self, Place, Query, page, time},
    session::Visitor,
};
use crate::store::audit;

/// The trail, newest first.
pub(super) async fn list(
    State(dash): State<Dash>,
    visitor: Visitor,
    AxumQuery(query): AxumQuery<Query>,
) -> Result<Markup, Refusal> {
    let words = visitor.language.words();
    let mut db = dash.pool.acquire().await?;
    let (rows, next) = page::cut(audit::list(&mut db, &query.page()).await?, |row| row.id);
    drop(db);
    let main = html! {
        h1 { (words.audit) }
        @if rows.is_empty() { p { (words.nothing_here) } } @else { div.wide tabindex="0" { table {
            thead { tr { th { (words.at) } th { (words.actor) } th { (words.action) } th { (words.connection) } th { (words.subject) } th { (words.detail) } } }
            tbody { @for row in &rows { tr {
                td { (time(&dash, &visitor, row.at)) }
                td { (row.actor) }
                td { (row.action) }
                td { (row.connection.as_deref().unwrap_or_default()) }
                td { (row.subject.as_deref().unwrap_or_default()) }
                td { code { (row.detail.to_string()) } }
            } } }
        } } }
        (page::older(&visitor, "/audit", &[], next))
    };
    Ok(page(&visitor, Place::Audit, words.audit, &main))
}
