//! The shop's client: one method per call, grouped by resource in the files beside this one.
//!
//! Quick processing and completing a shipment cannot be distinguished from their own repeats except by reading:
//! each is [`Effect::Once`], and the flow reads the order before it does either.
//!
//! [`Effect::Once`]: crate::vendors::http::error::Effect::Once

use std::sync::Arc;

use base64::Engine;
use reqwest::{
    Method,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{lookups::LookupCache, wire};
use crate::{
    domain::Timestamp,
    vendors::{
        changes::{ChangePage, ChangeRequest, ChangedRow, MARGIN},
        http::{
            Body, Call, HttpClient, Response,
            call_log::CallLog,
            connection_start::{ConnectionStart, StartStoreError},
            error::{CallError, Failure},
            turn_signal::TurnSignal,
        },
        json_repair::parse_list,
        lenient_json::as_text,
        times::{Zone, parse_time},
        version::ReadStart,
    },
};

/// Items a page. The largest size is not public; other integrations use 100 (docs/contract.md §1.2).
pub const PAGE_SIZE: u32 = 100;

/// The list that every shop has.
pub(super) const PRODUCTS: &str = "/api/v1/products";

/// Calls the shop of one connection.
#[derive(Clone, Debug)]
pub struct MyCashflow {
    pub(super) http: HttpClient,
    pub(super) headers: Arc<HeaderMap>,
    pub(super) orders_api: Arc<str>,
    pub(super) lookup_cache: Arc<LookupCache>,
}

/// What the client needs to know about the shop.
pub struct Account {
    /// The API user's e-mail.
    pub user: String,
    /// The API key.
    pub api_key: String,
    /// `v0` or `v1`: where the order endpoints live.
    pub orders_api: String,
    /// Payment methods that are cash on delivery: ids, product codes or names.
    pub cash_on_delivery: Vec<String>,
    /// Whether the connection's rules depend on suppliers.
    pub needs_suppliers: bool,
    /// Whether products' pictures are sent to the warehouse.
    pub needs_pictures: bool,
}

/// A page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The items, in the order asked for.
    pub items: Vec<T>,
    /// Whether there is another page.
    pub has_more: bool,
    /// The number of items of all pages, where the shop sends it.
    pub total: Option<i64>,
}

impl MyCashflow {
    /// Creates a client.
    pub fn new(http: HttpClient, account: Account) -> Self {
        let Account { user, api_key, orders_api, cash_on_delivery, needs_suppliers, needs_pictures } =
            account;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{api_key}"));
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut credentials =
            HeaderValue::from_str(&format!("Basic {basic}")).expect("base64 is made of header characters");
        credentials.set_sensitive(true);
        headers.insert(AUTHORIZATION, credentials);
        let lookup_cache = Arc::new(LookupCache::new(cash_on_delivery, needs_suppliers, needs_pictures));
        Self { http, headers: Arc::new(headers), orders_api: orders_api.into(), lookup_cache }
    }

    /// The same client, recording its calls in `call_log`.
    pub fn with_call_log(&self, call_log: &CallLog) -> Self {
        Self { http: self.http.with_call_log(call_log), ..self.clone() }
    }

    /// The same client, for the first of two reads at the same time.
    pub fn first(&self, signal: &TurnSignal) -> Self {
        Self { http: self.http.first(signal), ..self.clone() }
    }

    /// The same client, at background priority.
    pub fn in_background(&self) -> Self {
        Self { http: self.http.in_background(), ..self.clone() }
    }

    /// When the connection began by the shop's clock. `None` where no answer of the shop had a date yet.
    pub fn connected_at(&self) -> Result<Option<Timestamp>, StartStoreError> {
        self.http.connection_start().map_or(Ok(None), ConnectionStart::get)
    }

    /// The version of the order endpoints that is used.
    pub fn orders_api(&self) -> &str {
        &self.orders_api
    }

