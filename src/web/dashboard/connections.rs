//! Connections: health, the switch, the brake, sweeps, shipping rules made by hand, and what the porch has seen.

use axum::{
    extract::{Query as AxumQuery, State},
    response::Redirect,
};
use maud::{Markup, html};

use super::{
    Dash,
    act::Asked,
    attention::{rule_fields, rule_of},
    guard::Refusal,
    overview::named,
    page::{self, Place, Query, button, page, secret, time, time_or_never},
    session::Visitor,
    webhooks::{Porch, key_table},
    words::Words,
};
use crate::{
    actions,
    domain::shipping::ShippingRule,
    store::{
        self,
        connections::{self, ConnectionRow},
        polls::{self, SweepRow},
        shipping_rules::{self, RuleRow},
    },
};

const HERE: &str = "/connections";

/// Every connection.
pub(super) async fn list(
    State(dash): State<Dash>,
    visitor: Visitor,
    AxumQuery(query): AxumQuery<Query>,
) -> Result<Markup, Refusal> {
    let words = visitor.language.words();
    let mut db = dash.pool.acquire().await?;
    let mut rows = Vec::new();
    for row in connections::list(&mut db).await? {
        if query.connection().is_none_or(|name| name == row.name) {
            let swept = polls::list(&mut db, &row.name).await?;
            let rules = shipping_rules::list(&mut db, &row.name).await?;
            let porch = Porch::read(&mut db, &row.name).await?;
            rows.push((row, swept, rules, porch));
        }
    }
    let tokens = store::webhook_checks::keys(&mut db, "").await?;
    drop(db);
    let main = html! {
        h1 { (words.connections) }
        @if rows.is_empty() { p { (words.no_connections) } }
        @for (row, swept, rules, porch) in &rows {
            section.card aria-label=(row.name) {
                h2 { (row.name) " " (named(row.health(), words)) }
                (switches(&dash, &visitor, row))
                h3 { (words.sweeps) }
                (sweep_table(&dash, &visitor, swept))
                h3 { (words.shipping_rules) }
                (rule_table(&dash, &visitor, &row.name, rules))
                (porch.show(&dash, &visitor))
            }
        }
        section.card aria-label=(words.admin_tokens) {
            h2 { (words.admin_tokens) }
            (key_table(&dash, &visitor, &tokens))
        }
    };
    Ok(page(&visitor, Place::Connections, words.connections, &main))
}

fn switches(dash: &Dash, visitor: &Visitor, row: &ConnectionRow) -> Markup {
    let words = visitor.language.words();
    let ask = |word, label| button(visitor, HERE, &[("connection", &row.name), ("ask", word)], label);
    html! {
        @if let Some(reason) = &row.held_reason { p.warn { (page::reason(visitor, Some(reason))) } (super::attention::remedy(visitor, reason)) }
        @if let Some(by) = &row.paused_by { p.warn { (words.paused) ": " (by) ", " (time_or_never(dash, visitor, row.paused_at)) } }
        @if let Some(detail) = &row.brake_detail { p.warn { (words.braked) ": " (detail) } }
        div.actions {
            @if row.paused_at.is_none() { (ask("pause", words.pause)) }
            @if row.paused_at.is_some() || row.held_until.is_some() { (ask("resume", words.resume)) }
            @if row.braked_at.is_some() { (ask("release_brake", words.release_brake)) }
        }
    }
}

fn sweep_table(dash: &Dash, visitor: &Visitor, swept: &[SweepRow]) -> Markup {
    let words = visitor.language.words();
    html! {
        @if swept.is_empty() { p { (words.nothing_here) } } @else { div.wide tabindex="0" { table {
            thead { tr { th { (words.what) } th { (words.last_swept) } th { (words.next_at) } th { (words.found) } th { (words.gaps) } th { (words.last_error) } } }
            tbody { @for sweep in swept { tr {
                td { (swept_words(&sweep.what, words)) }
                td { (time_or_never(dash, visitor, sweep.last_finished_at)) }
                td { (time(dash, visitor, sweep.due_at)) }
                td { (sweep.found) }
                td { (sweep.gaps) }
                td { (page::reason(visitor, sweep.last_error.as_deref())) }
            } } }
        } } }
    }
}

/// The list that a sweep reads, as people call it.
fn swept_words<'a>(what: &'a str, words: &Words) -> &'a str {
    match what {
        "orders" => words.swept_orders,
        "statuses" => words.swept_statuses,
        "stock" => words.swept_stock,
        "products" => words.swept_products,
        other => other,
    }
}

fn rule_table(dash: &Dash, visitor: &Visitor, connection: &str, rules: &[RuleRow]) -> Markup {
    let words = visitor.language.words();
    html! {
        p.small { (words.shipping_rules_text) }
        @if rules.is_empty() { p { (words.no_shipping_rules) } } @else { div.wide tabindex="0" { table {
            thead { tr { th { (words.pattern) } th { (words.warehouse_code) } th { (words.by) } th { (words.at) } th { (words.remove) } } }
            tbody { @for rule in rules { tr {
                td { code { (rule.pattern) } }
                td { code { (rule.code) } }
                td { (rule.made_by) }
                td { (time(dash, visitor, rule.made_at)) }
                td { (button(visitor, HERE, &[("connection", connection), ("ask", "remove_rule"), ("pattern", &rule.pattern)], words.remove)) }
            } } }
        } } }
        @if visitor.is_operator() { details { summary { (words.add_rule) }
            form method="post" action=(HERE) {
                (secret(visitor))
                input type="hidden" name="connection" value=(connection);
                input type="hidden" name="ask" value="put_rule";
                (rule_fields(visitor.language, ""))
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
pub(super) async fn ask(State(dash): State<Dash>, asked: Asked) -> Result<Redirect, Refusal> {
    let name = asked.need("connection")?;
    let ask = match asked.need("ask")? {
        "pause" => Ask::Pause,
        "resume" => Ask::Resume,
        "release_brake" => Ask::ReleaseBrake,
        "put_rule" => Ask::PutRule(rule_of(&asked)?),
        "remove_rule" => Ask::RemoveRule(asked.need("pattern")?),
        _ => return Err(Refusal::Form),
    };
    asked
        .carry_out(&dash, async |db, actor| match &ask {
            Ask::Pause => actions::pause(db, actor, name).await,
            Ask::Resume => actions::resume(db, actor, name).await,
            Ask::ReleaseBrake => actions::release_brake(db, actor, name).await,
            Ask::PutRule(rule) => actions::put_shipping_rule(db, actor, name, rule).await,
            Ask::RemoveRule(pattern) => actions::remove_shipping_rule(db, actor, name, pattern).await,
        })
        .await?;
    Ok(Redirect::to(HERE))
}
