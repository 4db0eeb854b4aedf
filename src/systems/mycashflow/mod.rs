//! The shop's client: one method per call.
//!
//! What the contract demands of every call: `Accept: application/json` (406 without), no trailing slash (an error
//! with one), HTTPS, HTTP Basic with the API user's e-mail and key. Orders live under `orders_api` (v0 is the only
//! proven one), everything else under v1.
//!
//! Quick processing and completing a shipment cannot be told apart from their own repeats except by looking: each is
//! `Effect::Once`, and the flow reads the order before it does either.

pub mod translate;
pub mod webhook;
pub mod wire;

use std::{sync::Arc, time::Duration};

use base64::Engine;
use reqwest::{
    Method,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::{sync::Mutex, time::Instant};
use translate::Methods;

use super::{
    call::{CallError, Failure},
    http::{Answer, Body, Call, Evidence, Http},
    wire::{as_text, segment},
};
use crate::domain::{Timestamp, order::ShopOrder, product::ShopProduct, stock::ShopStock};

/// Items a page; the largest size is not public, 100 is used live (contract/mycashflow.md §1.2).
const PAGE_SIZE: u32 = 100;

/// How long the lists of shipping and payment methods are believed: people change them a few times a year.
const METHODS_LIVE: Duration = Duration::from_secs(600);

/// The client of one connection's shop.
#[derive(Clone, Debug)]
pub struct MyCashflow {
    http: Http,
    headers: HeaderMap,
    orders_api: String,
    cash_on_delivery: Arc<[String]>,
    methods: Arc<Mutex<Option<KnownMethods>>>,
}

/// The lists of methods, and when they were read.
type KnownMethods = (Instant, Arc<Methods>);

/// What a client needs to know.
pub struct Account {
    /// The API user's e-mail.
    pub user: String,
    /// The API key.
    pub api_key: String,
    /// `v0` or `v1`: where the order endpoints live.
    pub orders_api: String,
    /// Payment methods that are cash on delivery: ids, product codes or names.
    pub cash_on_delivery: Vec<String>,
}

/// One line of a list: what may be out of step, and the version that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its id.
    pub id: String,
    /// Its `updated_at`, as told.
    pub version: String,
}

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    /// In the order asked for.
    pub items: Vec<Changed>,
    /// Is there another one?
    pub more: bool,
}

impl MyCashflow {
    /// A client over a way to the shop.
    pub fn new(http: Http, account: Account) -> Self {
        let Account { user, api_key, orders_api, cash_on_delivery } = account;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{api_key}"));
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut credentials =
            HeaderValue::from_str(&format!("Basic {basic}")).expect("base64 is made of header characters");
        credentials.set_sensitive(true);
        headers.insert(AUTHORIZATION, credentials);
        Self { http, headers, orders_api, cash_on_delivery: cash_on_delivery.into(), methods: Arc::default() }
    }

    /// The same client, keeping its calls in `evidence`.
    pub fn witnessed(&self, evidence: &Evidence) -> Self {
        Self { http: self.http.witnessed(evidence), ..self.clone() }
    }

    /// An order with its lines, payments and shipments; `None` where the shop does not know it. Reads.
    pub async fn order(&self, id: &str) -> Result<Option<ShopOrder>, CallError> {
        let methods = self.methods().await?;
        let path = self.order_path(id, "");
        let query = vec![("expand", "payments,products,shipments".to_owned())];
        let wire: Option<wire::Order> = self.find("read_order", path, query).await?;
        wire.map(|wire| {
            translate::order(wire, &methods).ok_or_else(|| self.http.error("read_order", Failure::Unreadable))
        })
        .transpose()
    }

    /// Orders changed at or after a time, oldest first. Reads.
    pub async fn orders_changed(&self, from: Timestamp, page: u32) -> Result<Page, CallError> {
        self.changed("list_orders", format!("/api/{}/orders", self.orders_api), from, page).await
    }

    /// Products changed at or after a time, oldest first. Reads.
    pub async fn products_changed(&self, from: Timestamp, page: u32) -> Result<Page, CallError> {
        self.changed("list_products", "/api/v1/products".to_owned(), from, page).await
    }

    /// Completes the whole order and writes its tracking code: for orders of one payment and one shipment. Once.
    pub async fn quick_process(
        &self,
        id: &str,
        tracking_code: Option<&str>,
        allow_open_cash_on_delivery: bool,
        send_emails: bool,
        key: &str,
    ) -> Result<(), CallError> {
        let mut body = json!({ "send_emails": send_emails });
        if let Some(code) = tracking_code {
            body["tracking_code"] = code.into();
        }
        if allow_open_cash_on_delivery {
            body["allow_open_cash_on_delivery_payments"] = true.into();
        }
        self.act("quick_process", Method::POST, self.order_path(id, "/quick-process"), Body::Json(body), key)
            .await
    }

    /// Completes one of an order's shipments. Once.
    pub async fn complete_shipment(&self, order: &str, shipment: &str, key: &str) -> Result<(), CallError> {
        let path = self.order_path(order, &format!("/shipments/{}/complete", segment(shipment)));
        self.act("complete_shipment", Method::POST, path, Body::Empty, key).await
    }

