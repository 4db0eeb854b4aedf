//! The history of an order: what happens next on top, then the newest first; the calls behind each attempt with the
//! vendor's own words.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    icon::{Icon, icon},
    order_situation::is_unread,
    task::call_count,
    user::User,
    widgets::{json, time},
};
use crate::{
    domain::{task::action::ActionState, vendor::Vendor},
    explain::{self, LedgerAction, OrderHistory, TimelineEntry, call_text, order_texts, vendor_name},
};

/// What was done, what happened, and the calls as texts for support.
pub(super) fn history(user: &User, history: &OrderHistory) -> Markup {
    let (words, texts) = (user.words(), order_texts(user.language));
    html! {
        @if !history.actions.is_empty() {
            section.card.flush aria-labelledby="done" {
                div.row { h2 #done { (texts.done_there) } }
                ol.line { @for action in history.actions.iter().rev() { (ledger_action(user, action)) } }
            }
        }
        section.card.flush aria-labelledby="history" {
            div.row { h2 #history { (texts.history) } }
            ol.line {
                @if let Some(at) = history.order.next_at {
                    li.next { (time(user, at.max(user.now))) div { span.strong {
                        (if is_unread(&history.order) { texts.looks_first_then } else { texts.looks_again_then })
                    } } }
                }
                @for entry in history.timeline.iter().rev() { (timeline_entry(user, entry)) }
            }
        }
        section.card.no-print {
            h2 { (words.call_log) }
            @for vendor in [Vendor::MyCashflow, Vendor::Ogoship] {
                details {
                    summary { (vendor_name(vendor)) }
                    pre role="group" aria-label=(vendor_name(vendor)) tabindex="0" { (explain::call_log(history, vendor)) }
                }
            }
        }
    }
}

fn ledger_action(user: &User, LedgerAction { action, text }: &LedgerAction) -> Markup {
    html! {
        li class=(mark(&action.state)) {
            (time(user, action.ended_at.unwrap_or(action.begun_at)))
            div {
                span.strong { (text) }
                @if let Some(reference) = &action.reference { " " span.code { (reference) } }
                p { a.small href=(format!("/tasks/{}", action.task_id)) { (user.words().show_task) } }
                @if let Some(sent) = &action.sent {
                    details { summary { (user.words().action_sent) } (json(sent)) }
                }
            }
        }
    }
}

/// The class of an action's mark: what was done, and what is not known.
fn mark(state: &str) -> &'static str {
    match state.parse() {
        Ok(ActionState::Applied | ActionState::ResolvedApplied) => "good",
        Ok(ActionState::Begun | ActionState::Unknown) => "slow",
        _ => "",
    }
}

fn timeline_entry(user: &User, entry: &TimelineEntry) -> Markup {
    html! {
        li class=(entry.kind) {
            (time(user, entry.at))
            div {
                span { (entry.text) }
                @if let Some(task) = entry.task_id {
                    " " a.small.no-print href=(format!("/tasks/{task}")) { (user.words().show_task) }
                }
                @if !entry.calls.is_empty() {
                    details { summary { (call_count(user, entry.calls.len())) } (calls(user, &entry.calls)) }
                }
            }
        }
    }
}

/// The calls of an attempt: what was asked, and what the vendor answered in its own words.
fn calls(user: &User, calls: &[Value]) -> Markup {
    let texts = order_texts(user.language);
    html! {
        div.scroll tabindex="0" role="region" aria-label=(texts.call) { table {
            thead { tr {
                th scope="col" { (texts.vendor) } th scope="col" { (texts.call) } th scope="col" { (texts.answer) }
                th.num scope="col" { (texts.took) }
            } }
            tbody { @for call in calls { tr {
                td { (explain::source_text(call["vendor"].as_str().unwrap_or_default(), user.language)) }
                td { (call_text(call["call"].as_str().unwrap_or_default(), user.language)) }
                td {
                    @match call["status"].as_u64() { Some(status) => (status), None => (texts.no_answer) }
                    @if let Some(message) = call["message"].as_str() { " " q { (message) } }
                }
                td.num { @if let Some(millis) = call["millis"].as_u64() { (millis) " ms" } }
            } } }
        } }
        details { summary { (icon(Icon::Eye)) " " (texts.as_sent) } (json(&calls)) }
    }
}
