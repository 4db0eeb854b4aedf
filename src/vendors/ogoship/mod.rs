//! The warehouse's client: one method per call.
//!
//! What the contract says of it: JSON in camel case, read in any case; lists are bare arrays of at most 250 and end
//! at a short page; a 200 whose body is the literal `null` is an empty one; a product's own code in a path is
//! base64url without padding. No idempotency header is documented: placing an order is [`Effect::Once`], and the flow
//! searches for its reference before it places.
//!
//! [`Effect::Once`]: super::http::error::Effect::Once

pub mod auth;
mod goods;
mod orders;
pub mod subscriptions;
pub mod translate;
pub mod webhook;
pub mod wire;

use std::sync::Arc;

use auth::{Authenticator, Credentials, TokenStore};
use reqwest::{Method, header::HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    http::{
        call_log::CallLog,
        client::{Body, Call, HttpClient},
        error::{CallError, Failure},
    },
    lenient_json::lower_keys,
};
use crate::{domain::Timestamp, runtime::clock::Clock};

/// Items a page: the vendor's maximum (docs/contract.md §2.2).
const PAGE_SIZE: usize = 250;

/// The client of one connection's warehouse account.
#[derive(Clone)]
pub struct Ogoship {
    http: HttpClient,
    auth: Arc<Authenticator>,
}

/// One line of a list: what may be out of sync, and the version that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedItem {
    /// An order's reference, or a product code.
    pub name: String,
    /// When it changed, and for an order also its status, as told.
    pub version: String,
}

/// A page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// As the warehouse orders them.
    pub items: Vec<T>,
    /// May there be another one? The vendor's own client stops at a short page.
    pub has_more: bool,
}

impl Ogoship {
    /// A client over a way to the API host.
    pub fn new(
        http: HttpClient,
        auth_url: &str,
        credentials: Credentials,
        token_store: Arc<dyn TokenStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let auth =
            Arc::new(Authenticator::new(credentials, http.with_base_url(auth_url), token_store, clock));
        Self { http, auth }
    }

    /// The same client, keeping its calls in `call_log`.
    pub fn with_call_log(&self, call_log: &CallLog) -> Self {
        Self { http: self.http.with_call_log(call_log), ..self.clone() }
    }

    /// The same client, letting live calls go first.
    pub fn in_background(&self) -> Self {
        Self { http: self.http.in_background(), ..self.clone() }
    }

    async fn list<T: DeserializeOwned>(
        &self,
        name: &'static str,
        path: &str,
        mut query: Vec<(&'static str, String)>,
        page: u32,
    ) -> Result<Vec<T>, CallError> {
        query.push(("limit", PAGE_SIZE.to_string()));
        query.push(("page", page.to_string()));
        let answer = self.send(name, Method::GET, path, query, Body::Empty, None).await?;
        let found: Option<Vec<T>> = self.parse(name, answer)?; // null is an empty list
        Ok(found.unwrap_or_default())
    }

    async fn submit(
        &self,
        name: &'static str,
        method: Method,
        path: &str,
        query: Vec<(&'static str, String)>,
        body: Value,
        key: &str,
    ) -> Result<Value, CallError> {
        self.send(name, method, path, query, Body::Json(body), Some(key)).await
    }

    /// What time it is there. Reads.
    pub async fn server_time(&self) -> Result<Option<Timestamp>, CallError> {
        let (headers, _) = self.auth.headers().await?;
        let query = vec![("limit", "1".to_owned()), ("page", "1".to_owned())];
        let path = "/api/v1/stock".to_owned();
        let call = Call { name: "ask_date", method: Method::GET, path, query, headers, body: Body::Empty };
        Ok(self.http.send(call).await?.date)
    }

    /// Makes a call. A refused access token is renewed and the call made once has_more: a 401 surely did nothing.
    async fn send(
        &self,
        name: &'static str,
        method: Method,
        path: &str,
        query: Vec<(&'static str, String)>,
        body: Body,
        key: Option<&str>,
    ) -> Result<Value, CallError> {
        let mut renewed = false;
        loop {
            let (mut headers, token) = self.auth.headers().await?;
            headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static("application/json"));
            if let Some(key) = key {
                headers.insert("idempotency-key", HeaderValue::from_str(key).expect("our keys are hex"));
            }
            let (method, path, query, body) = (method.clone(), path.to_owned(), query.clone(), body.clone());
            match self.http.send(Call { name, method, path, query, headers, body }).await {
                Ok(answer) if answer.body.is_empty() => return Ok(Value::Null),
                Ok(answer) => {
                    return serde_json::from_slice(&answer.body)
                        .map(lower_keys)
                        .map_err(|_| self.http.call_error(name, Failure::Unreadable));
                }
                Err(error) if error.failure == Failure::Status(401) && !renewed => {
                    renewed = true;
                    if !self.auth.invalidate(token.as_deref()).await {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn parse<T: DeserializeOwned>(&self, name: &'static str, value: Value) -> Result<T, CallError> {
        serde_json::from_value(value).map_err(|_| self.http.call_error(name, Failure::Unreadable))
    }
}

/// The round-trip format of their own client has seven digits behind the second.
fn modified_after(after: Timestamp) -> Vec<(&'static str, String)> {
    vec![("modifiedAfter", after.format("%Y-%m-%dT%H:%M:%S%.6f0Z").to_string())]
}
