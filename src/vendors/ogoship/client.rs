//! The warehouse's client: one method per call, grouped by resource in the files beside this one.
//!
//! No idempotency header is documented: placing an order is [`Effect::Once`], and the flow searches for its
//! reference before it places.
//!
//! [`Effect::Once`]: crate::vendors::http::error::Effect::Once

use std::sync::Arc;

use reqwest::{
    Method,
    header::{ACCEPT, HeaderValue},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::auth::{Authenticator, Credentials, TokenStore};
use crate::{
    domain::Timestamp,
    runtime::clock::Clock,
    vendors::{
        changes::{ChangePage, ChangeRequest, ChangedRow, MARGIN},
        http::{
            Body, Call, HttpClient, Response,
            call_log::CallLog,
            error::{CallError, Failure},
            turn_signal::TurnSignal,
        },
        json_repair::parse_list,
        lenient_json::lower_keys,
        version::ReadStart,
    },
};

/// Items a page: the maximum (docs/contract.md §2.2).
pub const PAGE_SIZE: u32 = 250;

/// Calls the warehouse account of one connection.
#[derive(Clone)]
pub struct Ogoship {
    pub(super) http: HttpClient,
    auth: Arc<Authenticator>,
}

/// A page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The items, in the warehouse's order.
    pub items: Vec<T>,
    /// Whether there may be another page. The vendor's own client stops at a short one.
    pub has_more: bool,
}

/// A call without its credentials.
pub(super) struct Request<'a> {
    name: &'static str,
    method: Method,
    path: &'a str,
    query: Vec<(&'static str, String)>,
    body: Body,
    /// The idempotency key.
    key: Option<&'a str>,
}

impl<'a> Request<'a> {
    pub(super) const fn new(name: &'static str, method: Method, path: &'a str) -> Self {
        Self { name, method, path, query: Vec::new(), body: Body::Empty, key: None }
    }

    pub(super) const fn get(name: &'static str, path: &'a str) -> Self {
        Self::new(name, Method::GET, path)
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Asks for a page of a list.
    pub(super) fn page(self, page: u32, size: u32) -> Self {
        self.query("limit", size.to_string()).query("page", page.to_string())
    }

    /// Asks for what changed after a time, with seven digits behind the second as the vendor's own client sends
    /// it.
    pub(super) fn modified_after(self, after: Timestamp) -> Self {
        self.query("modifiedAfter", after.format("%Y-%m-%dT%H:%M:%S%.6f0Z").to_string())
    }

    pub(super) fn body(self, body: Value) -> Self {
        Self { body: Body::Json(body), ..self }
    }

    pub(super) fn key(self, key: &'a str) -> Self {
        Self { key: Some(key), ..self }
    }
}

/// Whether a page is full: then there may be another one.
pub(super) fn is_full<T>(page: &[T], size: u32) -> bool {
    u32::try_from(page.len()).is_ok_and(|count| count >= size)
}

impl Ogoship {
    /// Creates a client. `http` calls the API host.
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

    /// The same client, recording its calls in `call_log`.
    pub fn with_call_log(&self, call_log: &CallLog) -> Self {
        Self { http: self.http.with_call_log(call_log), ..self.clone() }
    }

    /// The same client, for the second of two reads at the same time.
    pub fn second(&self, signal: &TurnSignal) -> Self {
        Self { http: self.http.second(signal), ..self.clone() }
    }

    /// The same client, at background priority.
    pub fn in_background(&self) -> Self {
        Self { http: self.http.in_background(), ..self.clone() }
    }

    /// The warehouse's clock. Reads.
    pub async fn server_time(&self) -> Result<Option<Timestamp>, CallError> {
        let request = Request::get("ask_date", "/api/v1/stock").page(1, 1);
        let (call, _) = self.with_credentials(&request).await?;
        Ok(self.http.send(call).await?.date)
    }

    /// Reads a page of a list, and when the read began; `null` is an empty one.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        request: Request<'_>,
        page: u32,
    ) -> Result<(Vec<T>, ReadStart), CallError> {
        let name = request.name;
        let response = self.exchange(request.page(page, PAGE_SIZE)).await?;
        let found: Option<Vec<T>> = self.parse(name, self.value(name, &response)?)?;
        Ok((found.unwrap_or_default(), ReadStart::of(&response)))
    }

    /// Lists what changed; `row` takes from each row what can be read of it.
    pub(super) async fn changed(
        &self,
        request: Request<'_>,
        ChangeRequest { from, page, size, .. }: ChangeRequest,
        row: fn(&Value) -> Option<ChangedRow>,
    ) -> Result<ChangePage, CallError> {
        let name = request.name;
        let request = request.modified_after(from - MARGIN).page(page, size);
        let response = self.exchange(request).await?;
        let found: Option<Option<Vec<Value>>> = parse_list(&response.body);
        let found = found.ok_or_else(|| self.http.call_error(name, Failure::Unreadable))?.unwrap_or_default();
        let rows: Vec<_> = found.iter().cloned().map(lower_keys).filter_map(|item| row(&item)).collect();
        Ok(ChangePage {
            unreadable: found.len() - rows.len(),
            rows,
            has_more: is_full(&found, size),
            is_suspect: false,
            date: response.date,
        })
    }

    /// Makes a call. A 404 to one that changes something is an answer only while the warehouse finds its own list:
    /// in a maintenance window everything may be answered 404.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Value, CallError> {
        let (name, changes_something) = (request.name, request.method != Method::GET);
        match self.exchange(request).await {
            Ok(response) if changes_something && response.body.is_empty() => Ok(Value::Null),
            Ok(response) => self.value(name, &response),
            Err(error) if changes_something && error.is_not_found() => {
                match self.exchange(Request::get("confirm_not_found", "/api/v1/stock").page(1, 1)).await {
                    Ok(_) => Err(error),
                    Err(list) if list.is_not_found() => {
                        Err(CallError { failure: Failure::Maintenance(404), ..error })
                    }
                    Err(list) => Err(list),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// The JSON of an answer, with its keys in lower case. An empty body is none.
    fn value(&self, name: &'static str, response: &Response) -> Result<Value, CallError> {
        let parsed = serde_json::from_slice(&response.body).map(lower_keys);
        parsed.map_err(|_| self.http.call_error(name, Failure::Unreadable))
    }

    /// Makes a call. Where the access token is refused it is renewed and the call repeated once: a 401 did
    /// nothing.
    async fn exchange(&self, request: Request<'_>) -> Result<Response, CallError> {
        let mut is_renewed = false;
        loop {
            let (call, token) = self.with_credentials(&request).await?;
            match self.http.send(call).await {
                Ok(response) => return Ok(response),
                Err(error) if error.failure == Failure::Status(401) && !is_renewed => {
                    is_renewed = true;
                    if !self.auth.invalidate(token.as_deref()).await {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The call with its headers, and the access token in them where there is one.
    async fn with_credentials(&self, request: &Request<'_>) -> Result<(Call, Option<String>), CallError> {
        let (mut headers, token) = self.auth.headers().await?;
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(key) = request.key {
            headers.insert("idempotency-key", HeaderValue::from_str(key).expect("our keys are hex"));
        }
        let call = Call {
            name: request.name,
            method: request.method.clone(),
            path: request.path.to_owned(),
            query: request.query.clone(),
            headers,
            body: request.body.clone(),
        };
        Ok((call, token))
    }

    pub(super) fn parse<T: DeserializeOwned>(
        &self,
        name: &'static str,
        value: Value,
    ) -> Result<T, CallError> {
        serde_json::from_value(value).map_err(|_| self.http.call_error(name, Failure::Unreadable))
    }
}
