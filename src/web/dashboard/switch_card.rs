//! What a connection writes by itself, by hand or not at all, and how that is changed: in the configuration, and nowhere else.

use maud::{Markup, html};

use super::{
    badge::{Tone, badge},
    releases::is_of_a_switch,
    user::User,
};
use crate::{
    actions::Releasable,
    domain::{
        event::subject::SubjectKind,
        setting::{Origin, Setting},
        switch::{Switch, Switches, switch_key},
        sync_schedule::SyncSchedule,
    },
    explain::{self, ConnectionTexts, connection_texts, counted_in, number_text},
    store::views::connection_figures::{ConnectionFigures, MOST_COUNTED},
};

/// What the card shows.
pub(super) struct SwitchState<'a> {
    pub(super) connection: &'a str,
    pub(super) switches: Switches,
    /// Everything that waits for a switch or a rule, of all connections.
    pub(super) waiting: &'a [Releasable],
    pub(super) settings: &'a [&'a Setting],
    pub(super) figures: Option<&'a ConnectionFigures>,
    pub(super) schedule: Option<&'a SyncSchedule>,
}

impl SwitchState<'_> {
    /// How many tasks of a kind wait for its switch.
    fn waiting_of(&self, kind: SubjectKind) -> i64 {
        let of_kind =
            self.waiting.iter().filter(|it| it.connection == self.connection && it.kind == kind.as_str());
        of_kind.filter(|it| is_of_a_switch(&it.reason)).map(|it| it.count).sum()
    }

    fn origin_of(&self, kind: SubjectKind) -> Option<Origin> {
        self.settings.iter().find(|setting| setting.key == switch_key(kind)).map(|setting| setting.origin)
    }
}

/// The three switches in effect, what waits for each, and for operators what to write to change them.
pub(super) fn card(user: &User, state: &SwitchState<'_>) -> Markup {
    let (words, texts) = (user.words(), connection_texts(user.language));
    let is_off = |kind: &SubjectKind| state.switches.of(*kind) == Switch::Off;
    html! {
        section.card.flush aria-label=(format!("{}: {}", texts.switches, state.connection)) {
            h2 { (texts.switches) }
            table.stack {
                thead { tr {
                    th scope="col" { (words.what) } th scope="col" { (words.state) } th.num scope="col" { (texts.waits) }
                } }
                tbody { @for kind in SubjectKind::ALL.iter().copied() { tr {
                    th scope="row" {
                        span.first { (plural(user, kind)) }
                        @if state.switches.of(kind) != Switch::Automatic {
                            small { (explain::switch_text(kind, state.switches.of(kind), user.language)) }
                        }
                    }
                    td { (switch_badge(texts, state.switches.of(kind))) }
                    td.num data-l=(texts.waits) { (number_text(state.waiting_of(kind), user.language)) }
                } } }
            }
        }
        @if SubjectKind::ALL.iter().all(is_off) { p.note { (texts.observes) } }
        @if user.is_operator() {
            details { summary { (texts.change) }
                div.card {
                    p { (texts.change_text) }
                    @for kind in SubjectKind::ALL.iter().copied() { (change(user, state, kind)) }
                }
            }
        }
    }
}

fn plural(user: &User, kind: SubjectKind) -> &'static str {
    let words = user.words();
    match kind {
        SubjectKind::Order => words.what_orders,
        SubjectKind::Product => words.what_products,
        SubjectKind::Stock => words.what_stock,
    }
}

fn switch_badge(texts: &ConnectionTexts, switch: Switch) -> Markup {
    match switch {
        Switch::Automatic => badge(Tone::Ok, texts.automatic),
        Switch::Manual => badge(Tone::Attention, texts.manual),
        Switch::Off => badge(Tone::Plain, texts.off),
    }
}

/// What each other value would mean, and the line to write.
fn change(user: &User, state: &SwitchState<'_>, kind: SubjectKind) -> Markup {
    let texts = connection_texts(user.language);
    let present = state.switches.of(kind);
    let by_hand = [Switch::Manual, Switch::Off].into_iter().filter(|switch| *switch != present);
    let origin = state.origin_of(kind);
    html! {
        section aria-label=(format!("{}: {}", plural(user, kind), state.connection)) {
            h3 { span.first { (plural(user, kind)) } }
            @if present != Switch::Automatic { (when_automatic(user, state, kind)) }
            @for other in by_hand {
                p.soft { (explain::switch_text(kind, other, user.language)) }
            }
            p.soft {
                @match origin {
                    Some(Origin::Environment) => { (texts.in_environment) }
                    Some(Origin::File { line }) => { (texts.in_file) " (" (texts.on_line) " " (line) ")" }
                    Some(Origin::Default) | None => { (texts.in_file) }
                }
            }
            pre role="group" aria-label=(switch_key(kind)) tabindex="0" { (lines(texts, state.connection, kind, (present, origin))) }
        }
    }
}

/// What starts at once, and what waits for a person.
fn when_automatic(user: &User, state: &SwitchState<'_>, kind: SubjectKind) -> Markup {
    let texts = connection_texts(user.language);
    let waiting = match kind {
        SubjectKind::Order => texts.orders_then,
        SubjectKind::Product => texts.products_then,
        SubjectKind::Stock => texts.stock_then,
    };
    let by_sync = match (kind, state.figures) {
        (SubjectKind::Product, Some(figures)) => Some((figures.absent, texts.absent_then)),
        (SubjectKind::Stock, Some(figures)) => Some((figures.stock_differs, texts.differs_then)),
        _ => None,
    };
    html! {
        p { b { (texts.when_automatic) } " " (counted_in(state.waiting_of(kind), waiting, user.language)) }
        @if let Some((count, noun)) = by_sync {
            p { @if count >= MOST_COUNTED { "≥ " } (counted_in(count, noun, user.language)) }
        }
        @if let Some(schedule) = state.schedule.filter(|it| !it.every.is_zero()) {
            p { (if schedule.asks_before(kind) { texts.sync_asks } else { texts.sync_fixes }) }
        }
    }
}

/// What to write: one line for each other value.
fn lines(
    texts: &ConnectionTexts,
    connection: &str,
    kind: SubjectKind,
    (present, origin): (Switch, Option<Origin>),
) -> String {
    let (section, key) = switch_key(kind).split_once('.').unwrap_or_default();
    let others = Switch::ALL.iter().copied().filter(|switch| *switch != present);
    if origin == Some(Origin::Environment) {
        let name =
            format!("SILTA__CONNECTIONS__{connection}__{section}__{key}").replace('-', "_").to_uppercase();
        return others.map(|other| format!("{name}={}", other.as_str())).collect::<Vec<_>>().join("\n");
    }
    let values = others.map(|other| format!("{key} = {:?}", other.as_str())).collect::<Vec<_>>().join("\n# ");
    format!("[connections.{section}] # {} {connection}\n{values}", texts.of_this_connection)
}
