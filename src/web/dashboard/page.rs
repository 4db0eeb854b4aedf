//! The document around every page, and the pages without a frame: sign-in, documents, errors.

use maud::{DOCTYPE, Markup, html};

use super::{
    frame::{self, MenuItem, brand},
    icon::drawings,
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
    document(language, None, title, &html! { body.bare { (drawings()) main #main { (main) } } })
}

/// A document in English without the frame, as wide as a text is read well. Its head is in the reader's language.
pub(super) fn document_page(reader: Language, title: &str, main: &Markup) -> Markup {
    let words = page_texts(reader);
    let body = html! {
        body.bare.wide {
            header.row lang=(reader.code()) {
                (brand())
                @if reader != Language::English { span.soft { (words.is_in_english) } }
                a.btn href="/" { (words.to_overview) }
            }
            main #main { (main) }
        }
    };
    document(Language::English, None, title, &body)
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

/// An error in plain words. It leads on: to another try, and back to where it came from, both paths of ours.
pub(super) struct ErrorPage<'a> {
    pub(super) title: &'a str,
    pub(super) text: &'a str,
    /// Under which the log says more.
    pub(super) reference: Option<&'a str>,
    pub(super) retry: Option<&'a str>,
    pub(super) back: &'a str,
}

impl ErrorPage<'_> {
    pub(super) fn render(&self, language: Language) -> Markup {
        let words = page_texts(language);
        let main = html! {
            (brand())
            h1 { (self.title) }
            p { (self.text) }
            @if let Some(reference) = self.reference { p.soft { (words.failure_reference) " " span.code { (reference) } } }
            div.actions {
                @if let Some(path) = self.retry { a.btn.main href=(path) { (words.retry) } }
                @if self.back != "/" { a.btn href=(self.back) { (words.go_back) } }
                a.btn href="/" { (words.to_overview) }
            }
        };
        bare_page(language, self.title, &main)
    }
}
