//! The filter of the list of orders: statuses with their counts, fields, and what is active as links that remove it.

use maud::{Markup, html};

use super::{
    order_query::{LIST, OrderQuery},
    user::User,
    widgets::{choices, reason},
};
use crate::{
    domain::{order::OrderStatus, task::reason::Reason},
    explain::{self, OrderTexts, order_texts, with_count},
    store::views::orders::parse_day,
};

/// Days that one may choose at once.
const LAST_DAYS: [usize; 4] = [1, 7, 30, 90];

/// Hours that one may choose at once.
const WAITS: [usize; 6] = [1, 4, 24, 72, 168, 720];

/// What may be chosen.
pub(super) struct Choices {
    /// Status and how many orders have it.
    pub(super) counts: Vec<(String, i64)>,
    /// How many wait for products.
    pub(super) waiting: i64,
    pub(super) methods: Vec<String>,
    pub(super) connections: Vec<String>,
}

/// Statuses, fields and what is active.
pub(super) fn filter_bar(user: &User, query: &OrderQuery, choices: &Choices) -> Markup {
    html! {
        (tabs(user, query, choices))
        (fields(user, query, choices))
        (chips(user, query, choices))
    }
}

fn tabs(user: &User, query: &OrderQuery, Choices { counts, waiting, .. }: &Choices) -> Markup {
    let words = user.words();
    let current = query.status.as_deref();
    let is_waiting = query.waiting.as_deref() == Some("true");
    let total: i64 = counts.iter().map(|(_, count)| count).sum();
    let count_of =
        |status: &str| counts.iter().find(|(known, _)| known == status).map_or(0, |(_, count)| *count);
    let tab = |address: String, is_current: bool, text: &str, count: i64| {
        html! {
            a href=(address) aria-current=[is_current.then_some("true")] {
                span.first { (text) } " " b { (explain::number_text(count, user.language)) }
            }
        }
    };
    let plain = OrderQuery { waiting: None, ..query.clone() };
    html! {
        nav.tabs aria-label=(words.status) {
            (tab(plain.with("status", None), current.is_none() && !is_waiting, words.all, total))
            @for status in OrderStatus::ALL {
                @let (code, text) = (status.as_str(), explain::status_text(*status, user.language));
                (tab(plain.with("status", Some(code)), current == Some(code) && !is_waiting, text, count_of(code)))
            }
            @if *waiting > 0 || is_waiting {
                @let address = OrderQuery { status: None, ..query.clone() }.with("waiting", Some("true"));
                (tab(address, is_waiting, words.waiting_list, *waiting))
            }
        }
    }
}

fn fields(user: &User, query: &OrderQuery, Choices { methods, connections, .. }: &Choices) -> Markup {
    let texts = order_texts(user.language);
    let same = |names: &[String]| names.iter().map(|name| (name.clone(), name.clone())).collect::<Vec<_>>();
    let days: Vec<_> = LAST_DAYS.iter().map(|days| (days.to_string(), last_days(texts, *days))).collect();
    let waits: Vec<_> = WAITS.iter().map(|hours| (hours.to_string(), hours_text(texts, *hours))).collect();
    let kept =
        query.pairs().into_iter().filter(|(name, _)| ["status", "reason", "waiting", "sort"].contains(name));
    html! {
        form.filter action=(LIST) role="search" {
            @for (name, value) in kept {
                @if let Some(value) = value { input type="hidden" name=(name) value=(value); }
            }
            label { (texts.search) input type="search" name="q" value=[query.q.as_deref()]; }
            (choices("placed", texts.placed, texts.any_time, query.placed.as_deref(), &days))
            (choices("method", texts.method, texts.all_methods, query.method.as_deref(), &same(methods)))
            // One alone is no choice.
            @if connections.len() > 1 || query.connection.is_some() {
                (choices("connection", texts.connection, texts.all_connections, query.connection.as_deref(), &same(connections)))
            }
            (choices("waits", texts.waits_longer, texts.any, query.waits.as_deref(), &waits))
            button { (texts.filter) }
            details.wide open[query.from.is_some() || query.to.is_some()] {
                summary { (texts.between) }
                div.actions {
                    label { (texts.placed_from) " " input type="date" name="from" value=[query.from.as_deref()]; }
                    label { (texts.placed_to) " " input type="date" name="to" value=[query.to.as_deref()]; }
                }
            }
        }
    }
}

/// What is active, or how many orders have come since the page was read: the reader asks for them, and no row jumps.
fn chips(user: &User, query: &OrderQuery, choices: &Choices) -> Markup {
    let texts = order_texts(user.language);
    let active = active(user, query);
    html! {
        div.chips {
            @for (name, text) in &active {
                a.chip href=(query.with(name, None)) {
                    (text) " " span aria-hidden="true" { "×" } span.sr { ": " (texts.remove_filter) }
                }
            }
            @if !query.is_filtered() {
                @let (one, many) = texts.new_orders.split_once('|').unwrap_or_default();
                a.chip data-more-than=(choices.counts.iter().map(|(_, count)| count).sum::<i64>()) data-count="orders" href=(query.address()) hidden {
                    b {} " " span data-one { (one) } span data-many { (many) }
                }
            }
            @if !active.is_empty() {
                a href=(LIST) { (texts.clear_all) }
                span.soft { (texts.keeps_filter) }
            }
        }
    }
}

/// What is active, in words: the name of its field and the text.
fn active(user: &User, query: &OrderQuery) -> Vec<(&'static str, Markup)> {
    let texts = order_texts(user.language);
    let number = |text: &str| text.parse::<usize>().ok();
    let in_words = |(name, value): (&'static str, Option<&str>)| {
        let value = value?;
        let text = match name {
            "status" => {
                let status = OrderStatus::parse(value)?;
                html! { span.first { (explain::status_text(status, user.language)) } }
            }
            "placed" => html! { (texts.placed) ": " (last_days(texts, number(value)?)) },
            "from" => {
                html! { (texts.placed_from) " " (explain::date_text(parse_day(value)?, user.language)) }
            }
            "to" => html! { (texts.placed_to) " " (explain::date_text(parse_day(value)?, user.language)) },
            "waits" => html! { (texts.waits_longer) " " (hours_text(texts, number(value)?)) },
            "reason" => {
                Reason::parse(value)?;
                reason(user, Some(value))
            }
            "waiting" if value == "true" => html! { span.first { (user.words().waiting_list) } },
            "q" | "connection" | "method" => html! { (value) },
            _ => return None,
        };
        Some((name, text))
    };
    query.pairs().into_iter().filter_map(in_words).collect()
}

fn last_days(texts: &OrderTexts, days: usize) -> String {
    if days == 1 { texts.today.to_owned() } else { with_count(texts.last_days, days) }
}

fn hours_text(texts: &OrderTexts, hours: usize) -> String {
    if hours >= 24 && hours.is_multiple_of(24) {
        with_count(texts.days, hours / 24)
    } else {
        with_count(texts.hours, hours)
    }
}
