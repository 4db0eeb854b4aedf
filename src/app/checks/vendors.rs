//! What both vendors are asked: does each answer, does it accept the key, are its lists there.

use reqwest::{Client, Url};

use super::{call_cause::cause_of, reach};
use crate::{
    app::config::Connection,
    domain::{
        Timestamp,
        check::{Account, Check, CheckName, ClockOffset, Found},
        failed_call::FailedCall,
        time_window::TimeWindow,
        vendor::Vendor,
    },
    flows::ConnectionClients,
    runtime::clock::Clock,
    vendors::http::error::{CallError, Failure},
};

/// How far clocks may differ.
const MAX_CLOCK_SKEW_SECONDS: i64 = 30;

/// How the configuration names a connection's two vendors. Neither API tells what the shop or the merchant is called.
#[derive(Clone, Debug)]
pub(crate) struct VendorNames {
    shop: Endpoint,
    warehouse: Endpoint,
    /// The host of the token endpoint; calls may fail there, too.
    auth_url: String,
}

/// The address of a vendor, and as whom it is called; that is left out where the answer is stored.
#[derive(Clone, Debug)]
struct Endpoint {
    url: String,
    account: Option<Account>,
}

impl Endpoint {
    fn host(&self) -> String {
        host_of(&self.url)
    }
}

fn host_of(url: &str) -> String {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port())));
    match host {
        Some((host, Some(port))) => format!("{host}:{port}"),
        Some((host, None)) => host.to_owned(),
        None => "an address that is no URL".to_owned(),
    }
}

impl VendorNames {
    pub(crate) fn of(connection: &Connection) -> Self {
        let Connection { mycashflow, ogoship, .. } = connection;
        let account = match &ogoship.api_key {
            Some(_) => Account::ApiKey,
            None => Account::Merchant(ogoship.merchant_id.clone()),
        };
        let user = Account::User(mycashflow.user.clone());
        Self {
            shop: Endpoint { url: mycashflow.url.clone(), account: Some(user) },
            warehouse: Endpoint { url: ogoship.url.clone(), account: Some(account) },
            auth_url: ogoship.auth_url.clone(),
        }
    }

    /// The same without accounts: the shop's is somebody's e-mail address.
    pub(crate) fn without_accounts(self) -> Self {
        let unnamed = |endpoint| Endpoint { account: None, ..endpoint };
        Self { shop: unnamed(self.shop), warehouse: unnamed(self.warehouse), auth_url: self.auth_url }
    }
}

/// Both vendors of a connection, and the client that tells why one cannot be reached.
pub(super) struct VendorChecks<'a> {
    pub(super) clients: &'a ConnectionClients,
    pub(super) names: &'a VendorNames,
    pub(super) client: &'a Client,
    pub(super) clock: &'a dyn Clock,
}

impl VendorChecks<'_> {
    /// Whether the shop answers and accepts the key.
    pub(super) async fn shop(&self) -> Check {
        match self.clients.shop.list_products(1).await {
            Ok(page) => self.answers(CheckName::Shop, Vendor::MyCashflow, page.total),
            Err(error) => self.failed(CheckName::Shop, &error).await,
        }
    }

    fn answers(&self, name: CheckName, vendor: Vendor, products: Option<i64>) -> Check {
        let endpoint = match vendor {
            Vendor::MyCashflow => &self.names.shop,
            Vendor::Ogoship => &self.names.warehouse,
        };
        let (host, account) = (endpoint.host(), endpoint.account.clone());
        Check::good(name, Found::Answers { vendor, host, account, products })
    }

    /// Whether the shop has the order endpoints of the configured version.
    pub(super) async fn orders_api(&self) -> Check {
        let shop = &self.clients.shop;
        let now = self.clock.now();
        let hour = TimeWindow { from: now - chrono::Duration::hours(1), to: now };
        let (version, other) = (shop.orders_api().to_owned(), shop.other_orders_api());
        let orders = shop.list_orders_created(hour, 1).await;
        let has_other = matches!(shop.has_orders_api(other).await, Ok(true));
        let (name, other) = (CheckName::OrdersApi, other.to_owned());
        match orders {
            Ok(_) => Check::good(name, Found::OrdersApi { version, other: has_other.then_some(other) }),
            Err(error) if error.is_not_found() && has_other => {
                Check::good(name, Found::OtherOrdersApi { version, other }).failed()
            }
            Err(error) if error.is_not_found() => {
                Check::good(name, Found::NoOrdersApi { version, other }).failed()
            }
            Err(error) => self.failed(name, &error).await,
        }
    }

    /// Whether the warehouse answers and accepts the key.
    pub(super) async fn warehouse(&self) -> Check {
        match self.clients.warehouse.list_stock_figures(1).await {
            Ok(_) => self.answers(CheckName::Warehouse, Vendor::Ogoship, None),
            Err(error) => self.failed(CheckName::Warehouse, &error).await,
        }
    }

    /// Whether the clocks agree: changes are read by time, and signatures with a time expire. Of the vendors that answer.
    pub(super) async fn clock(&self, [has_shop, has_warehouse]: [bool; 2]) -> Check {
        let mut times = Vec::new();
        if has_shop {
            times.push((Vendor::MyCashflow, self.clients.shop.server_time().await));
        }
        if has_warehouse {
            times.push((Vendor::Ogoship, self.clients.warehouse.server_time().await));
        }
        let now = self.clock.now();
        let offset = |(vendor, date): (Vendor, Result<Option<Timestamp>, CallError>)| {
            let seconds = match date {
                Ok(Some(date)) => Some((now - date).num_seconds()),
                Ok(None) | Err(_) => None,
            };
            ClockOffset { vendor, seconds }
        };
        let offsets: Vec<_> = times.into_iter().map(offset).collect();
        let is_near = |it: &ClockOffset| it.seconds.is_none_or(|off| off.abs() <= MAX_CLOCK_SKEW_SECONDS);
        let all_are_near = offsets.iter().all(is_near);
        Check::good(CheckName::Clock, Found::Clock(offsets)).required(all_are_near)
    }

    /// A failed call: why, and what to do.
    pub(super) async fn failed(&self, name: CheckName, error: &CallError) -> Check {
        let VendorNames { shop, warehouse, auth_url } = self.names;
        let url = match error.vendor {
            Vendor::MyCashflow => &shop.url,
            Vendor::Ogoship if error.call == "grant_token" => auth_url,
            Vendor::Ogoship => &warehouse.url,
        };
        let unreached = match error.failure {
            Failure::Connect | Failure::Lost => reach::ask(self.client, url).await.err(),
            _ => None,
        };
        let failed = FailedCall {
            vendor: error.vendor,
            host: host_of(url),
            cause: cause_of(error, unreached),
            failure: error.failure.to_string(),
            message: error.message.clone(),
        };
        Check::good(name, Found::CallFailed(failed)).failed()
    }
}
