//! Connections: health, pause switch, stock brake; polls, shipping rules, keys, webhooks and the settings in effect.

use axum::{
    extract::{Query, State},
    response::Redirect,
};
use maud::{Markup, html};

use super::{
    badge::{Tone, flash},
    connection_parts::{HERE, poll_table, rule_table, setting_table},
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
    widgets::{button, health, inline_time, reason, remedy, switches},
};
use crate::{
    actions,
    domain::shipping::ShippingRule,
    explain,
    store::{
        connections::{self, ConnectionRow},
        key_usage, polls, shipping_rules,
    },
};

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
        @if sections.is_empty() { p.card.empty { (words.no_connections) } }
        @for (row, polls, rules, webhooks) in &sections {
            section aria-label=(row.name) {
                div.head {
                    div {
                        h2 { (row.name) " " (health(&user, row.health())) }
                        p { (words.connected_since) " " (inline_time(&user, row.connected_at)) }
                    }
                    (controls(&user, row))
                }
                (stopped(&user, row))
                (switches(&user, row.switches()))
                div.halves.roomy {
                    div {
                        (poll_table(&user, &row.name, polls))
                        (webhooks.render(&user, &row.name))
                    }
                    div {
                        (rule_table(&user, &row.name, rules))
                        (setting_table(&user, &row.name, deps.settings.get(&row.name)))
                    }
                }
            }
        }
        section.card.flush aria-label=(words.admin_tokens) {
            h2 { (words.admin_tokens) }
            (key_table(&user, words.admin_tokens, &tokens))
        }
    };
    Ok(page(&user, MenuItem::Connections, words.connections, &main))
}

/// What stops a connection, in words.
fn stopped(user: &User, row: &ConnectionRow) -> Markup {
    let words = user.words();
    html! {
        @if let Some(code) = &row.circuit_reason {
            (flash(Tone::Stopped, &html! { p.strong { (reason(user, Some(code))) } (remedy(user, code)) }))
        }
        @if let Some(held) = &row.writes_held_back {
            (flash(Tone::Stopped, &html! { strong { (words.writes_held_back) } ": " (held) }))
        }
        @if let Some(by) = &row.paused_by {
            (flash(Tone::Attention, &html! { strong { (words.paused) } ": " (by) @if let Some(at) = row.paused_at { ", " (inline_time(user, at)) } }))
        }
        @if let Some(detail) = &row.brake_detail {
            (flash(Tone::Attention, &html! { strong { (words.braked) } ": " (explain::detail(detail, user.language)) }))
        }
    }
}

fn controls(user: &User, row: &ConnectionRow) -> Markup {
    let words = user.words();
    let ask = |request, label| button(user, HERE, &[("connection", &row.name), ("ask", request)], label);
    html! {
        div.actions {
            @if row.paused_at.is_none() { (ask("pause", words.pause)) }
            @if row.paused_at.is_some() || row.circuit_open_until.is_some() || row.writes_held_back.is_some() {
                (ask("resume", words.resume))
            }
            @if row.braked_at.is_some() { (ask("release_brake", words.release_brake)) }
        }
    }
}

/// What an operator can do with a connection.
enum ConnectionRequest<'a> {
    Pause,
    Resume,
    ReleaseBrake,
    Poll(&'a str),
    PutRule(ShippingRule),
    RemoveRule(&'a str),
}

/// Pauses or resumes a connection, releases its stock brake, polls a list, or changes a shipping rule.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let name = form.require("connection")?;
    let request = match form.require("ask")? {
        "pause" => ConnectionRequest::Pause,
        "resume" => ConnectionRequest::Resume,
        "release_brake" => ConnectionRequest::ReleaseBrake,
        "poll" => ConnectionRequest::Poll(form.require("what")?),
        "put_rule" => ConnectionRequest::PutRule(shipping_rule::parse(&form)?),
        "remove_rule" => ConnectionRequest::RemoveRule(form.require("pattern")?),
        _ => return Err(PageError::InvalidForm),
    };
    form.execute(&deps, async |db, actor| match &request {
        ConnectionRequest::Pause => actions::pause(db, actor, name).await,
        ConnectionRequest::Resume => actions::resume(db, actor, name).await,
        ConnectionRequest::ReleaseBrake => actions::release_brake(db, actor, name).await,
        ConnectionRequest::Poll(what) => actions::poll_now(db, actor, name, what).await,
        ConnectionRequest::PutRule(rule) => actions::put_shipping_rule(db, actor, name, rule).await,
        ConnectionRequest::RemoveRule(pattern) => {
            actions::remove_shipping_rule(db, actor, name, pattern).await
        }
    })
    .await?;
    Ok(Redirect::to(HERE))
}
