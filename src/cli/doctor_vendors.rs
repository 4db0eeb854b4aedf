//! What `silta doctor` asks both vendors: does each answer, does it accept the key, are its lists there.

use reqwest::{Client, Url};

use super::{
    check::Check,
    doctor_remedies::{Cause, remedy},
    reach,
};
use crate::{
    app::config::Connection,
    domain::{time_window::TimeWindow, vendor::Vendor},
    flows::ConnectionClients,
    runtime::clock::{Clock, SystemClock},
    vendors::http::error::{CallError, Failure},
};

/// How far clocks may differ.
const MAX_CLOCK_SKEW_SECONDS: i64 = 30;

/// How the configuration names a connection's two vendors. Neither API tells what the shop or the merchant is called.
pub(super) struct VendorNames {
    shop: Endpoint,
    warehouse: Endpoint,
    /// The host of the token endpoint; calls may fail there, too.
    auth_url: String,
}

/// The address of a vendor, and as whom it is called.
struct Endpoint {
    url: String,
    account: String,
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
    pub(super) fn of(connection: &Connection) -> Self {
        let Connection { mycashflow, ogoship, .. } = connection;
        let account = match &ogoship.api_key {
            Some(_) => "with an API key".to_owned(),
            None => format!("as merchant {}", ogoship.merchant_id),
        };
        Self {
            shop: Endpoint { url: mycashflow.url.clone(), account: format!("as {}", mycashflow.user) },
            warehouse: Endpoint { url: ogoship.url.clone(), account },
            auth_url: ogoship.auth_url.clone(),
        }
    }
}

/// Both vendors of a connection, and the client that tells why one cannot be reached.
pub(super) struct VendorChecks<'a> {
    pub(super) clients: &'a ConnectionClients,
    pub(super) names: &'a VendorNames,
    pub(super) client: &'a Client,
}

impl VendorChecks<'_> {
    /// Whether the shop answers and accepts the key.
    pub(super) async fn shop(&self) -> Check {
        let Endpoint { account, .. } = &self.names.shop;
        let host = self.names.shop.host();
        match self.clients.shop.list_products(1).await {
            Ok(page) => {
                let products = page.total.unwrap_or_default();
                self.good("shop", format!("{host} answers {account}; {products} products"))
            }
            Err(error) => self.failed("shop", &error).await,
        }
    }

    /// Whether the shop has the order endpoints of the configured version.
    pub(super) async fn orders_api(&self) -> Check {
        let shop = &self.clients.shop;
        let now = SystemClock.now();
        let hour = TimeWindow { from: now - chrono::Duration::hours(1), to: now };
        let (version, other) = (shop.orders_api(), shop.other_orders_api());
        let orders = shop.list_orders_created(hour, 1).await;
        let has_other = matches!(shop.has_orders_api(other).await, Ok(true));
        match orders {
            Ok(_) => {
                let also = if has_other { format!("; {other} answers too") } else { String::new() };
                self.good("orders_api", format!("the order endpoints of {version} answer{also}"))
            }
            Err(error) if error.is_not_found() && has_other => self
                .good(
                    "orders_api",
                    format!("the shop has no order endpoints of {version}, and has those of {other}"),
                )
                .failed(format!("set mycashflow.orders_api = {other:?}")),
            Err(error) if error.is_not_found() => self
                .good(
                    "orders_api",
                    format!("the shop has no order endpoints, neither of {version} nor of {other}"),
                )
                .failed("ask MyCashflow whether the shop's package includes the API of orders"),
            Err(error) => self.failed("orders_api", &error).await,
        }
    }

    /// Whether the warehouse answers and accepts the key.
    pub(super) async fn warehouse(&self) -> Check {
        let Endpoint { account, .. } = &self.names.warehouse;
        match self.clients.warehouse.list_stock_figures(1).await {
            Ok(_) => self.good("warehouse", format!("{} answers {account}", self.names.warehouse.host())),
            Err(error) => self.failed("warehouse", &error).await,
        }
    }

    /// Whether the clocks agree: changes are read by time, and signatures with a time expire. Of the vendors that answer.
    pub(super) async fn clock(&self, [has_shop, has_warehouse]: [bool; 2]) -> Check {
        let mut times = Vec::new();
        if has_shop {
            times.push(("shop", self.clients.shop.server_time().await));
        }
        if has_warehouse {
            times.push(("warehouse", self.clients.warehouse.server_time().await));
        }
        let mut messages = Vec::new();
        let mut is_ok = true;
        for (vendor, date) in times {
            let Ok(Some(date)) = date else {
                messages.push(format!("the {vendor} sends no time"));
                continue;
            };
            let off = (SystemClock.now() - date).num_seconds();
            is_ok &= off.abs() <= MAX_CLOCK_SKEW_SECONDS;
            messages.push(format!("{off} s from the {vendor}'s"));
        }
        let check = self.good("clock", messages.join(", "));
        if is_ok { check } else { check.failed("set this machine's clock by NTP") }
    }

    /// A failed call: why, and what to do.
    pub(super) async fn failed(&self, name: &'static str, error: &CallError) -> Check {
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
        let cause = Cause::of(error, unreached);
        let found = cause.describe(error, &host_of(url));
        let found = error.message.as_ref().map_or(found.clone(), |message| format!("{found}: {message}"));
        self.good(name, found).failed(remedy(error.vendor, &cause))
    }

    fn good(&self, name: &'static str, found: impl Into<String>) -> Check {
        Check::good(&self.clients.name, name, found)
    }
}