    /// A product with its variations; `None` where the shop does not know it. Reads.
    pub async fn product(&self, id: &str) -> Result<Option<ShopProduct>, CallError> {
        let path = format!("/api/v1/products/{}", segment(id));
        let query = vec![("expand", "stock_item,variations,variations.stock_item".to_owned())];
        let wire: Option<wire::Product> = self.find("read_product", path, query).await?;
        wire.map(|wire| {
            translate::product(wire).ok_or_else(|| self.http.error("read_product", Failure::Unreadable))
        })
        .transpose()
    }

    /// A stock item by its code; `None` where the shop does not know it. Reads.
    pub async fn stock(&self, code: &str) -> Result<Option<ShopStock>, CallError> {
        let path = format!("/api/v1/stock/{}", segment(code));
        let wire: Option<wire::StockItem> = self.find("read_stock", path, Vec::new()).await?;
        Ok(wire.as_ref().map(translate::stock))
    }

    /// Sets a stock item's quantity, and nothing else that it does not have to. Idempotent.
    pub async fn set_stock(&self, code: &str, quantity: i64, key: &str) -> Result<(), CallError> {
        let body = Body::Json(json!({ "enabled": true, "quantity": quantity }));
        self.act("set_stock", Method::PATCH, format!("/api/v1/stock/{}", segment(code)), body, key).await
    }

    /// The shop's shipping and payment methods, believed for [`METHODS_LIVE`]. Reads.
    async fn methods(&self) -> Result<Arc<Methods>, CallError> {
        let mut known = self.methods.lock().await; // one reader asks, the others wait for its answer
        if let Some((at, methods)) = known.as_ref()
            && at.elapsed() < METHODS_LIVE
        {
            return Ok(methods.clone());
        }
        let shipping = self.list_methods("list_shipping_methods", "/api/v1/shipping-methods").await?;
        let payment = if self.cash_on_delivery.is_empty() {
            Vec::new()
        } else {
            self.list_methods("list_payment_methods", "/api/v1/payment-methods").await?
        };
        let methods = Arc::new(Methods::new(shipping, payment, &self.cash_on_delivery));
        *known = Some((Instant::now(), methods.clone()));
        Ok(methods)
    }

    async fn list_methods(&self, name: &'static str, path: &str) -> Result<Vec<wire::Method>, CallError> {
        let mut methods = Vec::new();
        for page in 1.. {
            let list: wire::List = self.read(name, path.to_owned(), paged(page)).await?;
            methods.extend(list.data.into_iter().filter_map(|item| serde_json::from_value(item).ok()));
            if list.meta.next.is_none() {
                break;
            }
        }
        Ok(methods)
    }

    async fn changed(
        &self,
        name: &'static str,
        path: String,
        from: Timestamp,
        page: u32,
    ) -> Result<Page, CallError> {
        let mut query = paged(page);
        query.push(("updated_at-from", from.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()));
        query.push(("sort", "updated_at-asc".to_owned()));
        let list: wire::List = self.read(name, path, query).await?;
        let items = list.data.iter().filter_map(|item| {
            let id = item.get("id").and_then(as_text)?;
            Some(Changed { id, version: item.get("updated_at").and_then(as_text).unwrap_or_default() })
        });
        Ok(Page { items: items.collect(), more: list.meta.next.is_some() })
    }

    fn order_path(&self, id: &str, rest: &str) -> String {
        format!("/api/{}/orders/{}{rest}", self.orders_api, segment(id))
    }

    async fn find<T: DeserializeOwned>(
        &self,
        name: &'static str,
        path: String,
        query: Vec<(&'static str, String)>,
    ) -> Result<Option<T>, CallError> {
        match self.read::<wire::One<T>>(name, path, query).await {
            Ok(one) => Ok(Some(one.data)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        name: &'static str,
        path: String,
        query: Vec<(&'static str, String)>,
    ) -> Result<T, CallError> {
        let headers = self.headers.clone();
        let call = Call { name, method: Method::GET, path, query, headers, body: Body::Empty };
        let Answer { body } = self.http.send(call).await?;
        serde_json::from_slice(&body).map_err(|_| self.http.error(name, Failure::Unreadable))
    }

    /// A call that changes something. Its answer must be JSON, or we do not know what answered.
    async fn act(
        &self,
        name: &'static str,
        method: Method,
        path: String,
        body: Body,
        key: &str,
    ) -> Result<(), CallError> {
        let mut headers = self.headers.clone();
        headers.insert("idempotency-key", HeaderValue::from_str(key).expect("our keys are hex"));
        let Answer { body } =
            self.http.send(Call { name, method, path, query: Vec::new(), headers, body }).await?;
        if body.is_empty() || serde_json::from_slice::<Value>(&body).is_ok() {
            return Ok(());
        }
        Err(self.http.error(name, Failure::Unreadable))
    }
}

fn paged(page: u32) -> Vec<(&'static str, String)> {
    vec![("page", page.to_string()), ("page_size", PAGE_SIZE.to_string())]
}
