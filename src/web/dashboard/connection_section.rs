//! One connection on the page of connections: its figures, what stops it, its parts.

use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    badge::{Tone, flash},
    connection_parts::{HERE, part, poll_table, rule_table, setting_table},
    connection_test::{is_running, register_card, test_button, test_card},
    deps::DashboardDeps,
    listing::url,
    outage,
    switch_card::{self, SwitchState},
    sync_schedule::{Schedules, schedule_table},
    user::User,
    webhook_actions,
    webhooks::WebhookStatus,
    widgets::{button, health, inline_time, remedy, time},
};
use crate::{
    actions::{Releasable, registration_obstacle},
    domain::{connection_work::WorkKind, id::time_of},
    explain::{self, capitalised, connection_texts, number_text, sentence},
    store::{
        self,
        connection_work::{self, WorkRow},
        connections::ConnectionRow,
        polls::{self, PollRow},
        shipping_rules::{self, RuleRow},
        views::{
            connection_figures::{self, ConnectionFigures},
            last_syncs::{self, LastSync},
            vendors_down::VendorDown,
        },
    },
};

/// What is read for all connections at once.
pub(super) struct CommonData {
    figures: Vec<ConnectionFigures>,
    last_syncs: Vec<LastSync>,
    down: Vec<VendorDown>,
    pub(super) waiting: Vec<Releasable>,
}

impl CommonData {
    pub(super) async fn load(
        db: &mut PgConnection,
        user: &User,
        waiting: Vec<Releasable>,
    ) -> store::Result<Self> {
        Ok(Self {
            figures: connection_figures::list(db, user.now).await?,
            last_syncs: last_syncs::list(db).await?,
            down: outage::load(db, None).await?,
            waiting,
        })
    }
}

/// What is read of one connection.
pub(super) struct ConnectionSection {
    row: ConnectionRow,
    polls: Vec<PollRow>,
    rules: Vec<RuleRow>,
    webhooks: WebhookStatus,
    works: Vec<WorkRow>,
}

impl ConnectionSection {
    pub(super) async fn load(db: &mut PgConnection, row: ConnectionRow) -> store::Result<Self> {
        Ok(Self {
            polls: polls::list(db, &row.name).await?,
            rules: shipping_rules::list(db, &row.name).await?,
            webhooks: WebhookStatus::load(db, &row.name).await?,
            works: connection_work::list(db, &row.name).await?,
            row,
        })
    }

    pub(super) fn render(&self, user: &User, deps: &DashboardDeps, common: &CommonData) -> Markup {
        let Self { row, polls, rules, webhooks, works } = self;
        let (words, texts, name) = (user.words(), connection_texts(user.language), row.name.as_str());
        let setup = deps.work.webhook_setup(name);
        let settings = &*deps.settings.of(name);
        let figures = common.figures.iter().find(|it| it.connection == *name);
        let switches = SwitchState {
            connection: name,
            switches: row.switches(),
            waiting: &common.waiting,
            settings,
            figures,
            schedule: deps.schedules.get(name),
        };
        let schedules = Schedules { configured: &deps.schedules, last: &common.last_syncs };
        let actions = html! {
            (register_card(user, name, works))
            (webhook_actions::detections(user, webhooks, setup.as_ref()))
            @if let Some(setup) = &setup {
                (webhook_actions::forms(user, name, setup, registration_obstacle(row, setup)))
            }
        };
        html! {
            section.connection aria-label=(name) {
                div.head {
                    div {
                        h2 { (name) " " (health(user, row.health())) }
                        p { (words.connected_since) " " (inline_time(user, row.connected_at)) }
                    }
                    (controls(user, row, setup.is_some() && !is_running(user, works, WorkKind::Test)))
                }
                (stopped(user, row, &common.down))
                @if let Some(figures) = figures { (figure_card(user, figures)) }
                div.halves.roomy {
                    div {
                        (test_card(user, name, works))
                        (poll_table(user, name, polls))
                        (part(texts.schedule, name, &schedule_table(user, &schedules, &[row])))
                        (webhooks.render(user, name, &actions))
                    }
                    div {
                        (switch_card::card(user, &switches))
                        (rule_table(user, name, rules))
                        (setting_table(user, name, settings))
                    }
                }
            }
        }
    }
}

/// How it fares, in three figures.
fn figure_card(user: &User, figures: &ConnectionFigures) -> Markup {
    let texts = connection_texts(user.language);
    let last_order = figures.last_order_task.and_then(time_of);
    html! {
        div.card { dl.stats {
            div { dt { (texts.open_tasks) } dd { (number_text(figures.open, user.language)) } }
            div { dt { (texts.oldest_due) } dd {
                @if let Some(at) = figures.oldest_due_at { (time(user, at)) } @else { (texts.none_due) }
            } }
            div { dt { (texts.last_order) } dd {
                @if let Some(at) = last_order { (time(user, at)) } @else { (texts.none_yet) }
            } }
        } }
    }
}

/// What stops a connection, in words.
fn stopped(user: &User, row: &ConnectionRow, down: &[VendorDown]) -> Markup {
    let words = user.words();
    html! {
        (outage::messages(user, down.iter().filter(|it| it.connection == row.name && !it.holds_back_writes)))
        @if let Some(code) = &row.circuit_reason { (remedy(user, code)) }
        @if let Some(held) = &row.writes_held_back {
            (flash(Tone::Stopped, &html! { strong { (capitalised(words.writes_held_back)) } ": " (held) }))
        }
        @if let Some(by) = &row.paused_by {
            (flash(Tone::Attention, &html! { strong { (capitalised(words.paused)) } ": " (by) @if let Some(at) = row.paused_at { ", " (inline_time(user, at)) } }))
        }
        @if let Some(detail) = &row.brake_detail {
            (flash(Tone::Attention, &html! {
                strong { (capitalised(words.braked)) } ": " (sentence(&explain::detail(detail, user.language))) " "
                (way_to_the_brake(user, &row.name))
            }))
        }
    }
}

/// The figures that the stock brake holds: with their approval for those who may give it.
fn way_to_the_brake(user: &User, connection: &str) -> Markup {
    let to = url("/attention/stock", &[("connection", Some(connection))], None);
    html! {
        @if user.is_operator() { a href=(to) { (connection_texts(user.language).see_brake) } }
        @else { a href="/attention" { (user.words().attention) } }
    }
}

fn controls(user: &User, row: &ConnectionRow, can_be_tested: bool) -> Markup {
    let words = user.words();
    let ask = |request, label| button(user, HERE, &[("connection", &row.name), ("ask", request)], label);
    html! {
        div.actions {
            @if can_be_tested { (test_button(user, &row.name)) }
            @if row.paused_at.is_none() { (ask("pause", words.pause)) }
            @if row.paused_at.is_some() || row.circuit_open_until.is_some() || row.writes_held_back.is_some() {
                (ask("resume", words.resume))
            }
        }
    }
}
