//! The table of products with their stock on both sides.

use maud::{Markup, html};

use super::{
    badge::{Tone, badge},
    user::User,
    widgets::{reason, time},
};
use crate::{
    domain::{
        event::subject::SubjectKind,
        switch::{Switch, Switches},
        task::reason::Reason,
    },
    explain::{item_texts, number_text, remedy},
    store::views::items::ItemRow,
};

/// What a row's button does.
#[derive(Clone, Copy)]
enum RowAction {
    /// Sends the product to the warehouse.
    Upload,
    /// Compares both sides and corrects what differs.
    Sync,
}

/// What the button of an item does; `None` where it would do nothing: another code is what helps, or the warehouse does not
/// keep it.
fn action_of(row: &ItemRow, switches: Switches) -> Option<RowAction> {
    let is_on = |kind| switches.of(kind) != Switch::Off;
    let can_upload = is_on(SubjectKind::Product);
    match (row.code_problem.is_none() && row.stored, row.is_absent()) {
        (true, true) => can_upload.then_some(RowAction::Upload),
        (true, false) => (can_upload || is_on(SubjectKind::Stock)).then_some(RowAction::Sync),
        (false, _) => None,
    }
}

/// Items as a table; a form around it sends the row's button, where it has an effect.
pub(super) fn item_table(user: &User, rows: &[ItemRow], switches: Switches) -> Markup {
    let actions: Vec<_> =
        rows.iter().map(|row| action_of(row, switches).filter(|_| user.is_operator())).collect();
    let has_actions = actions.iter().any(Option::is_some);
    let texts = item_texts(user.language);
    let numbers = [
        texts.in_shop,
        texts.should_be,
        texts.on_shelf,
        texts.reserved,
        texts.free,
        texts.buffer,
        texts.in_flight,
    ];
    html! {
        div.scroll role="region" aria-label=(user.words().products) tabindex="0" { table.stack.items {
            thead { tr {
                th scope="col" aria-sort="ascending" { (texts.product) }
                @for name in numbers { th.num scope="col" { (name) } }
                th scope="col" { (texts.difference) }
                th scope="col" { (texts.last_read) }
                @if has_actions { th scope="col" { span.sr { (texts.action) } } }
            } }
            tbody { @for (row, action) in rows.iter().zip(actions) { (item_row(user, row, (has_actions, action))) } }
        } }
    }
}

fn item_row(user: &User, row: &ItemRow, (has_actions, action): (bool, Option<RowAction>)) -> Markup {
    let texts = item_texts(user.language);
    let name = row.name.as_deref().or(row.code.as_deref()).unwrap_or(&row.item);
    html! {
        tr {
            th.wide scope="row" { (name) small.code { (row.code.as_deref().unwrap_or_default()) } }
            td.num data-l=(texts.in_shop) { b { (figure(user, row.shop)) } }
            td.num data-l=(texts.should_be) { b { (figure(user, row.target)) } }
            td.num.gone { (figure(user, row.physical)) }
            td.num.gone { (figure(user, row.reserved())) }
            td.num data-l=(texts.free) { (figure(user, row.available)) }
            td.num.gone { (figure(user, row.buffer.filter(|_| row.target.is_some()))) }
            td.num.gone { (figure(user, row.target.map(|_| row.in_flight))) }
            td { (difference(user, row)) }
            td.gone { @if let Some(at) = row.read_at { (time(user, at)) } }
            @if has_actions { td.act { @if let Some(action) = action {
                @let label = match action { RowAction::Upload => texts.upload_one, RowAction::Sync => texts.sync_one };
                button name="item" value=(row.item) aria-label=(format!("{label}: {name}")) { (label) }
            } } }
        }
    }
}

/// A figure; a dash where it is not known, which is not zero.
fn figure(user: &User, figure: Option<i64>) -> Markup {
    html! {
        @match figure {
            Some(figure) => { (number_text(figure, user.language)) }
            None => { span.soft { "–" } }
        }
    }
}

fn difference(user: &User, row: &ItemRow) -> Markup {
    let texts = item_texts(user.language);
    if let Some(problem) = &row.code_problem {
        return html! {
            (badge(Tone::Attention, texts.list_code))
            @if row.same_code.is_empty() { small { (reason(user, Some(problem))) } }
            @else { small { (texts.same_code_as) " " (row.same_code.join(", ")) } }
            small { (Reason::parse(problem).map_or("", |reason| remedy(reason, user.language))) }
        };
    }
    let is_braked = row.task_reason.as_deref() == Some(Reason::StockBraked.code());
    html! {
        @if !row.stored { span.soft { (texts.not_stored) } }
        @else if row.is_absent() { (badge(Tone::Plain, texts.list_absent)) }
        @else { @match row.difference() {
            None => { span.soft { (texts.not_read) } }
            Some(0) => { span.soft { (texts.none) } }
            Some(pieces) => {
                b { (signed(user, pieces)) } " "
                @if is_braked { (badge(Tone::Attention, texts.waits_for_approval)) }
                @else if row.task_state.is_some() { (badge(Tone::Waiting, texts.being_corrected)) }
            }
        } }
    }
}

fn signed(user: &User, pieces: i64) -> String {
    let number = number_text(pieces.abs(), user.language);
    if pieces > 0 { format!("+{number}") } else { format!("−{number}") }
}
