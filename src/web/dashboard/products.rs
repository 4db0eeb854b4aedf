//! Products and stock: product codes to fix, and the syncs of every connection.

use axum::{
    extract::{Query, State},
    response::Redirect,
};
use maud::{Markup, html};

use super::{
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    frame::MenuItem,
    listing::{ListQuery, ROWS},
    page::page,
    user::User,
    widgets::{csrf_field, reason},
};
use crate::{
    actions::{self, SyncRequest},
    domain::{
        product::{CodeProblem, ExtraRow, RemarkedItem},
        sync::SyncKind,
    },
    explain::{remark_text, sync_kind_text},
    store::{
        Page, connections, syncs,
        views::{code_problems, remarks},
    },
};

/// Syncs shown of each connection.
const SYNCS: i64 = 12;

/// Product codes and syncs of every connection.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    Query(query): Query<ListQuery>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let mut db = deps.pool.acquire().await?;
    let mut sections = Vec::new();
    for row in connections::list(&mut db).await? {
        if query.connection.as_ref().is_none_or(|name| *name == row.name) {
            let codes = code_problems::list_code_problems(&mut db, &row.name, "", ROWS).await?;
            let remarked = remarks::list_remarked(&mut db, &row.name, "", ROWS).await?;
            let newest = Page { before: None, limit: SYNCS };
            let syncs = syncs::list(&mut db, Some(&row.name), None, &newest).await?;
            sections.push((row.name, codes, remarked, syncs));
        }
    }
    drop(db);
    let main = html! {
        h1 { (words.products) }
        @if sections.is_empty() { p { (words.no_connections) } }
        @for (name, codes, remarked, syncs) in &sections {
            section.card aria-label=(name) {
                h2 { (name) }
                @if user.is_operator() { (sync_form(&user, name)) }
                h3 { (words.codes) }
                (code_table(&user, name, codes))
                h3 { (words.remarks) }
                (remark_list(&user, remarked))
                h3 { (words.extra_data) }
                (extra_table(&user, name, deps.extra.get(name)))
                h3 { (words.syncs) }
                (super::syncs::table(&user, &format!("{}: {name}", words.syncs), syncs))
            }
        }
    };
    Ok(page(&user, MenuItem::Products, words.products, &main))
}

fn sync_form(user: &User, name: &str) -> Markup {
    let words = user.words();
    html! {
        form.filter method="post" action="/products" {
            (csrf_field(user))
            input type="hidden" name="connection" value=(name);
            label { (words.what) " " select name="what" {
                @for kind in SyncKind::ALL.iter().copied() { option value=(kind.as_str()) { (sync_kind_text(kind, words)) } }
            } }
            label.tick { input type="checkbox" name="dry_run" value="yes"; " " (words.dry_run_only) }
            button { (words.sync_now) }
        }
    }
}

fn code_table(user: &User, connection: &str, codes: &[CodeProblem]) -> Markup {
    let words = user.words();
    html! {
        @if codes.is_empty() { p { (words.no_codes) } } @else {
            div.scroll role="region" aria-label=(format!("{}: {connection}", words.codes)) tabindex="0" { table {
                thead { tr { th { (words.name) } th { (words.code) } th { (words.why) } th { (words.also_has_it) } } }
                tbody { @for problem in codes { tr {
                    td { (problem.name.as_deref().unwrap_or("?")) " " span.small { (problem.item) } }
                    td { code { (problem.code.as_deref().unwrap_or_default()) } }
                    td { (reason(user, Some(&problem.reason))) }
                    td { (problem.others.join(", ")) }
                } } }
            } }
        }
    }
}

fn remark_list(user: &User, remarked: &[RemarkedItem]) -> Markup {
    let words = user.words();
    html! {
        @if remarked.is_empty() { p { (words.no_remarks) } } @else {
            dl.choices { @for RemarkedItem { item, code, name, remarks } in remarked {
                dt { code { (code) } " " (name) " " span.small { (item) } }
                dd { @for remark in remarks { (remark_text(*remark, user.language)) " " } }
            } }
        }
    }
}

/// The merchant's own data by code, as this process has read them.
fn extra_table(user: &User, connection: &str, rows: Option<&Vec<ExtraRow>>) -> Markup {
    let words = user.words();
    let rows = rows.map(Vec::as_slice).unwrap_or_default();
    html! {
        @if rows.is_empty() { p { (words.no_extra_data) } } @else {
            div.scroll role="region" aria-label=(format!("{}: {connection}", words.extra_data)) tabindex="0" { table {
                thead { tr {
                    th { (words.code) } th { (words.hs_code) } th { (words.country_of_origin) }
                    th { (words.customs_description) } th { (words.kit) } th { (words.buffer) } th { (words.aliases) }
                } }
                tbody { @for row in rows { tr {
                    td { code { (row.code) } }
                    td { (row.hs_code.as_deref().unwrap_or_default()) }
                    td { (row.country_of_origin.as_deref().unwrap_or_default()) }
                    td { (row.customs_description.as_deref().unwrap_or_default()) }
                    td { @for (code, pieces) in &row.kit { div { (pieces) " × " code { (code) } } } }
                    td { @if let Some(pieces) = row.buffer { (pieces) } }
                    td { @for alias in &row.aliases { div { code { (alias) } } } }
                } } }
            } }
        }
    }
}

/// Starts a sync.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let connection = form.require("connection")?;
    let what = form.require("what")?;
    let kind: SyncKind = what.parse().map_err(|_| PageError::InvalidForm)?;
    let dry_run = form.field("dry_run").is_some();
    let not_before = deps.not_before.get(connection).copied();
    let request = SyncRequest { connection, what: kind, dry_run, since: None, not_before };
    let sync = form.execute(&deps, async |db, actor| actions::request_sync(db, actor, request).await).await?;
    Ok(Redirect::to(&format!("/products/syncs/{}", sync.id)))
}
