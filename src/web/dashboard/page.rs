//! The frame of every page: menu, account, languages.

use maud::{DOCTYPE, Markup, html};

use super::user::User;
use crate::{domain::language::Language, explain::page_texts};

/// An entry of the menu.
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

/// A page inside the frame.
pub(super) fn page(user: &User, current: MenuItem, title: &str, main: &Markup) -> Markup {
    let words = user.words();
    let body = html! {
        a.skip href="#main" { (words.skip) }
        header {
            a.brand href="/" { "Silta" }
            (menu(user, current))
            form.account method="post" action="/sign-out" {
                span { (user.token.name) }
                button.plain { (words.sign_out) }
            }
        }
        main #main {
            @if !user.is_operator() { p.note { (words.viewer_note) } }
            (main)
        }
        footer { (language_links(user.language, &user.path)) }
    };
    document(user.language, title, &body)
}

fn menu(user: &User, current: MenuItem) -> Markup {
    let words = user.words();
    let items = [
        (MenuItem::Overview, "/", words.overview),
        (MenuItem::Orders, "/orders", words.orders),
        (MenuItem::Attention, "/attention", words.attention),
        (MenuItem::Tasks, "/tasks", words.tasks),
        (MenuItem::Events, "/events", words.events),
        (MenuItem::Products, "/products", words.products),
        (MenuItem::Connections, "/connections", words.connections),
        (MenuItem::Audit, "/audit", words.audit),
    ];
    html! {
        nav aria-label=(words.menu) {
            @for (item, path, label) in items {
                a href=(path) aria-current=[(item == current).then_some("page")] {
                    (label)
                    @if item == MenuItem::Attention { " " span.badge data-live="attention" data-hide-zero hidden {} }
                }
            }
        }
    }
}

/// A page without the frame: the sign-in page and errors.
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
                link rel="icon" type="image/svg+xml" href=(concat!("/favicon.svg?", env!("CARGO_PKG_VERSION")));
                link rel="stylesheet" href=(concat!("/style.css?", env!("CARGO_PKG_VERSION")));
                script defer src=(concat!("/live.js?", env!("CARGO_PKG_VERSION"))) {}
            }
            body { (body) }
        }
    }
}

/// Links that switch the language and return to `path`.
pub(super) fn language_links(current: Language, path: &str) -> Markup {
    let to = percent_encoding::utf8_percent_encode(path, percent_encoding::NON_ALPHANUMERIC).to_string();
    let href = |language: Language| format!("/language/{}?to={to}", language.code());
    html! {
        p.languages {
            @for language in Language::ALL {
                @if language == current { span { (language.name()) } " " }
                @else { a href=(href(language)) lang=(language.code()) { (language.name()) } " " }
            }
        }
    }
}

/// An error in plain words.
pub(super) fn error_page(language: Language, title: &str, text: &str) -> Markup {
    let to_overview = page_texts(language).to_overview;
    bare_page(language, title, &html! { h1 { (title) } p { (text) } p { a href="/" { (to_overview) } } })
}
