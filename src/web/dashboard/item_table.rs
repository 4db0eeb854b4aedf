//! The table of products with their stock on both sides.

use maud::{Markup, html};

use super::{
    badge::{Tone, badge},
    brake_card::approval_path,
    user::User,
    widgets::{reason, time},
};
use crate::{
    domain::{
        event::subject::SubjectKind,
        stock::Basis,
        switch::{Switch, Switches},
        task::reason::Reason,
    },
    explain::{item_texts, number_text, remedy},
    store::views::items::ItemRow,
};

/// What a row offers.
#[derive(Clone, Copy)]
enum RowAction {
    /// Sends the product to the warehouse.
    Upload,
    /// Compares both sides and corrects what differs.
    Sync,
    /// Leads to the approval that its figure waits for.
    Approve,
}

/// What an item offers; `None` where it would do nothing: another code is what helps, or the warehouse does not keep it.
fn action_of(row: &ItemRow, switches: Switches) -> Option<RowAction> {
    let is_on = |kind| switches.of(kind) != Switch::Off;
    let can_upload = is_on(SubjectKind::Product);
    match (row.code_problem.is_none() && row.stored, row.is_absent()) {
        (true, true) => can_upload.then_some(RowAction::Upload),
        (true, false) if is_braked(row) => Some(RowAction::Approve),
        (true, false) => (can_upload || is_on(SubjectKind::Stock)).then_some(RowAction::Sync),
        (false, _) => None,
    }
}

fn is_braked(row: &ItemRow) -> bool {
    row.task_reason.as_deref() == Some(Reason::StockBraked.code())
}

/// Items of a connection, with what its configuration says of them.
#[derive(Clone, Copy)]
pub(super) struct ItemTable<'a> {
    pub(super) connection: &'a str,
    pub(super) basis: Basis,
    pub(super) switches: Switches,
    pub(super) rows: &'a [ItemRow],
}

impl ItemTable<'_> {
    /// The table; a form around it sends the row's button, where it has an effect.
    pub(super) fn render(self, user: &User) -> Markup {
        let actions: Vec<_> = self
            .rows
            .iter()
            .map(|row| action_of(row, self.switches).filter(|_| user.is_operator()))
            .collect();
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
        // Besides the figures: the difference, and when they were read.
        let span = numbers.len() + 2 + usize::from(has_actions);
        html! {
            div.scroll role="region" aria-label=(user.words().products) tabindex="0" { table.stack.items {
                thead { tr {
                    th scope="col" aria-sort="ascending" { (texts.product) }
                    @for name in numbers { th.num scope="col" { (name) } }
                    th scope="col" { (texts.difference) }
                    th scope="col" { (texts.last_read) }
                    @if has_actions { th scope="col" { span.sr { (texts.action) } } }
                } }
                tbody { @for (row, action) in self.rows.iter().zip(actions) {
                    @if let Some(problem) = row.code_problem.as_deref().filter(|_| row.read_at.is_none()) {
                        tr { (heading(row)) td.wide colspan=(span) { (code_problem(user, row, problem)) } }
                    } @else {
                        tr { (heading(row)) (self.figures(user, row)) @if has_actions { (self.action(user, row, action)) } }
                    }
                } }
            } }
        }
    }

    /// On phones the figures that the sum of the basis has, and no buffer or pieces in flight where there are none.
    fn figures(self, user: &User, row: &ItemRow) -> Markup {
        let texts = item_texts(user.language);
        let number = |name: &'static str, value: Option<i64>, is_on_phones: bool| {
            html! { td.num.gone[!is_on_phones] data-l=[is_on_phones.then_some(name)] { (figure(user, value)) } }
        };
        let buffer = row.buffer.filter(|_| row.target.is_some());
        let in_flight = row.target.map(|_| row.in_flight);
        let is_some = |pieces: Option<i64>| pieces.is_some_and(|pieces| pieces != 0);
        html! {
            td.num data-l=(texts.in_shop) { b { (figure(user, row.shop)) } }
            td.num data-l=(texts.should_be) { b { (figure(user, row.target)) } }
            (number(texts.on_shelf, row.physical, self.basis == Basis::Physical))
            (number(texts.reserved, row.reserved(), false))
            (number(texts.free, row.available, self.basis != Basis::Physical))
            (number(texts.buffer, buffer, is_some(buffer)))
            (number(texts.in_flight, in_flight, self.basis == Basis::Compensated && is_some(in_flight)))
            td data-l=(texts.difference) { div { (difference(user, row)) } }
            td.gone { @if let Some(at) = row.read_at { (time(user, at)) } }
        }
    }

    fn action(self, user: &User, row: &ItemRow, action: Option<RowAction>) -> Markup {
        let texts = item_texts(user.language);
        let name = name_of(row);
        let button = |label: &str| {
            html! { button name="item" value=(row.item) aria-label=(format!("{label}: {name}")) { (label) } }
        };
        html! {
            td.act { @match action {
                None => {}
                Some(RowAction::Upload) => { (button(texts.upload_one)) }
                Some(RowAction::Sync) => { (button(texts.sync_one)) }
                Some(RowAction::Approve) => {
                    a.btn href=(approval_path(self.connection)) aria-label=(format!("{}…: {name}", texts.approve)) { (texts.approve) "…" }
                }
            } }
        }
    }
}

fn name_of(row: &ItemRow) -> &str {
    row.name.as_deref().or(row.code.as_deref()).unwrap_or(&row.item)
}

fn heading(row: &ItemRow) -> Markup {
    html! { th.wide scope="row" { (name_of(row)) small.code { (row.code.as_deref().unwrap_or_default()) } } }
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
        return code_problem(user, row, problem);
    }
    html! {
        @if !row.stored { span.soft { (texts.not_stored) } }
        @else if row.is_absent() { (badge(Tone::Plain, texts.list_absent)) }
        @else { @match row.difference() {
            None => { span.soft { (texts.not_read) } }
            Some(0) => { span.soft { (texts.none) } }
            Some(pieces) => {
                b { (signed(user, pieces)) } " "
                @if is_braked(row) { (badge(Tone::Attention, texts.waits_for_approval)) }
                @else if row.task_state.is_some() { (badge(Tone::Waiting, texts.being_corrected)) }
            }
        } }
    }
}

/// What is wrong with a code, and what helps.
fn code_problem(user: &User, row: &ItemRow, problem: &str) -> Markup {
    let texts = item_texts(user.language);
    html! {
        (badge(Tone::Attention, texts.list_code))
        @if row.same_code.is_empty() { small { (reason(user, Some(problem))) } }
        @else { small { span.first { (texts.same_code_as) " " (row.same_code.join(", ")) "." } } }
        small { (Reason::parse(problem).map_or("", |reason| remedy(reason, user.language))) }
    }
}

fn signed(user: &User, pieces: i64) -> String {
    let number = number_text(pieces.abs(), user.language);
    if pieces > 0 { format!("+{number}") } else { format!("−{number}") }
}
