//! Needs a person: everything that waits for one, by its cause, with the remedy in words. Fixing a cause once lets go
//! whatever waits for it.

use axum::{
    extract::{Query as AxumQuery, State},
    response::Redirect,
};
use maud::{Markup, html};

use super::{
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    page::{self, MenuItem, Query, csrf_field, page, time},
    tasks,
    user::User,
};
use crate::{
    actions,
    domain::{language::Language, shipping::ShippingRule, task::outcome::Reason},
    explain,
    store::views::{
        attention::{self, AttentionCause},
        overview::{self, TaskFilter, TaskRow},
    },
};

/// All causes, the most common first.
pub(super) async fn list(State(deps): State<DashboardState>, user: User) -> Result<Markup, PageError> {
    let words = user.language.words();
    let mut db = deps.pool.acquire().await?;
    let causes = attention::list_causes(&mut db).await?;
    drop(db);
    let main = html! {
        h1 { (words.attention) }
        @if causes.is_empty() { p.verdict.good role="status" { (words.attention_none) } }
        @else { ul.causes { @for cause in &causes { li.card {
            h2 { a href=(cause_path(cause)) { (why(&user, cause)) } }
            p { b { (cause.count) } " × " (cause.kind) " – " (state_label(&user, &cause.state)) " – " (cause.connection) " – "
                (words.oldest) " " (time(&deps, &user, cause.oldest_at)) }
            @if let Some(detail) = &cause.detail { p.small { (explain::detail(detail, user.language)) } }
            (remedy(&user, &cause.reason))
        } } } }
    };
    Ok(page(&user, MenuItem::Attention, words.attention, &main))
}

fn why(user: &User, cause: &AttentionCause) -> Markup {
    html! { @if cause.reason.is_empty() { (state_label(user, &cause.state)) } @else { (page::reason(user, Some(&cause.reason))) } }
}

fn state_label(user: &User, word: &str) -> &'static str {
    let words = user.language.words();
    match word {
        "dead" => words.cause_dead,
        "in_doubt" => words.cause_in_doubt,
        _ => words.cause_on_hold,
    }
}

/// What a person does about a reason.
pub(super) fn remedy(user: &User, reason: &str) -> Markup {
    let remedy = Reason::parse(reason).map_or("", |reason| explain::remedy(reason, user.language));
    html! { @if !remedy.is_empty() { p.remedy { strong { (user.language.words().remedy) ": " } (remedy) } } }
}

/// Dead ones are replayed here; what is in doubt is resolved one by one, and what is held is let go as orders are.
fn cause_path(cause: &AttentionCause) -> String {
    let AttentionCause { connection, kind, reason, state, detail, .. } = cause;
    let named = [
        ("connection", Some(connection.as_str())),
        ("kind", Some(kind.as_str())),
        ("reason", Some(reason.as_str())),
    ];
    match state.as_str() {
        "dead" => page::url(
            "/attention/cause",
            &[named[0], named[1], named[2], ("detail", detail.as_deref())],
            None,
        ),
        "in_doubt" => page::url("/tasks", &[named[0], named[1], ("state", Some("in_doubt"))], None),
        _ => page::url("/orders", &[named[0], named[2]], None),
    }
}

/// One cause: the remedy, what waits for it, and the way to let it go.
pub(super) async fn show(
    State(deps): State<DashboardState>,
    user: User,
    AxumQuery(query): AxumQuery<Query>,
) -> Result<Markup, PageError> {
    let words = user.language.words();
    let filter = filter_of(&query);
    let mut db = deps.pool.acquire().await?;
    let count = attention::count_closed(&mut db, &filter).await?;
    let rows: Vec<TaskRow> = overview::list_closed_oldest_first(&mut db, &filter, page::ROWS).await?;
    drop(db);
    let code = query.reason().unwrap_or_default();
    let main = html! {
        h1 { (page::reason(&user, Some(code))) }
        @if query.done == "rule" { p.verdict.good role="status" { (words.rule_saved) } }
        (remedy(&user, code))
        @if !query.detail.is_empty() { p.small { (explain::detail(&query.detail, user.language)) } }
        @if code == Reason::ShippingUnmapped.code() && user.is_operator() && count > 0 { (shipping_form(&user, &query)) }
        @if count == 0 { p.verdict.good role="status" { (words.attention_none) } } @else {
            (tasks::replay_form(&deps, &user, &filter, &rows, count, [words.release_all, words.release_selected]))
        }
    };
    Ok(page(&user, MenuItem::Attention, words.attention, &main))
}

fn filter_of(query: &Query) -> TaskFilter {
    TaskFilter {
        connection: query.connection().map(ToOwned::to_owned),
        kind: query.kind().map(ToOwned::to_owned),
        reason: query.reason().map(ToOwned::to_owned),
        detail: Some(query.detail.clone()).filter(|text| !text.is_empty()),
        state: Some("dead".to_owned()),
        ..TaskFilter::default()
    }
}

fn shipping_form(user: &User, query: &Query) -> Markup {
    let words = user.language.words();
    // The method's first name, as the fault has quoted it; the person sees it and may say otherwise.
    let method = query.detail.split('"').nth(1).unwrap_or_default();
    html! {
        form.card method="post" action="/attention/shipping-rule" {
            h2 { (words.fix_shipping) }
            (csrf_field(user))
            input type="hidden" name="connection" value=(query.connection().unwrap_or_default());
            input type="hidden" name="kind" value=(query.kind().unwrap_or_default());
            input type="hidden" name="detail" value=(query.detail);
            (rule_fields(user.language, method))
            button.first { (words.save_rule) }
        }
    }
}

/// The fields of a shipping rule.
pub(super) fn rule_fields(language: Language, method: &str) -> Markup {
    let words = language.words();
    html! {
        (page::field("pattern", words.pattern, method))
        (page::field("code", words.warehouse_code, ""))
        label.box { input type="checkbox" name="pickup" value="yes"; " " (words.pickup) }
    }
}

/// Keeps a shipping rule, and goes back to what waits for it.
pub(super) async fn save_shipping_rule(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let connection = form.require("connection")?;
    let rule = parse_rule(&form)?;
    form.execute(&deps, async |db, actor| actions::put_shipping_rule(db, actor, connection, &rule).await)
        .await?;
    let back = [
        ("connection", Some(connection)),
        ("kind", form.field("kind")),
        ("reason", Some(Reason::ShippingUnmapped.code())),
        ("detail", form.field("detail")),
        ("done", Some("rule")),
    ];
    Ok(Redirect::to(&page::url("/attention/cause", &back, None)))
}

/// The rule that a form names.
pub(super) fn parse_rule(form: &OperatorForm) -> Result<ShippingRule, PageError> {
    let text = |name| form.require(name).map(ToOwned::to_owned);
    Ok(ShippingRule {
        pattern: text("pattern")?,
        code: text("code")?,
        pickup: form.field("pickup").is_some(),
    })
}
