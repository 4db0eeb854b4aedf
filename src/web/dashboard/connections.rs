//! Connections: health, the switch, the brake, polls, shipping rules made by hand, and what the porch has seen.

use axum::{
    extract::{Query as AxumQuery, State},
    response::Redirect,
};
use maud::{Markup, html};

use super::{
    attention::{parse_rule, rule_fields},
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    overview::health_badge,
    page::{self, MenuItem, Query, button, csrf_field, page, time, time_or_never},
    user::User,
    webhooks::{WebhookStatus, key_table},
    words::Words,
};
use crate::{
    actions,
    domain::shipping::ShippingRule,
    store::{
        self,
        connections::{self, ConnectionRow},
        polls::{self, PollRow},
        shipping_rules::{self, RuleRow},
    },
};

const HERE: &str = "/connections";

/// Every connection.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    AxumQuery(query): AxumQuery<Query>,
) -> Result<Markup, PageError> {
    let words = user.language.words();
    let mut db = deps.pool.acquire().await?;
    let mut rows = Vec::new();
    for row in connections::list(&mut db).await? {
        if query.connection().is_none_or(|name| name == row.name) {
            let polls = polls::list(&mut db, &row.name).await?;
            let rules = shipping_rules::list(&mut db, &row.name).await?;
            let porch = WebhookStatus::read(&mut db, &row.name).await?;
            rows.push((row, polls, rules, porch));
        }
    }
    let tokens = store::key_usage::list_keys(&mut db, "").await?;
    drop(db);
    let main = html! {
        h1 { (words.connections) }
        @if rows.is_empty() { p { (words.no_connections) } }
        @for (row, polls, rules, porch) in &rows {
            section.card aria-label=(row.name) {
                h2 { (row.name) " " (health_badge(row.health(), words)) }
                (switches(&deps, &user, row))
                h3 { (words.polls) }
                (poll_table(&deps, &user, polls))
                h3 { (words.shipping_rules) }
                (rule_table(&deps, &user, &row.name, rules))
                (porch.show(&deps, &user))
            }
        }
        section.card aria-label=(words.admin_tokens) {
            h2 { (words.admin_tokens) }
            (key_table(&deps, &user, &tokens))
        }
    };
    Ok(page(&user, MenuItem::Connections, words.connections, &main))
}

fn switches(deps: &DashboardState, user: &User, row: &ConnectionRow) -> Markup {
    let words = user.language.words();
    let ask = |word, label| button(user, HERE, &[("connection", &row.name), ("ask", word)], label);
    html! {
        @if let Some(reason) = &row.circuit_reason { p.warn { (page::reason(user, Some(reason))) } (super::attention::remedy(user, reason)) }
        @if let Some(by) = &row.paused_by { p.warn { (words.paused) ": " (by) ", " (time_or_never(deps, user, row.paused_at)) } }
        @if let Some(detail) = &row.brake_detail { p.warn { (words.braked) ": " (detail) } }
        div.actions {
            @if row.paused_at.is_none() { (ask("pause", words.pause)) }
            @if row.paused_at.is_some() || row.circuit_open_until.is_some() { (ask("resume", words.resume)) }
            @if row.braked_at.is_some() { (ask("release_brake", words.release_brake)) }
        }
    }
}

fn poll_table(deps: &DashboardState, user: &User, polls: &[PollRow]) -> Markup {
    let words = user.language.words();
    html! {
        @if polls.is_empty() { p { (words.empty_list) } } @else { div.wide tabindex="0" { table {
            thead { tr { th { (words.what) } th { (words.last_polled) } th { (words.next_at) } th { (words.found) } th { (words.gaps) } th { (words.last_error) } } }
            tbody { @for poll in polls { tr {
                td { (poll_label(&poll.what, words)) }
                td { (time_or_never(deps, user, poll.last_finished_at)) }
                td { (time(deps, user, poll.due_at)) }
                td { (poll.found) }
                td { (poll.gaps) }
                td { (page::reason(user, poll.last_error.as_deref())) }
            } } }
        } } }
    }
}

/// The list that a poll reads, as people call it.
fn poll_label<'a>(what: &'a str, words: &Words) -> &'a str {
    match what {
        "orders" => words.polled_orders,
        "statuses" => words.polled_statuses,
        "stock" => words.polled_stock,
        "products" => words.polled_products,
        other => other,
    }
}

fn rule_table(deps: &DashboardState, user: &User, connection: &str, rules: &[RuleRow]) -> Markup {
    let words = user.language.words();
    html! {
        p.small { (words.shipping_rules_text) }
        @if rules.is_empty() { p { (words.no_shipping_rules) } } @else { div.wide tabindex="0" { table {
            thead { tr { th { (words.pattern) } th { (words.warehouse_code) } th { (words.by) } th { (words.at) } th { (words.remove) } } }
            tbody { @for rule in rules { tr {
                td { code { (rule.pattern) } }
                td { code { (rule.code) } }
                td { (rule.created_by) }
                td { (time(deps, user, rule.created_at)) }
                td { (button(user, HERE, &[("connection", connection), ("ask", "remove_rule"), ("pattern", &rule.pattern)], words.remove)) }
            } } }
        } } }
        @if user.is_operator() { details { summary { (words.add_rule) }
            form method="post" action=(HERE) {
                (csrf_field(user))
                input type="hidden" name="connection" value=(connection);
                input type="hidden" name="ask" value="put_rule";
                (rule_fields(user.language, ""))
                button { (words.save_rule) }
            }
        } }
    }
}

/// What a person may ask for a connection.
enum Ask<'a> {
    Pause,
    Resume,
    ReleaseBrake,
    PutRule(ShippingRule),
    RemoveRule(&'a str),
}

/// What a person asks for a connection.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let name = form.require("connection")?;
    let ask = match form.require("ask")? {
        "pause" => Ask::Pause,
        "resume" => Ask::Resume,
        "release_brake" => Ask::ReleaseBrake,
        "put_rule" => Ask::PutRule(parse_rule(&form)?),
        "remove_rule" => Ask::RemoveRule(form.require("pattern")?),
        _ => return Err(PageError::InvalidForm),
    };
    form.execute(&deps, async |db, actor| match &ask {
        Ask::Pause => actions::pause(db, actor, name).await,
        Ask::Resume => actions::resume(db, actor, name).await,
        Ask::ReleaseBrake => actions::release_brake(db, actor, name).await,
        Ask::PutRule(rule) => actions::put_shipping_rule(db, actor, name, rule).await,
        Ask::RemoveRule(pattern) => actions::remove_shipping_rule(db, actor, name, pattern).await,
    })
    .await?;
    Ok(Redirect::to(HERE))
}