    /// The other version.
    pub fn other_orders_api(&self) -> &'static str {
        if &*self.orders_api == "v0" { "v1" } else { "v0" }
    }

    /// Whether the shop has order endpoints of this version. Reads.
    pub async fn has_orders_api(&self, version: &str) -> Result<bool, CallError> {
        let query = vec![("page", "1".to_owned()), ("page_size", "1".to_owned())];
        match self.read::<wire::List>("probe_orders_api", format!("/api/{version}/orders"), query).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The shop's clock. Reads.
    pub async fn server_time(&self) -> Result<Option<Timestamp>, CallError> {
        let (path, headers) = ("/api/v1/shipping-methods".to_owned(), HeaderMap::clone(&self.headers));
        let call =
            Call { name: "ask_date", method: Method::GET, path, query: paged(1), headers, body: Body::Empty };
        Ok(self.http.send(call).await?.date)
    }

    /// Lists what changed, oldest first. Reads.
    pub(super) async fn changed(
        &self,
        name: &'static str,
        path: String,
        request: ChangeRequest,
    ) -> Result<ChangePage, CallError> {
        let ChangeRequest { from, to, page, size } = request;
        let mut query = vec![("page", page.to_string()), ("page_size", size.to_string())];
        query.push(("updated_at-from", format_time(from - MARGIN)));
        if let Some(to) = to {
            query.push(("updated_at-to", format_time(to + MARGIN)));
        }
        query.push(("sort", "updated_at-asc".to_owned()));
        let response = self.get(name, path, query).await?;
        let unreadable = || self.http.call_error(name, Failure::Unreadable);
        let list: wire::List = parse_list(&response.body).ok_or_else(unreadable)?;
        let rows: Vec<_> = list.data.iter().filter_map(changed_row).collect();
        let has_more = list.meta.next.is_some();
        let before = i64::from(page.saturating_sub(1)) * i64::from(size);
        if list.data.is_empty() && has_more {
            return Err(unreadable());
        }
        Ok(ChangePage {
            unreadable: list.data.len() - rows.len(),
            is_suspect: list.data.is_empty() && list.meta.item_count.is_some_and(|count| count > before),
            rows,
            has_more,
            date: response.date,
        })
    }

    /// Reads every page of a short list.
    pub(super) async fn list_all<T: DeserializeOwned>(
        &self,
        name: &'static str,
        path: &str,
    ) -> Result<Vec<T>, CallError> {
        let mut items = Vec::new();
        for page in 1.. {
            let list: wire::List = self.read(name, path.to_owned(), paged(page)).await?;
            items.extend(list.data.into_iter().filter_map(|item| serde_json::from_value(item).ok()));
            if list.meta.next.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// Reads one object, and when the read began; `None` where the shop does not have it.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        name: &'static str,
        path: String,
        query: Vec<(&'static str, String)>,
    ) -> Result<Option<(T, ReadStart)>, CallError> {
        let (list, _) = path.rsplit_once('/').expect("every path begins with a slash");
        let list = list.to_owned();
        match self.read_dated::<wire::One<T>>(name, path, query).await {
            Ok((one, start)) => Ok(Some((one.data, start))),
            Err(error) if error.is_not_found() => self.confirm_not_found(list).await.map(|()| None),
            Err(error) => Err(error),
        }
    }

    /// A 404 is an answer only while the shop finds its own list: in a maintenance window everything may be
    /// answered 404, and nothing may be taken as missing then.
    pub(super) async fn confirm_not_found(&self, list: String) -> Result<(), CallError> {
        let query = vec![("page", "1".to_owned()), ("page_size", "1".to_owned())];
        match self.read::<wire::List>("confirm_not_found", list, query).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => {
                Err(CallError { failure: Failure::Maintenance(404), ..error })
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        name: &'static str,
        path: String,
        query: Vec<(&'static str, String)>,
    ) -> Result<T, CallError> {
        self.read_dated(name, path, query).await.map(|(answer, _)| answer)
    }

    async fn read_dated<T: DeserializeOwned>(
        &self,
        name: &'static str,
        path: String,
        query: Vec<(&'static str, String)>,
    ) -> Result<(T, ReadStart), CallError> {
        let response = self.get(name, path, query).await?;
        let answer = serde_json::from_slice(&response.body);
        let answer = answer.map_err(|_| self.http.call_error(name, Failure::Unreadable))?;
        Ok((answer, ReadStart::of(&response)))
    }

    async fn get(
        &self,
        name: &'static str,
        path: String,
        query: Vec<(&'static str, String)>,
    ) -> Result<Response, CallError> {
        let headers = HeaderMap::clone(&self.headers);
        self.http.send(Call { name, method: Method::GET, path, query, headers, body: Body::Empty }).await
    }

    /// Makes a call that changes something. An answer that is not JSON is unreadable: it may come from
    /// something between.
    pub(super) async fn submit(
        &self,
        name: &'static str,
        method: Method,
        path: String,
        body: Body,
        key: &str,
    ) -> Result<(), CallError> {
        let mut headers = HeaderMap::clone(&self.headers);
        headers.insert("idempotency-key", HeaderValue::from_str(key).expect("our keys are hex"));
        let sent = self.http.send(Call { name, method, path, query: Vec::new(), headers, body }).await;
        if sent.as_ref().is_err_and(CallError::is_not_found) {
            self.confirm_not_found(PRODUCTS.to_owned()).await?;
        }
        let Response { body, .. } = sent?;
        if body.is_empty() || serde_json::from_slice::<Value>(&body).is_ok() {
            return Ok(());
        }
        Err(self.http.call_error(name, Failure::Unreadable))
    }
}

fn changed_row(item: &Value) -> Option<ChangedRow> {
    let name = item.get("id").and_then(as_text)?;
    let version = item.get("updated_at").and_then(as_text).unwrap_or_default();
    Some(ChangedRow { name, changed_at: parse_time(&version, Zone::Helsinki), version })
}

pub(super) fn paged(page: u32) -> Vec<(&'static str, String)> {
    vec![("page", page.to_string()), ("page_size", PAGE_SIZE.to_string())]
}

/// Whole seconds with an offset, as other integrations send them.
pub(super) fn format_time(time: Timestamp) -> String {
    time.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
