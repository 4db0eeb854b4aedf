//! The frame of every page, and the pieces that they share.

use maud::{DOCTYPE, Markup, html};
use serde::Serialize;

use super::{deps::DashboardState, user::User};
use crate::{
    domain::{Timestamp, language::Language, task::outcome::Reason},
    explain,
};

/// A place of the menu.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum MenuItem {
    Overview,
    Orders,
    Attention,
    Tasks,
    Events,
    Products,
    Connections,
    Audit,
}

/// Most rows of a list on one page.
pub(super) const ROWS: i64 = 50;

/// A page inside the frame.
pub(super) fn page(user: &User, current: MenuItem, title: &str, main: &Markup) -> Markup {
    let words = user.language.words();
    let places = [
        (MenuItem::Overview, "/", words.overview),
        (MenuItem::Orders, "/orders", words.orders),
        (MenuItem::Attention, "/attention", words.attention),
        (MenuItem::Tasks, "/tasks", words.tasks),
        (MenuItem::Events, "/events", words.events),
        (MenuItem::Products, "/products", words.products),
        (MenuItem::Connections, "/connections", words.connections),
        (MenuItem::Audit, "/audit", words.audit),
    ];
    let body = html! {
        a.skip href="#main" { (words.skip) }
        header {
            a.brand href="/" { "Silta" }
            nav aria-label=(words.menu) {
                @for (at, path, word) in places {
                    a href=(path) aria-current=[(at == current).then_some("page")] {
                        (word)
                        @if at == MenuItem::Attention { " " span.badge data-live="attention" data-hide-zero hidden {} }
                    }
                }
            }
            form.who method="post" action="/sign-out" {
                span { (user.token.name) }
                button.plain { (words.sign_out) }
            }
        }
        main #main {
            @if !user.is_operator() { p.note { (words.viewer_note) } }
            (main)
        }
        footer { (languages_to(user.language, &user.path)) }
    };
    document(user.language, title, &body)
}

/// A page without the frame: the endpoint, and refusals.
pub(super) fn bare_page(language: Language, title: &str, main: &Markup) -> Markup {
    document(language, title, &html! { main.bare #main { (main) } })
}

fn document(language: Language, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – Silta" }
                link rel="stylesheet" href=(concat!("/style.css?", env!("CARGO_PKG_VERSION")));
                script defer src=(concat!("/live.js?", env!("CARGO_PKG_VERSION"))) {}
            }
            body { (body) }
        }
    }
}

/// The way to the other language, from the endpoint.
pub(super) fn languages(language: Language) -> Markup {
    languages_to(language, "/")
}

fn languages_to(now: Language, path: &str) -> Markup {
    let to = percent_encoding::utf8_percent_encode(path, percent_encoding::NON_ALPHANUMERIC).to_string();
    html! {
        p.languages {
            @for language in Language::ALL {
                @if language == now { span { (language.name()) } " " }
                @else {
                    a href=(format!("/language/{}?to={to}", language.code())) lang=(language.code()) { (language.name()) } " "
                }
            }
        }
    }
}

/// A form of one button; hidden fields say what about.
pub(super) fn button(user: &User, to: &str, fields: &[(&str, &str)], word: &str) -> Markup {
    html! {
        @if user.is_operator() {
            form.inline method="post" action=(to) {
                (csrf_field(user))
                @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
                button { (word) }
            }
        }
    }
}

/// What every form carries.
pub(super) fn csrf_field(user: &User) -> Markup {
    html! { input type="hidden" name="csrf" value=(user.csrf); }
}

/// A time: how long ago, and on the spot exactly when.
pub(super) fn time(deps: &DashboardState, user: &User, at: Timestamp) -> Markup {
    let passed = deps.clock.now() - at;
    let (number, unit) = match passed.num_seconds().abs() {
        seconds @ ..100 => (seconds, "s"),
        seconds @ ..6_000 => (seconds / 60, "min"),
        seconds @ ..172_800 => (seconds / 3600, "h"),
        seconds => (seconds / 86_400, if user.language == Language::Finnish { "pv" } else { "d" }),
    };
    let exact = at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let ago = user.language.words().ago;
    html! {
        time datetime=(at.to_rfc3339()) title=(exact) {
            @if passed.num_seconds() >= 0 { (number) " " (unit) " " (ago) }
            @else { "+" (number) " " (unit) }
        }
    }
}

