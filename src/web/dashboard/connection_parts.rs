//! The tables of a connection's page: polls, shipping rules, settings in effect.

use maud::{Markup, html};

use super::{
    badge::{Tone, badge},
    shipping_rule,
    user::User,
    widgets::{button, csrf_field, reason_of, time, time_or_never},
};
use crate::{
    domain::{
        setting::{Origin, Setting, SettingValue},
        vendor::Vendor,
    },
    explain::{PageTexts, capitalised, connection_texts, number_text},
    store::{polls::PollRow, shipping_rules::RuleRow},
};

/// The page of connections.
pub(super) const HERE: &str = "/connections";

/// A part of the page with a table that screen readers know by the part's name and the connection's.
pub(super) fn part(title: &str, connection: &str, table: &Markup) -> Markup {
    html! {
        section.card.flush aria-label=(format!("{title}: {connection}")) {
            h2 { (title) }
            div.scroll role="region" aria-label=(format!("{title}: {connection}")) tabindex="0" { (table) }
        }
    }
}

/// The polls: when each was read, when it is read next, and what it found.
pub(super) fn poll_table(user: &User, connection: &str, polls: &[PollRow]) -> Markup {
    let words = user.words();
    let now = |what: &str| {
        let fields = [("connection", connection), ("ask", "poll"), ("what", what)];
        button(user, HERE, &fields, words.poll_now)
    };
    let table = html! {
        @if polls.is_empty() { p.empty { (words.empty_list) } } @else { table.stack {
            thead { tr {
                th scope="col" { (words.what) } th scope="col" { (words.last_polled) } th scope="col" { (words.next_at) }
                th.num scope="col" { (words.found) } @if user.is_operator() { th scope="col" { (words.poll_now) } }
            } }
            tbody { @for poll in polls { tr {
                th scope="row" {
                    (capitalised(poll_text(&poll.what, words)))
                    @if let Some(error) = &poll.last_error { small { (badge(Tone::Attention, words.failed)) " " (reason_of(user, Some(error), Some(vendor_of(&poll.what)))) } }
                    @if poll.gaps > 0 { small { (words.gaps) ": " (poll.gaps) } }
                }
                td data-l=(words.last_polled) { (time_or_never(user, poll.last_finished_at)) }
                td data-l=(words.next_at) { @if poll.due_at > user.now { (time(user, poll.due_at)) } @else { (connection_texts(user.language).due_now) } }
                td.num data-l=(words.found) { (number_text(poll.found, user.language)) }
                @if user.is_operator() { td.act.wide { (now(&poll.what)) } }
            } } }
        } }
    };
    part(words.polls, connection, &table)
}

/// The vendor whose list it is.
fn vendor_of(list: &str) -> Vendor {
    if matches!(list, "orders" | "products") { Vendor::MyCashflow } else { Vendor::Ogoship }
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

/// The shipping rules that operators have set, and the form of a new one.
pub(super) fn rule_table(user: &User, connection: &str, rules: &[RuleRow]) -> Markup {
    let words = user.words();
    let remove = |pattern: &str| {
        let fields = [("connection", connection), ("ask", "remove_rule"), ("pattern", pattern)];
        button(user, HERE, &fields, words.remove)
    };
    let table = html! {
        @if rules.is_empty() { p.empty { (words.no_shipping_rules) } } @else { table.stack {
            thead { tr {
                th scope="col" { (words.pattern) } th scope="col" { (words.warehouse_code) } th scope="col" { (words.by) }
                @if user.is_operator() { th scope="col" { (words.remove) } }
            } }
            tbody { @for rule in rules { tr {
                th.code scope="row" { (rule.pattern) }
                td.code data-l=(words.warehouse_code) { (rule.code) }
                td data-l=(words.by) { (rule.created_by) " " (time(user, rule.created_at)) }
                @if user.is_operator() { td.act.wide { (remove(&rule.pattern)) } }
            } } }
        } }
    };
    html! {
        (part(words.shipping_rules, connection, &table))
        p.soft { (words.shipping_rules_text) }
        @if user.is_operator() { details { summary { (words.add_rule) } (rule_form(user, connection)) } }
    }
}

fn rule_form(user: &User, connection: &str) -> Markup {
    html! {
        form.card method="post" action=(HERE) {
            (csrf_field(user))
            input type="hidden" name="connection" value=(connection);
            input type="hidden" name="ask" value="put_rule";
            (shipping_rule::fields(user, ""))
            button { (user.words().save_rule) }
        }
    }
}

/// The settings in effect: what differs from the defaults first.
pub(super) fn setting_table(user: &User, connection: &str, settings: &[&Setting]) -> Markup {
    let words = user.words();
    let (defaults, given): (Vec<&Setting>, Vec<&Setting>) =
        settings.iter().partition(|setting| setting.origin == Origin::Default);
    let table = html! {
        (setting_rows(user, &given))
        @if settings.is_empty() { p.empty { (words.settings_elsewhere) } }
    };
    html! {
        (part(words.settings, connection, &table))
        @if !defaults.is_empty() {
            details { summary { (words.settings_of_defaults) " (" (defaults.len()) ")" }
                div.card.flush { (setting_rows(user, &defaults)) }
            }
        }
    }
}

fn setting_rows(user: &User, settings: &[&Setting]) -> Markup {
    let words = user.words();
    html! {
        @if !settings.is_empty() { table.stack {
            thead { tr { th scope="col" { (words.setting) } th scope="col" { (words.value) } th scope="col" { (words.origin) } } }
            tbody { @for setting in settings { tr {
                th.code.wide scope="row" { (setting.key) }
                td { @match &setting.value {
                    SettingValue::Shown(text) if text.is_empty() => { "–" }
                    SettingValue::Shown(text) => { span.code { (text) } }
                    SettingValue::Secret { is_set: true } => { "•••••••• " (words.secret_set) }
                    SettingValue::Secret { is_set: false } => { (words.secret_not_set) }
                } }
                td.soft { @match setting.origin {
                    Origin::Default => { (words.origin_default) }
                    Origin::File { line } => { (words.origin_file) " " (line) }
                    Origin::Environment => { (words.origin_environment) }
                } }
            } } }
        } }
    }
}
