//! Authenticates at OGOship by an API key, or by OAuth with one-use refresh tokens.
//!
//! The OAuth rules (docs/contract.md §2.1): the token endpoint takes a form, never JSON; an access token lives
//! 1.5 h; a refresh token works **once**, and its answer carries the next one. So one caller refreshes while
//! the others wait (single flight), and the new pair is saved in the [`TokenStore`] **before** it is used: a
//! crash between the two costs nothing. Where a refresh is refused, another process may have used the token:
//! its pair is loaded from the store, and only without one the password grant is used.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};

use super::wire;
use crate::vendors::{json_repair::quote_endless_numbers, lenient_json::lower_keys};
use crate::{
    domain::Timestamp,
    runtime::clock::Clock,
    vendors::http::{
        Body, Call, HttpClient,
        error::{CallError, Failure},
        single_flight::SingleFlight,
    },
};

/// A token this close to its expiry is renewed first, where it lives long enough. Longer than any call takes.
const RENEWAL_MARGIN: Duration = Duration::from_secs(60);

/// The lifetime of a token that does not say a usable one. One that ends sooner is refused once, and renewed.
const USUAL_LIFETIME: Duration = Duration::from_secs(3600);

/// How long a token is used at least, however soon it says that it ends: else every call would renew it. One that has ended is
/// refused once, and renewed.
const MIN_USE: Duration = Duration::from_secs(10);

/// The longest lifetime that is believed.
const MAX_LIFETIME: Duration = Duration::from_secs(86_400);

/// The scopes that are requested.
const SCOPE: &str = "read:order write:order read:product write:product read:webhook write:webhook";

/// An OAuth token pair. Secret.
#[derive(Clone)]
pub struct Token {
    /// The bearer token.
    pub access_token: String,
    /// Works for one refresh.
    pub refresh_token: Option<String>,
    /// From this time on it is renewed before it is used.
    pub renew_at: Timestamp,
}

/// Stores the pair for all processes. After an error the pair is not safely stored and must not be used.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The pair saved last, by any process.
    async fn find(&self) -> Result<Option<Token>, TokenStoreError>;
    /// Saves a new pair.
    async fn save(&self, token: &Token) -> Result<(), TokenStoreError>;
}

/// The token store cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("the token store is unavailable")]
pub struct TokenStoreError;

/// How a connection authenticates.
pub enum Credentials {
    /// `X-OgoKey`.
    ApiKey(String),
    /// OAuth: the password grant, then refreshes.
    OAuth(Account),
}

/// An OAuth account.
pub struct Account {
    /// The merchant id.
    pub merchant_id: String,
    /// The secret token.
    pub secret_token: String,
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: String,
}

/// Makes the authentication header.
pub(super) struct Authenticator {
    credentials: Credentials,
    /// Calls the auth host.
    http: HttpClient,
    token_store: Arc<dyn TokenStore>,
    clock: Arc<dyn Clock>,
    token: SingleFlight<Token>,
}

impl Authenticator {
    pub(super) fn new(
        credentials: Credentials,
        http: HttpClient,
        token_store: Arc<dyn TokenStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { credentials, http, token_store, clock, token: SingleFlight::new() }
    }

    /// The authentication headers, and the access token in them where there is one.
    pub(super) async fn headers(&self) -> Result<(HeaderMap, Option<String>), CallError> {
        let (name, value, token) = match &self.credentials {
            Credentials::ApiKey(key) => (HeaderName::from_static("x-ogokey"), key.clone(), None),
            Credentials::OAuth(account) => {
                let access = self.access_token(account).await?;
                (reqwest::header::AUTHORIZATION, format!("Bearer {access}"), Some(access))
            }
        };
        let unbuildable = |_| self.http.call_error("authenticate", Failure::Unbuildable);
        let mut value = HeaderValue::from_str(&value).map_err(unbuildable)?;
        value.set_sensitive(true);
        Ok((HeaderMap::from_iter([(name, value)]), token))
    }

    /// Invalidates a refused access token, unless another caller has replaced it already. False where there is
    /// nothing to renew, as with an API key.
    pub(super) async fn invalidate(&self, refused: Option<&str>) -> bool {
        let Some(refused) = refused else { return false };
        let ends = |token: &mut Token| {
            if token.access_token == refused {
                token.renew_at = Timestamp::UNIX_EPOCH;
            }
        };
        self.token.update_cached(ends).await;
        true
    }

