//! The reader's language: chosen by a cookie, else by `Accept-Language`.

use axum::{
    extract::{Path, Query},
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::error::PageError;
use crate::domain::language::Language;

const LANGUAGE_COOKIE: &str = "silta-language";

/// Where to go afterwards.
#[derive(Deserialize)]
pub(super) struct ReturnTo {
    pub(super) to: Option<String>,
}

/// Links that switch the language and return to `path`.
pub(super) fn language_links(current: Language, path: &str) -> Markup {
    let to = percent_encoding::utf8_percent_encode(path, percent_encoding::NON_ALPHANUMERIC).to_string();
    let href = |language: Language| format!("/language/{}?to={to}", language.code());
    html! {
        p.languages {
            @for language in Language::ALL {
                @if language == current { span { (language.name()) } " " }
                @else { a href=(href(language)) lang=(language.code()) hreflang=(language.code()) { (language.name()) } " " }
            }
        }
    }
}

/// The language that the reader chose, else the first known one that the browser accepts.
pub(super) fn language_of(headers: &HeaderMap) -> Language {
    let chosen = cookie(headers, LANGUAGE_COOKIE).and_then(Language::parse);
    let preferred = || {
        let accepted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        accepted.split(',').find_map(|one| Language::parse(one.split(';').next()?))
    };
    chosen.or_else(preferred).unwrap_or_default()
}

/// Keeps the chosen language for a year and returns to the page.
pub(super) async fn set_language(
    Path(code): Path<String>,
    Query(ReturnTo { to }): Query<ReturnTo>,
) -> Result<Response, PageError> {
    let language = Language::parse(&code).ok_or(PageError::NotFound)?;
    let set = format!("{LANGUAGE_COOKIE}={}; Path=/; SameSite=Lax; Max-Age=31536000", language.code());
    Ok(([(header::SET_COOKIE, set)], Redirect::to(&local_path(to))).into_response())
}

/// The value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The path if it is one of ours, else `/`: browsers read `//elsewhere` and `/\elsewhere` as another site, and some skip
/// spaces and control characters before they look.
pub(super) fn local_path(to: Option<String>) -> String {
    let is_local = |to: &String| {
        to.starts_with('/')
            && !to.starts_with("//")
            && !to.contains('\\')
            && to.bytes().all(|byte| byte.is_ascii_graphic())
    };
    to.filter(is_local).unwrap_or_else(|| "/".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_returned_to() {
        for to in ["/", "/orders?q=a%20b", "/orders/shop/1001"] {
            assert_eq!(local_path(Some(to.to_owned())), to);
        }
        for to in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\tx",
            "/ /evil.example",
            "/a\r\nb: c",
            "/ä",
            "",
        ] {
            assert_eq!(local_path(Some(to.to_owned())), "/", "{to:?}");
        }
    }
}
