//! Uploads all products, or syncs all stock balances: first a preview, then the sync with its progress and report.

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
    listing::{ListQuery, url},
    page::page,
    user::User,
    widgets::{csrf_field, inline_time, switches},
};
use crate::{
    actions::{self, SyncRequest},
    domain::{
        switch::{Switch, Switches},
        sync::SyncKind,
    },
    explain::{counted_in, item_texts},
    store::{
        connections,
        views::{
            items::{self, ItemCounts},
            recent_syncs::{self, RecentSync},
        },
    },
};

/// What a sync of all would do.
pub(super) async fn preview(
    State(deps): State<DashboardState>,
    user: User,
    Query(query): Query<ListQuery>,
) -> Result<Markup, PageError> {
    let kind = match query.kind.as_deref() {
        Some("products") => SyncKind::Products,
        Some("stock") => SyncKind::Stock,
        _ => return Err(PageError::NotFound),
    };
    let name = query.connection.as_deref().ok_or(PageError::NotFound)?;
    let mut db = deps.pool.acquire().await?;
    let row = connections::find(&mut db, name).await?.ok_or(PageError::NotFound)?;
    let counts = items::count(&mut db, name).await?;
    let syncs = recent_syncs::list(&mut db, name).await?;
    drop(db);
    let running = syncs.iter().find(|sync| sync.what == kind.as_str() && sync.state == "running");
    let texts = item_texts(user.language);
    let title = if kind == SyncKind::Stock { texts.sync_stock } else { texts.upload };
    let main = html! {
        h1 { (title) }
        (switches(&user, Switches { orders: Switch::Automatic, ..row.switches() }))
        section.well aria-label=(texts.preview) {
            h2 { (texts.preview) }
            (consequences(&user, kind, counts))
            @if let Some(running) = running { (runs_already(&user, running)) }
            @else if user.is_operator() {
                form.row method="post" action="/products" {
                    (csrf_field(&user))
                    input type="hidden" name="connection" value=(name);
                    input type="hidden" name="what" value=(kind.as_str());
                    @if row.switches().of_sync(kind) == Switch::Off {
                        input type="hidden" name="dry_run" value="yes";
                        button.main { (texts.report_only) }
                    } @else {
                        label.tick { input type="checkbox" name="dry_run" value="yes"; (texts.report_only) }
                        button.main { (if kind == SyncKind::Stock { texts.start_stock } else { texts.start_products }) }
                    }
                    a href=(url("/products", &[("connection", Some(name))], None)) { (texts.cancel) }
                }
            }
        }
    };
    Ok(page(&user, MenuItem::Products, title, &main))
}

/// A second one of its kind does not start beside it.
fn runs_already(user: &User, running: &RecentSync) -> Markup {
    let texts = item_texts(user.language);
    html! {
        p role="status" { b { (texts.runs_already) " " (inline_time(user, running.created_at)) ". " } (texts.runs_alone) }
        div.actions {
            a.btn href=(format!("/products/syncs/{}", running.id)) { (texts.follow) }
        }
    }
}

fn consequences(user: &User, kind: SyncKind, counts: ItemCounts) -> Markup {
    let texts = item_texts(user.language);
    let ItemCounts { all, differs, code, absent } = counts;
    html! {
        p { b { (counted_in(all, texts.items, user.language)) } }
        @if kind == SyncKind::Stock {
            p { (texts.preview_stock) " " (counted_in(differs, texts.preview_stock_count, user.language)) }
            p.soft { (texts.preview_stock_kept) }
        } @else {
            p { (texts.preview_products) " " (counted_in(absent, texts.preview_absent, user.language)) }
            p.soft { (counted_in(code, texts.preview_code, user.language)) " " (texts.preview_products_kept) }
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
