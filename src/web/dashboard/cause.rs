//! One cause of what needs attention: its remedy, everything that waits for it, and the form that tries all of it again.

use std::collections::HashMap;

use axum::extract::{Query, State};
use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    cause_remedy::{Remedy, remedy_of},
    concern::{called_last, detail_text},
    deps::DashboardState,
    error::PageError,
    frame::MenuItem,
    listing::{ListQuery, ROWS, url},
    order_situation::count_unknown,
    page::page,
    releases::{consequence, is_of_a_switch, noun, send_label, try_label},
    shipping_codes,
    shipping_preview::{self, RuleForm},
    tasks::{CauseColumns, Columns, ReplayForm},
    user::User,
    widgets::{reason_of, remedy_of_vendor},
};
use crate::{
    actions,
    domain::{task::reason::Reason, vendor::Vendor},
    explain::counted_in,
    store::{
        self, attempts,
        views::{
            attention::{self, AttentionCause},
            items,
            overview::{self, TaskFilter, TaskRow},
            releasable::{self, WaitingFilter},
        },
    },
};

/// Dead tasks are replayed on the page of their cause, where products and stock figures that wait for a person are written
/// too; tasks in doubt are resolved one by one, and orders on hold are released one by one.
pub(super) fn cause_path(cause: &AttentionCause) -> String {
    let connection = ("connection", Some(cause.connection.as_str()));
    let kind = ("kind", Some(cause.kind.as_str()));
    let reason = ("reason", Some(cause.reason.as_str()));
    match cause.state.as_str() {
        "dead" => {
            url("/attention/cause", &[connection, kind, reason, ("detail", cause.detail.as_deref())], None)
        }
        "on_hold" if cause.kind != "order" => {
            url("/attention/cause", &[connection, kind, reason, ("state", Some("skipped"))], None)
        }
        "in_doubt" => url("/tasks", &[connection, kind, ("state", Some("in_doubt"))], None),
        _ => url("/orders", &[connection, reason], None),
    }
}

/// One cause: the remedy, the tasks that wait for it, and the form that replays them.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    Query(mut query): Query<ListQuery>,
) -> Result<Markup, PageError> {
    let words = user.words();
    // Viewers do not see the details, so they cannot try them out either.
    if !user.is_operator() {
        query.detail.clear();
    }
    let filter = task_filter(&query);
    let code = query.reason.as_deref().unwrap_or_default();
    let kind = query.kind.as_deref().unwrap_or("order");
    let waits_for_switch = is_of_a_switch(code);
    let remedy = remedy_of(filter.state.as_deref().unwrap_or_default(), code, kind);
    let mut db = deps.pool.acquire().await?;
    let (count, rows) = if waits_for_switch {
        load_waiting(&deps, &mut db, &query).await?
    } else {
        let count = attention::count_closed(&mut db, &filter).await?;
        (count, overview::list_closed_oldest_first(&mut db, &filter, ROWS).await?)
    };
    let is_unmapped = code == Reason::ShippingUnmapped.code() && user.is_operator() && count > 0;
    let rule = rule_form(&query);
    let codes = if is_unmapped {
        shipping_codes::load(&mut db, &deps.rules, rule.connection()).await?
    } else {
        Vec::new()
    };
    let tells_apart = user.is_operator() && query.detail.is_empty() && remedy == Remedy::FixFirst;
    let unknown = if count > 0 { count_unknown(&mut db, &filter).await? } else { 0 };
    let (columns, vendor) = load_columns(&mut db, &user, &filter, (&rows, tells_apart)).await?;
    drop(db);
    let replay = ReplayForm {
        action: if waits_for_switch { "/releases" } else { "/replays" },
        filter: &filter,
        columns: Columns::OfCause(&columns),
        rows: &rows,
        count,
        unknown,
        consequence: consequence(&user, kind),
        is_remedy: remedy.is_trying_again() || query.done == "rule",
        label_all: if waits_for_switch {
            send_label(&user, kind, count)
        } else {
            try_label(&user, Some(kind), count)
        },
        label_selected: if waits_for_switch { words.write_selected } else { words.replay_selected },
    };
    let main = html! {
        p.soft { a href="/attention" { (words.attention) } }
        h1 { (reason_of(&user, Some(code), vendor)) }
        @if query.done == "rule" { p.flash.ok role="status" { (words.rule_saved) } }
        @if count > 0 { p.lead { (counted_in(count, noun(&user, kind), user.language)) } }
        (remedy_of_vendor(&user, code, vendor))
        @if !query.detail.is_empty() { p { (detail_text(&user, code, &query.detail)) } }
        @if is_unmapped { div.card { (shipping_preview::form(&user, &rule, &codes)) } }
        @if count == 0 { p.flash.ok role="status" { (words.attention_none) } }
        @else { (replay.render(&user)) }
    };
    Ok(page(&user, MenuItem::Attention, words.attention, &main))
}