/// A time that may not be.
pub(super) fn time_or_never(deps: &DashboardState, user: &User, at: Option<Timestamp>) -> Markup {
    html! { @if let Some(at) = at { (time(deps, user, at)) } @else { (user.language.words().never) } }
}

/// A state as a coloured word: its colour is never all that tells.
pub(super) fn state(user: &User, word: &str) -> Markup {
    let class = match word {
        "delivered" | "skipped" | "ok" | "done" => "state good",
        "dead" | "circuit_open" | "failed" | "needs_attention" => "state bad",
        "in_doubt" | "braked" | "paused" | "slow" | "waiting_for_products" | "returned" => "state odd",
        _ => "state",
    };
    html! { span class=(class) { (user.language.state(word)) } }
}

/// A reason in words.
pub(super) fn reason(user: &User, code: Option<&str>) -> Markup {
    let known = code.and_then(Reason::parse).map(|reason| explain::reason_text(reason, user.language));
    // A reason's words are a doc comment too, and have its marks.
    html! { @if let Some(words) = known.or(code) { (words.replace('`', "")) } }
}

/// JSON, readable.
pub(super) fn json(value: &impl Serialize) -> Markup {
    html! { pre tabindex="0" { (serde_json::to_string_pretty(value).unwrap_or_default()) } }
}

/// A list of choices for a filter.
pub(super) fn choices(
    name: &str,
    label: &str,
    all: &str,
    now: Option<&str>,
    options: &[(String, String)],
) -> Markup {
    html! {
        label { (label) " "
            select name=(name) {
                option value="" { (all) }
                @for (value, word) in options {
                    option value=(value) selected[now == Some(value)] { (word) }
                }
            }
        }
    }
}

/// A field of a filter or a form.
pub(super) fn field(name: &str, label: &str, value: &str) -> Markup {
    html! { label { (label) " " input name=(name) value=(value); } }
}

/// The link to the next page of a list: the same filter behind a cursor.
pub(super) fn older_anchor(
    user: &User,
    path: &str,
    filter: &[(&str, Option<&str>)],
    next: Option<impl ToString>,
) -> Markup {
    html! {
        @if let Some(next) = next {
            p.older { a href=(url(path, filter, Some(&next.to_string()))) rel="next" { (user.language.words().show_older) } }
        }
    }
}

/// A path with those of the pairs that are there.
pub(super) fn url(path: &str, pairs: &[(&str, Option<&str>)], cursor: Option<&str>) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let cursor = [("cursor", cursor)];
    let given = pairs.iter().chain(&cursor).filter_map(|(name, value)| Some((name, (*value)?)));
    let given: Vec<_> = given.map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if given.is_empty() { path.to_owned() } else { format!("{path}?{}", given.join("&")) }
}

/// One more row than is shown was read: answers the rows to show and where the next page begins.
pub(super) fn split_page<T, C>(mut rows: Vec<T>, id: impl Fn(&T) -> C) -> (Vec<T>, Option<C>) {
    let most = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(id);
    (rows, next)
}

/// The query of a list: a filter whose empty fields say nothing, and a cursor.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Query {
    connection: String,
    state: String,
    kind: String,
    subject: String,
    reason: String,
    status: String,
    source: String,
    topic: String,
    q: String,
    pub(super) detail: String,
    pub(super) done: String,
    cursor: String,
}

macro_rules! given {
    ($($name:ident),+) => {
        impl Query {
            $(pub(super) fn $name(&self) -> Option<&str> {
                Some(self.$name.trim()).filter(|text| !text.is_empty())
            })+
        }
    };
}

given!(connection, state, kind, subject, reason, status, source, topic, q);

impl Query {
    /// The page that is asked for; a cursor that is none begins at the beginning.
    pub(super) fn page(&self) -> crate::store::Page {
        crate::store::Page { before: self.cursor.parse().ok(), limit: ROWS + 1 }
    }
}
