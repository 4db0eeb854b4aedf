//! Who is there: a sign-in by admin token, a cookie, and in every form the session's secret.
//!
//! The cookie is a word of chance of which the database has only the digest. It is `HttpOnly` and `SameSite=Strict`,
//! ends after twelve hours, at a sign-out, and as soon as its token is no longer configured. Wrong tokens are counted:
//! after ten within a minute nobody from that address is let in for the rest of it, so guessing costs more than it
//! could bring.

use std::net::{IpAddr, Ipv4Addr};

use axum::{
    Form,
    extract::{Extension, FromRequestParts, Path, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;
use maud::html;
use serde::Deserialize;

use super::{Dash, guard::Refusal, page};
use crate::{
    domain::{event::dedup::sha256_hex, language::Language},
    store::{
        StoreError,
        sessions::{self, Session},
    },
    web::{
        api::{Role, Token},
        server::{Peer, sender},
    },
};

const COOKIE: &str = "silta-session";
const LANGUAGE_COOKIE: &str = "silta-language";
const LASTS: TimeDelta = TimeDelta::hours(12);

/// Wrong tokens of a minute, from one address, after which nobody from there is let in for the rest of it.
pub const MOST_FAILURES: u32 = 10;

/// The door whose wrong keys are counted.
const DOOR: &str = "sign-in";

/// Somebody who is signed in.
pub(super) struct Visitor {
    pub(super) token: Token,
    pub(super) csrf: String,
    pub(super) language: Language,
    /// Where they are.
    pub(super) path: String,
}

impl Visitor {
    /// May they change anything?
    pub(super) fn is_operator(&self) -> bool {
        self.token.role >= Role::Operator
    }
}

/// Not signed in: the way to the door, and from there back.
pub(super) struct SignInFirst(String);

impl IntoResponse for SignInFirst {
    fn into_response(self) -> Response {
        let to: String =
            percent_encoding::utf8_percent_encode(&self.0, percent_encoding::NON_ALPHANUMERIC).to_string();
        Redirect::to(&format!("/sign-in?to={to}")).into_response()
    }
}

impl FromRequestParts<Dash> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, dash: &Dash) -> Result<Self, Response> {
        let path = parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        let language = language_of(&parts.headers);
        let found = find(dash, &parts.headers).await.map_err(|error| Refusal::from(error).into_response())?;
        let Some((token, Session { csrf, .. })) = found else {
            return Err(SignInFirst(path).into_response());
        };
        Ok(Self { token, csrf, language, path })
    }
}

