//! The card of a connection's test, and the list of checks that a test or a registration has made.

use maud::{Markup, html};

use super::{
    badge::{Tone, badge},
    connection_parts::HERE,
    listing::url,
    user::User,
    widgets::{button, inline_time},
};
use crate::{
    domain::{
        check::{Check, CheckResult, Found},
        connection_work::WorkKind,
    },
    explain::{self, Place, connection_texts, short_duration_text},
    store::connection_work::WorkRow,
};

/// The button that starts a test.
pub(super) fn test_button(user: &User, connection: &str) -> Markup {
    button(user, HERE, &[("connection", connection), ("ask", "test")], connection_texts(user.language).test)
}

/// Whether a work of a kind runs now.
pub(super) fn is_running(user: &User, works: &[WorkRow], kind: WorkKind) -> bool {
    works.iter().any(|work| work.kind == kind.as_str() && work.is_running(user.now))
}

/// The newest test; nothing where there was none.
pub(super) fn test_card(user: &User, connection: &str, works: &[WorkRow]) -> Markup {
    let texts = connection_texts(user.language);
    work_card(user, connection, (WorkKind::Test, texts.test_title, texts.test_running), works)
}

/// The newest registration of webhooks; nothing where there was none.
pub(super) fn register_card(user: &User, connection: &str, works: &[WorkRow]) -> Markup {
    let texts = connection_texts(user.language);
    work_card(user, connection, (WorkKind::Register, texts.register_title, texts.register_running), works)
}

fn work_card(
    user: &User,
    connection: &str,
    (kind, title, running): (WorkKind, &str, &str),
    works: &[WorkRow],
) -> Markup {
    let texts = connection_texts(user.language);
    let work = works.iter().find(|work| work.kind == kind.as_str());
    html! {
        @if let Some(work) = work {
            section.card.flush aria-label=(format!("{title}: {connection}")) {
                div.row {
                    h2 { (title) }
                    span.soft {
                        (work.requested_by) ", " (inline_time(user, work.requested_at))
                        @if let Some(took) = duration_of(work) { ", " (texts.took) " " (short_duration_text(took, user.language)) }
                    }
                }
                @if work.is_running(user.now) {
                    div data-refresh { p.empty role="status" { (running) } progress aria-label=(title) {} }
                } @else if let Some(checks) = &work.checks {
                    // Another version may have written what this one does not know.
                    @match serde_json::from_value::<Vec<Check>>(checks.clone()) {
                        Ok(checks) => { (list(user, connection, checks)) }
                        Err(_) => { p.empty { (texts.unreadable) } }
                    }
                } @else { p.empty { (texts.not_ended) } }
            }
        }
    }
}

fn duration_of(work: &WorkRow) -> Option<std::time::Duration> {
    (work.finished_at? - work.requested_at).to_std().ok()
}

fn list(user: &User, connection: &str, checks: Vec<Check>) -> Markup {
    let texts = connection_texts(user.language);
    html! {
        ul.todo { @for check in checks {
            @let check = user.audience().check(check);
            @let remedy = explain::check_remedy(&check, Place::Page, user.language);
            li {
                (result(user, check.result))
                div {
                    span.strong { (explain::check_title(check.name, user.language)) }
                    p.soft { (explain::capitalised(explain::check_finding(&check.found, user.language).trim_end_matches(':'))) }
                    @if !remedy.is_empty() { p { (explain::capitalised(&remedy)) } }
                    @if let Some(path) = products_path(connection, &check) { p { a href=(path) { (texts.see_products) } } }
                }
            }
        } }
    }
}

/// The list of products that shows what a check found, if one does.
fn products_path(connection: &str, check: &Check) -> Option<String> {
    let list = match check.found {
        Found::Codes(1..) => Some("code"),
        Found::Remarks(1..) => None,
        _ => return None,
    };
    Some(url("/products", &[("connection", Some(connection)), ("show", list)], None))
}

fn result(user: &User, result: CheckResult) -> Markup {
    let texts = connection_texts(user.language);
    match result {
        CheckResult::Good => badge(Tone::Ok, texts.good),
        CheckResult::Warning => badge(Tone::Attention, texts.look),
        CheckResult::Failed => badge(Tone::Stopped, texts.fix),
        CheckResult::NotChecked => badge(Tone::Plain, texts.not_checked),
    }
}
