//! The elements that pages share: buttons, form fields, times, states, reasons.

use chrono::SecondsFormat;
use maud::{Markup, html};
use serde::Serialize;

use super::{
    badge::{Tone, badge},
    listing::order_path,
    user::User,
};
use crate::{
    domain::{
        Timestamp,
        event::subject::SubjectKind,
        order::OrderStatus,
        switch::{Switch, Switches},
        sync::SyncKind,
        task::reason::Reason,
        vendor::Vendor,
    },
    explain::{self, with_vendor},
};

/// A link to an order's page.
pub(super) fn order_link(connection: &str, order_id: &str) -> Markup {
    html! { a href=(order_path(connection, order_id)) { (order_id) } }
}

/// A form of one button with hidden fields; only operators get it.
pub(super) fn button(user: &User, to: &str, fields: &[(&str, &str)], label: &str) -> Markup {
    html! {
        @if user.is_operator() {
            form.inline method="post" action=(to) {
                (csrf_field(user))
                @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
                button { (label) }
            }
        }
    }
}

/// The hidden field with the session's CSRF token; every form has it.
pub(super) fn csrf_field(user: &User) -> Markup {
    html! { input type="hidden" name="csrf" value=(user.csrf); }
}

/// A select field of a filter; its first option selects everything.
pub(super) fn choices(
    name: &str,
    label: &str,
    all: &str,
    current: Option<&str>,
    options: &[(String, String)],
) -> Markup {
    html! {
        label { (label) " "
            select name=(name) {
                option value="" { (all) }
                @for (value, word) in options {
                    option value=(value) selected[current == Some(value)] { (word) }
                }
            }
        }
    }
}

/// An empty list says whether nothing matches its filter, or nothing is there yet.
pub(super) fn nothing(user: &User) -> Markup {
    let has_value = |pair: &str| pair.split_once('=').is_some_and(|(_, value)| !value.is_empty());
    let is_filtered = user.path.split(['?', '&']).skip(1).any(has_value);
    let words = user.words();
    html! { p.empty { (if is_filtered { words.empty_list } else { words.nothing_yet }) } }
}

/// A text field of a filter or a form.
pub(super) fn field(name: &str, label: &str, value: &str) -> Markup {
    html! { label { (label) " " input name=(name) value=(value); } }
}

/// A time, and below it how long ago it was.
pub(super) fn time(user: &User, at: Timestamp) -> Markup {
    html! {
        time datetime=(machine_time(at)) {
            (explain::moment_text(at, user.now, user.zone, user.language)) " "
            small data-relative { (explain::relative_text(at, user.now, user.language)) }
        }
    }
}

/// A time inside a sentence: today's without its date.
pub(super) fn inline_time(user: &User, at: Timestamp) -> Markup {
    html! { time datetime=(machine_time(at)) { (explain::clock_text(at, user.now, user.zone, user.language)) } }
}

fn machine_time(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A time, or "never".
pub(super) fn time_or_never(user: &User, at: Option<Timestamp>) -> Markup {
    html! { @if let Some(at) = at { (time(user, at)) } @else { (user.words().never) } }
}

/// The state of a task or a sync.
pub(super) fn state(user: &User, state: &str) -> Markup {
    let tone = match state {
        "done" => Tone::Ok,
        "dead" | "failed" => Tone::Stopped,
        "in_doubt" => Tone::Attention,
        "skipped" | "cancelled" => Tone::Plain,
        _ => Tone::Waiting,
    };
    badge(tone, &explain::state_text(state, user.language))
}

/// A reason code in words; an unknown code as it is.
pub(super) fn reason(user: &User, code: Option<&str>) -> Markup {
    reason_of(user, code, None)
}

/// The same with the name of the vendor that it is about, where that is known.
pub(super) fn reason_of(user: &User, code: Option<&str>, vendor: Option<Vendor>) -> Markup {
    let known = code.and_then(Reason::parse).map(|reason| explain::reason_text(reason, user.language));
    // The words are a doc comment too, with its backticks.
    html! { @if let Some(words) = known.or(code) { (with_vendor(&words.replace('`', ""), vendor, user.language)) } }
}

/// JSON, indented.
pub(super) fn json(value: &impl Serialize) -> Markup {
    html! { pre role="group" aria-label="JSON" tabindex="0" { (serde_json::to_string_pretty(value).unwrap_or_default()) } }
}

/// What to do about a reason.
pub(super) fn remedy(user: &User, reason: &str) -> Markup {
    remedy_of_vendor(user, reason, None)
}

/// The same with the name of the vendor that it is about, where that is known.
pub(super) fn remedy_of_vendor(user: &User, reason: &str, vendor: Option<Vendor>) -> Markup {
    let text = remedy_text(user, reason, vendor);
    html! { @if !text.is_empty() { p.remedy { strong { (user.words().remedy) ": " } (text) } } }
}

/// What to do about a reason, as a text alone; empty where there is nothing to do.
pub(super) fn remedy_text(user: &User, reason: &str, vendor: Option<Vendor>) -> String {
    let remedy = Reason::parse(reason).map_or("", |reason| explain::remedy(reason, user.language));
    with_vendor(remedy, vendor, user.language)
}

/// The health of a connection.
pub(super) fn health(user: &User, health: &str) -> Markup {
    let words = user.words();
    let (tone, word) = match health {
        "ok" => (Tone::Ok, words.ok),
        "slow" => (Tone::Attention, words.slow),
        "paused" => (Tone::Attention, words.paused),
        "circuit_open" => (Tone::Stopped, words.circuit_open),
        "writes_held_back" => (Tone::Stopped, words.writes_held_back),
        _ => (Tone::Attention, words.braked),
    };
    badge(tone, word)
}

/// What a connection does not write by itself.
pub(super) fn switches(user: &User, switches: Switches) -> Markup {
    html! {
        @for kind in SubjectKind::ALL.iter().copied() {
            @if switches.of(kind) != Switch::Automatic {
                p.note { (explain::switch_text(kind, switches.of(kind), user.language)) }
            }
        }
    }
}

/// The status of an order.
pub(super) fn order_status(user: &User, status: &str) -> Markup {
    let tone = match status {
        "delivered" => Tone::Ok,
        "needs_attention" => Tone::Attention,
        "cancelled" | "returned" => Tone::Plain,
        _ => Tone::Waiting,
    };
    let text = OrderStatus::parse(status).map(|status| explain::status_text(status, user.language));
    badge(tone, text.unwrap_or(status))
}

/// The kind of a sync in words.
pub(super) fn sync_kind<'a>(user: &User, kind: &'a str) -> &'a str {
    let known = kind.parse::<SyncKind>().ok();
    known.map_or(kind, |kind| explain::sync_kind_text(kind, user.words()))
}

/// Who started a sync: the name of a token, or the schedule.
pub(super) fn sync_actor<'a>(user: &User, actor: &'a str) -> &'a str {
    if actor == "schedule" { user.words().scheduled } else { actor }
}