    async fn access_token(&self, account: &Account) -> Result<String, CallError> {
        let fresh = |token: &Token| token.renew_at > self.clock.now();
        let renewed = async |old: Option<Token>| {
            let old = match old {
                Some(old) => Some(old),
                None => self.token_store.find().await.map_err(|_| self.token_store_error())?,
            };
            match old {
                Some(token) if fresh(&token) => Ok(token),
                old => self.renew(account, old).await,
            }
        };
        self.token.get_or_fetch(fresh, renewed).await.map(|token| token.access_token)
    }

    async fn renew(&self, account: &Account, old: Option<Token>) -> Result<Token, CallError> {
        if let Some(refresh) = old.as_ref().and_then(|token| token.refresh_token.clone()) {
            match self.grant(refresh_form(account, &refresh)).await {
                // Refused: perhaps used by another process, which saved its new pair. Anything else is a real
                // failure.
                Err(CallError { failure: Failure::Status(400..=403), .. }) => {
                    let kept = self.token_store.find().await.map_err(|_| self.token_store_error())?;
                    let newer = |token: &Token| {
                        token.refresh_token.as_ref() != Some(&refresh) && token.renew_at > self.clock.now()
                    };
                    if let Some(token) = kept.filter(newer) {
                        return Ok(token);
                    }
                }
                outcome => return outcome,
            }
        }
        self.grant(password_form(account)).await.map_err(|error| match error.failure {
            // Nothing else is left to try: the credentials themselves are refused.
            Failure::Status(status @ 400..=403) => {
                CallError { failure: Failure::TokenRefused(status), ..error }
            }
            _ => error,
        })
    }

    /// Calls the token endpoint and saves the pair before returning it.
    async fn grant(&self, form: Vec<(&'static str, String)>) -> Result<Token, CallError> {
        let call = Call {
            name: "grant_token",
            method: Method::POST,
            path: "/OAuth/Token".to_owned(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Body::Form(form),
        };
        let answer = self.http.send(call).await?;
        let unreadable = || self.http.call_error("grant_token", Failure::Unreadable);
        let body = quote_endless_numbers(answer.body);
        let value = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        let wire: wire::Token = serde_json::from_value(lower_keys(value)).map_err(|_| unreadable())?;
        let token = Token {
            access_token: wire.access_token.ok_or_else(unreadable)?,
            refresh_token: wire.refresh_token,
            renew_at: self.clock.now() + renew_after(wire.expires_in),
        };
        self.token_store.save(&token).await.map_err(|_| self.token_store_error())?;
        Ok(token)
    }

    /// Without the token store no pair may be used. Nothing was sent to the API, so a retry is safe.
    fn token_store_error(&self) -> CallError {
        self.http.call_error("grant_token", Failure::Connect)
    }
}

/// How long a token is used that lives this many seconds: a margin before its end, and at most half of its
/// lifetime, so that a short-lived one is not renewed by every call.
fn renew_after(seconds: Option<i64>) -> Duration {
    let lifetime = seconds.filter(|seconds| *seconds > 0).map(i64::unsigned_abs);
    let lifetime = lifetime.map_or(USUAL_LIFETIME, |it| Duration::from_secs(it).min(MAX_LIFETIME));
    lifetime.saturating_sub(RENEWAL_MARGIN.min(lifetime / 2)).max(MIN_USE)
}

fn refresh_form(account: &Account, refresh_token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", refresh_token.to_owned()),
        ("client_id", account.client_id.clone()),
        ("client_secret", account.client_secret.clone()),
    ]
}

fn password_form(account: &Account) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "password".to_owned()),
        ("username", account.merchant_id.clone()),
        ("password", account.secret_token.clone()),
        ("client_id", account.client_id.clone()),
        ("client_secret", account.client_secret.clone()),
        ("scope", SCOPE.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_margin_is_at_most_half_the_lifetime() {
        let after = |seconds| renew_after(Some(seconds)).as_millis();
        assert_eq!([5400, 120, 90, 60, 2, 1].map(after), [5_340_000, 60_000, 45_000, 30_000, 10_000, 10_000]);
    }

    #[test]
    fn unusable_lifetimes_are_bounded() {
        for unusable in [None, Some(0), Some(-5), Some(i64::MIN)] {
            assert_eq!(renew_after(unusable), USUAL_LIFETIME.saturating_sub(RENEWAL_MARGIN), "{unusable:?}");
        }
        assert_eq!(renew_after(Some(i64::MAX)), MAX_LIFETIME.saturating_sub(RENEWAL_MARGIN));
    }
}
