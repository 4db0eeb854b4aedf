//! The document around every page, and the pages without a frame: sign-in, documents, errors.

use maud::{DOCTYPE, Markup, html};

use super::{
    frame::{self, MenuItem},
    user::User,
};
use crate::{domain::language::Language, explain::page_texts};

/// A page inside the frame.
pub(super) fn page(user: &User, current: MenuItem, title: &str, main: &Markup) -> Markup {
    let body = html! {
        body data-live=(user.words().live_at) data-late=(user.words().late_since) {
            (frame::before(user, current))
            main #main {
                @if current.is_of_operations() { (frame::operations(user, current)) }
                @if !user.is_operator() { p.note { (user.words().viewer_note) } }
                (main)
            }
        }
    };
    document(user.language, Some(user), title, &body)
}

/// A page without the frame.
pub(super) fn bare_page(language: Language, title: &str, main: &Markup) -> Markup {
    document(language, None, title, &html! { body.bare { main #main { (main) } } })
}

/// A document without the frame, as wide as a text is read well.
pub(super) fn document_page(language: Language, title: &str, main: &Markup) -> Markup {
    document(language, None, title, &html! { body.bare.wide { main #main { (main) } } })
}

fn document(language: Language, user: Option<&User>, title: &str, body: &Markup) -> Markup {
    let zone = user.map(|user| user.zone.name());
    html! {
        (DOCTYPE)
        html lang=(language.code()) data-zone=[zone] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – Silta" }
                link rel="icon" type="image/svg+xml" href=(concat!("/favicon.svg?", env!("CARGO_PKG_VERSION")));
                link rel="stylesheet" href=(concat!("/style.css?", env!("CARGO_PKG_VERSION")));
                script defer src=(concat!("/live.js?", env!("CARGO_PKG_VERSION"))) {}
            }
            (body)
        }
    }
}

/// An error in plain words, with the way back to where it came from, a path of ours.
pub(super) fn error_page(language: Language, title: &str, text: &str, back: &str) -> Markup {
    let words = page_texts(language);
    let main = html! {
        h1 { (title) }
        p { (text) }
        @if back != "/" { p { a href=(back) { (words.go_back) } } }
        p { a href="/" { (words.to_overview) } }
    };
    bare_page(language, title, &main)
}
