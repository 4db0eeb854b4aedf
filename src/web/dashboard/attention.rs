//! What needs attention, grouped by cause, each with its remedy. Fixing a cause once releases everything that waits for
//! it.

use axum::{
    extract::{Query, State},
    response::Redirect,
};
use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    badge::{Tone, badge},
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    frame::MenuItem,
    listing::{ListQuery, ROWS, url},
    page::page,
    releases::{is_of_a_switch, load_ready, noun, offers},
    shipping_rule,
    tasks::ReplayForm,
    user::User,
    widgets::{csrf_field, reason, remedy, time},
};
use crate::{
    actions,
    domain::task::reason::Reason,
    explain::{self, counted},
    store::views::{
        attention::{self, AttentionCause},
        overview::{self, TaskFilter, TaskRow},
        releasable::{self, WaitingFilter},
    },
};

/// All causes, the most common first.
pub(super) async fn list(State(deps): State<DashboardState>, user: User) -> Result<Markup, PageError> {
    let words = user.words();
    let mut db = deps.pool.acquire().await?;
    let causes = user.audience().causes(attention::list_causes(&mut db).await?);
    let ready = load_ready(&deps, &user, &mut db, None).await?;
    drop(db);
    let main = html! {
        h1 { (words.attention) }
        (offers(&user, &ready))
        @if causes.is_empty() { p.flash.ok role="status" { (words.attention_none) } }
        @else { ul.causes { @for cause in &causes { (cause_card(&user, cause)) } } }
    };
    Ok(page(&user, MenuItem::Attention, words.attention, &main))
}

fn cause_card(user: &User, cause: &AttentionCause) -> Markup {
    let words = user.words();
    let noun = noun(user, &cause.kind);
    html! {
        li.card {
            h2 { a href=(cause_path(cause)) {
                @if cause.reason.is_empty() { (state_text(user, &cause.state)) } @else { (reason(user, Some(&cause.reason))) }
            } }
            p {
                b { (counted(cause.count, noun)) } " – " (state_text(user, &cause.state)) " – " (cause.connection) " – "
                (words.oldest) " " (time(user, cause.oldest_at))
            }
            @if let Some(detail) = &cause.detail { p.small { (explain::detail(detail, user.language)) } }
            (remedy(user, &cause.reason))
        }
    }
}

/// The first of these causes as a list of decisions, each with the way to its remedy.
pub(super) fn decisions(user: &User, causes: &[AttentionCause], limit: usize) -> Markup {
    html! {
        ul.todo { @for cause in causes.iter().take(limit) { li {
            (badge(tone(&cause.state), &explain::duration_text(user.now - cause.oldest_at, user.language)))
            div {
                p.strong {
                    (counted(cause.count, noun(user, &cause.kind))) ": "
                    @if cause.reason.is_empty() { (state_text(user, &cause.state)) } @else { (reason(user, Some(&cause.reason))) }
                }
                p.soft {
                    (cause.connection)
                    @if let Some(detail) = &cause.detail { " – " (explain::detail(detail, user.language)) }
                }
            }
            a.btn href=(cause_path(cause)) { (user.words().decide) }
        } } }
    }
}

fn tone(state: &str) -> Tone {
    if state == "in_doubt" { Tone::Stopped } else { Tone::Attention }
}

fn state_text(user: &User, state: &str) -> &'static str {
    let words = user.words();
    match state {
        "dead" => words.cause_dead,
        "in_doubt" => words.cause_in_doubt,
        _ => words.cause_on_hold,
    }
}

/// Dead tasks are replayed on the page of their cause, where products and stock figures that wait for a person are written
/// too; tasks in doubt are resolved one by one, and orders on hold are released one by one.
fn cause_path(cause: &AttentionCause) -> String {
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
    let waits_for_switch = is_of_a_switch(code);
    let mut db = deps.pool.acquire().await?;
    let (count, rows) = if waits_for_switch {
        load_waiting(&deps, &mut db, &query).await?
    } else {
        let count = attention::count_closed(&mut db, &filter).await?;
        (count, overview::list_closed_oldest_first(&mut db, &filter, ROWS).await?)
    };
    drop(db);
    let is_unmapped = code == Reason::ShippingUnmapped.code();
    let replay = ReplayForm {
        action: if waits_for_switch { "/releases" } else { "/replays" },
        filter: &filter,
        rows: &rows,
        count,
        label_all: if waits_for_switch { words.write_all } else { words.release_all },
        label_selected: if waits_for_switch { words.write_selected } else { words.release_selected },
    };
    let main = html! {
        h1 { (reason(&user, Some(code))) }
        @if query.done == "rule" { p.flash.ok role="status" { (words.rule_saved) } }
        (remedy(&user, code))
        @if !query.detail.is_empty() { p.small { (explain::detail(&query.detail, user.language)) } }
        @if is_unmapped && user.is_operator() && count > 0 { (shipping_form(&user, &query)) }
        @if count == 0 { p.flash.ok role="status" { (words.attention_none) } }
        @else { (replay.render(&user)) }
    };
    Ok(page(&user, MenuItem::Attention, words.attention, &main))
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

fn shipping_form(user: &User, query: &ListQuery) -> Markup {
    let words = user.words();
    // The first quoted name in the error is the method; the operator can edit it.
    let method = query.detail.split('"').nth(1).unwrap_or_default();
    html! {
        form.card method="post" action="/attention/shipping-rule" {
            h2 { (words.fix_shipping) }
            (csrf_field(user))
            input type="hidden" name="connection" value=(query.connection.as_deref().unwrap_or_default());
            input type="hidden" name="kind" value=(query.kind.as_deref().unwrap_or_default());
            input type="hidden" name="detail" value=(query.detail);
            (shipping_rule::fields(user, method))
            button.main { (words.save_rule) }
        }
    }
}

/// Saves a shipping rule and returns to the cause.
pub(super) async fn save_shipping_rule(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let connection = form.require("connection")?;
    let rule = shipping_rule::parse(&form)?;
    form.execute(&deps, async |db, actor| actions::put_shipping_rule(db, actor, connection, &rule).await)
        .await?;
    let cause = [
        ("connection", Some(connection)),
        ("kind", form.field("kind")),
        ("reason", Some(Reason::ShippingUnmapped.code())),
        ("detail", form.field("detail")),
        ("done", Some("rule")),
    ];
    Ok(Redirect::to(&url("/attention/cause", &cause, None)))
}
