//! Connections: health, pause switch, stock brake, polls, shipping rules, keys and webhooks.

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
    listing::ListQuery,
    page::page,
    releases::{load_ready, offers},
    shipping_rule,
    user::User,
    webhooks::{WebhookStatus, key_table},
    widgets::{button, csrf_field, health, reason, remedy, switches, time, time_or_never},
};
use crate::{
    actions,
    domain::shipping::ShippingRule,
    explain::{self, PageTexts},
    store::{
        connections::{self, ConnectionRow},
        key_usage,
        polls::{self, PollRow},
        shipping_rules::{self, RuleRow},
    },
};

const HERE: &str = "/connections";

/// Every connection, and the admin tokens.
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
            let polls = polls::list(&mut db, &row.name).await?;
            let rules = shipping_rules::list(&mut db, &row.name).await?;
            let webhooks = WebhookStatus::load(&mut db, &row.name).await?;
            sections.push((row, polls, rules, webhooks));
        }
    }
    let ready = load_ready(&deps, &user, &mut db, query.connection.as_deref()).await?;
    let tokens = key_usage::list_keys(&mut db, "").await?;
    drop(db);
    let main = html! {
        h1 { (words.connections) }
        (offers(&user, &ready))
        @if sections.is_empty() { p { (words.no_connections) } }
        @for (row, polls, rules, webhooks) in &sections {
            section.card aria-label=(row.name) {
                h2 { (row.name) " " (health(&user, row.health())) }
                (switches(&user, row.switches()))
                (controls(&user, row))
                h3 { (words.polls) }
                (poll_table(&user, &row.name, polls))
                h3 { (words.shipping_rules) }
                (rule_table(&user, &row.name, rules))
                (webhooks.render(&user, &row.name))
            }
        }
        section.card aria-label=(words.admin_tokens) {
            h2 { (words.admin_tokens) }
            (key_table(&user, words.admin_tokens, &tokens))
        }
    };
    Ok(page(&user, MenuItem::Connections, words.connections, &main))
}

fn controls(user: &User, row: &ConnectionRow) -> Markup {
    let words = user.words();
    let ask = |request, label| button(user, HERE, &[("connection", &row.name), ("ask", request)], label);
    html! {
        @if let Some(code) = &row.circuit_reason { p.stop-text { (reason(user, Some(code))) } (remedy(user, code)) }
        @if let Some(held) = &row.writes_held_back { p.stop-text { (words.writes_held_back) ": " (held) } }
        @if let Some(by) = &row.paused_by { p.stop-text { (words.paused) ": " (by) ", " (time_or_never(user, row.paused_at)) } }
        @if let Some(detail) = &row.brake_detail {
            p.stop-text { (words.braked) ": " (explain::detail(detail, user.language)) }
        }
        div.actions {
            @if row.paused_at.is_none() { (ask("pause", words.pause)) }
            @if row.paused_at.is_some() || row.circuit_open_until.is_some() || row.writes_held_back.is_some() {
                (ask("resume", words.resume))
            }
            @if row.braked_at.is_some() { (ask("release_brake", words.release_brake)) }
        }
    }
}

fn poll_table(user: &User, connection: &str, polls: &[PollRow]) -> Markup {
    let words = user.words();
    html! {
        @if polls.is_empty() { p { (words.empty_list) } } @else { div.scroll role="region" aria-label=(format!("{}: {connection}", words.polls)) tabindex="0" { table {
            thead { tr {
                th { (words.what) } th { (words.last_polled) } th { (words.next_at) } th { (words.found) }
                th { (words.gaps) } th { (words.last_error) }
            } }
            tbody { @for poll in polls { tr {
                td { (poll_text(&poll.what, words)) }
                td { (time_or_never(user, poll.last_finished_at)) }
                td { (time(user, poll.due_at)) }
                td { (poll.found) }
                td { (poll.gaps) }
                td { (reason(user, poll.last_error.as_deref())) }
            } } }
        } } }
    }
}

fn poll_text<'a>(list: &'a str, words: &PageTexts) -> &'a str {
    match list {
        "orders" => words.polled_orders,
        "statuses" => words.polled_statuses,
        "stock" => words.polled_stock,
        "products" => words.polled_products,
        other => other,
    }
}

fn rule_table(user: &User, connection: &str, rules: &[RuleRow]) -> Markup {
    let words = user.words();
    let remove = |pattern: &str| {
        let fields = [("connection", connection), ("ask", "remove_rule"), ("pattern", pattern)];
        button(user, HERE, &fields, words.remove)
    };
    html! {
        p.small { (words.shipping_rules_text) }
        @if rules.is_empty() { p { (words.no_shipping_rules) } } @else { div.scroll role="region" aria-label=(format!("{}: {connection}", words.shipping_rules)) tabindex="0" { table {
            thead { tr {
                th { (words.pattern) } th { (words.warehouse_code) } th { (words.by) } th { (words.at) } th { (words.remove) }
            } }
            tbody { @for rule in rules { tr {
                td { code { (rule.pattern) } }
                td { code { (rule.code) } }
                td { (rule.created_by) }
                td { (time(user, rule.created_at)) }
                td { (remove(&rule.pattern)) }
            } } }
        } } }
        @if user.is_operator() { details { summary { (words.add_rule) } (rule_form(user, connection)) } }
    }
}

fn rule_form(user: &User, connection: &str) -> Markup {
    html! {
        form method="post" action=(HERE) {
            (csrf_field(user))
            input type="hidden" name="connection" value=(connection);
            input type="hidden" name="ask" value="put_rule";
            (shipping_rule::fields(user, ""))
            button { (user.words().save_rule) }
        }
    }
}

/// What an operator can do with a connection.
enum ConnectionRequest<'a> {
    Pause,
    Resume,
    ReleaseBrake,
    PutRule(ShippingRule),
    RemoveRule(&'a str),
}

/// Pauses or resumes a connection, releases its stock brake, or changes a shipping rule.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let name = form.require("connection")?;
    let request = match form.require("ask")? {
        "pause" => ConnectionRequest::Pause,
        "resume" => ConnectionRequest::Resume,
        "release_brake" => ConnectionRequest::ReleaseBrake,
        "put_rule" => ConnectionRequest::PutRule(shipping_rule::parse(&form)?),
        "remove_rule" => ConnectionRequest::RemoveRule(form.require("pattern")?),
        _ => return Err(PageError::InvalidForm),
    };
    form.execute(&deps, async |db, actor| match &request {
        ConnectionRequest::Pause => actions::pause(db, actor, name).await,
        ConnectionRequest::Resume => actions::resume(db, actor, name).await,
        ConnectionRequest::ReleaseBrake => actions::release_brake(db, actor, name).await,
        ConnectionRequest::PutRule(rule) => actions::put_shipping_rule(db, actor, name, rule).await,
        ConnectionRequest::RemoveRule(pattern) => {
            actions::remove_shipping_rule(db, actor, name, pattern).await
        }
    })
    .await?;
    Ok(Redirect::to(HERE))
}