async fn find(dash: &Dash, headers: &HeaderMap) -> Result<Option<(Token, Session)>, StoreError> {
    let Some(cookie) = cookie(headers, COOKIE) else { return Ok(None) };
    let digest = sha256_hex(cookie.as_bytes());
    let mut db = dash.pool.acquire().await?;
    let Some(session) = sessions::find(&mut db, &digest, dash.clock.now()).await? else { return Ok(None) };
    let is_of = |token: &&Token| token.name == session.token_name && token.sha256 == session.token_sha256;
    let token = dash.tokens.iter().find(is_of).cloned();
    Ok(token.map(|token| (token, session)))
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The language that a reader chose, or else prefers.
pub(super) fn language_of(headers: &HeaderMap) -> Language {
    let chosen = cookie(headers, LANGUAGE_COOKIE).and_then(Language::parse);
    let preferred = || {
        let accepted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        accepted.split(',').find_map(|one| Language::parse(one.split(';').next()?))
    };
    chosen.or_else(preferred).unwrap_or_default()
}

#[derive(Deserialize)]
pub(super) struct To {
    to: Option<String>,
}

/// Only a path of our own: `//elsewhere` would lead away.
fn own_path(to: Option<String>) -> String {
    to.filter(|to| to.starts_with('/') && !to.starts_with("//") && !to.contains('\\'))
        .unwrap_or_else(|| "/".to_owned())
}

/// The door.
pub(super) async fn form(
    axum::extract::Query(To { to }): axum::extract::Query<To>,
    headers: HeaderMap,
) -> Response {
    door(language_of(&headers), &own_path(to), None)
}

fn door(language: Language, to: &str, fault: Option<&'static str>) -> Response {
    let words = language.words();
    let text = html! {
        form.door method="post" action="/sign-in" {
            h1 { "Silta" }
            p { (words.sign_in_text) }
            @if let Some(fault) = fault { p.fault role="alert" { (fault) } }
            label for="token" { (words.token) }
            input #token type="password" name="token" autocomplete="current-password" required autofocus;
            input type="hidden" name="to" value=(to);
            button.first { (words.sign_in) }
        }
        (page::languages(language))
    };
    let status = if fault.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    (status, page::bare(language, words.sign_in, &text)).into_response()
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    token: String,
    to: Option<String>,
}

/// Lets a known token in.
pub(super) async fn sign_in(
    State(dash): State<Dash>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Form(SignIn { token, to }): Form<SignIn>,
) -> Result<Response, Refusal> {
    let (language, to, now) = (language_of(&headers), own_path(to), dash.clock.now());
    let words = language.words();
    if is_foreign(&headers) {
        return Err(Refusal::Form);
    }
    let from = sender(peer.map(|Extension(peer)| peer), &headers, dash.proxies);
    let from = from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)); // all whom we cannot tell apart are one
    if dash.failures.is_shut_out(from, DOOR, now) {
        tracing::warn!("too many sign-ins failed: the door is closed for a minute");
        let mut answer = door(language, &to, Some(words.too_many_attempts));
        *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        return Ok(answer);
    }
    let digest = sha256_hex(token.trim().as_bytes());
    let Some(token) = dash.tokens.iter().find(|known| known.sha256 == digest) else {
        dash.failures.note(from, DOOR, now);
        tracing::warn!("a sign-in with an unknown token");
        return Ok(door(language, &to, Some(words.token_unknown)));
    };
    let secret = || format!("{}{}", dash.entropy.fence().simple(), dash.entropy.fence().simple());
    let (cookie, csrf) = (secret(), secret());
    let session = Session { token_name: token.name.clone(), token_sha256: token.sha256.clone(), csrf };
    let mut db = dash.pool.acquire().await?;
    dash.tally.used(token.key_name(), now);
    sessions::begin(&mut db, &sha256_hex(cookie.as_bytes()), &session, now, now + LASTS).await?;
    let secure = if dash.is_secure { "; Secure" } else { "" };
    let set = format!(
        "{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{secure}",
        LASTS.num_seconds()
    );
    Ok(([(header::SET_COOKIE, set)], Redirect::to(&to)).into_response())
}

/// Does a browser say that another site sent this?
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// Ends the session.
pub(super) async fn sign_out(State(dash): State<Dash>, headers: HeaderMap) -> Result<Response, Refusal> {
    if is_foreign(&headers) {
        return Err(Refusal::Form);
    }
    if let Some(cookie) = cookie(&headers, COOKIE) {
        let mut db = dash.pool.acquire().await?;
        sessions::end(&mut db, &sha256_hex(cookie.as_bytes())).await?;
    }
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok(([(header::SET_COOKIE, gone)], Redirect::to("/sign-in")).into_response())
}

/// Remembers a language, and goes back.
pub(super) async fn choose_language(
    Path(code): Path<String>,
    axum::extract::Query(To { to }): axum::extract::Query<To>,
) -> Result<Response, Refusal> {
    let language = Language::parse(&code).ok_or(Refusal::NotFound)?;
    let set = format!("{LANGUAGE_COOKIE}={}; Path=/; SameSite=Lax; Max-Age=31536000", language.code());
    Ok(([(header::SET_COOKIE, set)], Redirect::to(&own_path(to))).into_response())
}