/// What the table says of each task beside its subject, and which vendor the cause is about. What each one's last attempt said
/// is read where that tells them apart.
async fn load_columns(
    db: &mut PgConnection,
    user: &User,
    filter: &TaskFilter,
    (rows, tells_apart): (&[TaskRow], bool),
) -> store::Result<(CauseColumns, Option<Vendor>)> {
    let mut columns =
        CauseColumns { names: product_names(db, filter, rows).await?, ..CauseColumns::default() };
    let mut vendor = None;
    let rows = if tells_apart { rows } else { &rows[..rows.len().min(1)] };
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut newest = attempts::list_newest(db, &ids).await?;
    for row in rows {
        let Some(attempt) = newest.remove(&row.id) else { continue };
        vendor = vendor.or_else(|| called_last(&attempt));
        if let Some(detail) = attempt.detail.filter(|_| tells_apart) {
            let reason = row.reason.as_deref().unwrap_or_default();
            columns.details.insert(row.id, detail_text(user, reason, &detail));
        }
    }
    Ok((columns, vendor))
}

/// The names of the products among them.
async fn product_names(
    db: &mut PgConnection,
    filter: &TaskFilter,
    rows: &[TaskRow],
) -> store::Result<HashMap<String, String>> {
    match (&filter.connection, filter.kind.as_deref()) {
        (Some(connection), Some("product")) => {
            let subjects: Vec<_> = rows.iter().map(|row| row.subject.clone()).collect();
            items::list_names(db, connection, &subjects).await
        }
        _ => Ok(HashMap::new()),
    }
}

/// What waits for a switch: how many, and the oldest of them.
async fn load_waiting(
    deps: &DashboardState,
    db: &mut PgConnection,
    query: &ListQuery,
) -> Result<(i64, Vec<TaskRow>), PageError> {
    let (connection, reason) = (query.connection.as_deref().unwrap_or_default(), query.reason.as_deref());
    let reason = reason.unwrap_or_default();
    let groups = actions::list_releasable(db, &deps.rules).await?;
    let count = groups.iter().filter(|it| it.connection == connection && it.reason == reason);
    let filter = WaitingFilter { connection, reason, detail: None, ids: None };
    Ok((count.map(|it| it.count).sum(), releasable::list(db, &filter, ROWS).await?))
}

fn task_filter(query: &ListQuery) -> TaskFilter {
    TaskFilter {
        connection: query.connection.clone(),
        kind: query.kind.clone(),
        reason: query.reason.clone(),
        detail: Some(query.detail.clone()).filter(|text| !text.is_empty()),
        state: Some(if query.state.as_deref() == Some("skipped") { "skipped" } else { "dead" }.to_owned()),
        ..TaskFilter::default()
    }
}

/// The rule that these orders lack, with the method's name as its pattern.
fn rule_form(query: &ListQuery) -> RuleForm {
    RuleForm::of_detail(query.connection.as_deref().unwrap_or_default(), &query.detail)
}
