//! From a configured connection to its two clients, its webhook endpoint and its polls.

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;

use super::{
    config::{self, Secret},
    connection_starts::ConnectionStarts,
    connection_stores::{PgRateLimitStore, PgTokenStore},
    rate_limit_writer::RateLimitWriter,
};
use crate::{
    domain::{call_figures::CallFigures, vendor::Vendor},
    flows::ConnectionClients,
    inbox::{self, poll::poller},
    runtime::{
        clock::{Clock, Entropy},
        database_clock::DatabaseClock,
        steady_clock::SteadyClock,
    },
    security::{
        secrets::SecretStore,
        signature::{Encoding, SignatureScheme},
    },
    vendors::{
        http::{
            AnswerMemory, client::HttpClient, connection_start::ConnectionStart, rate_limiter::RateLimiter,
        },
        mycashflow::{self, MyCashflow},
        ogoship::{self, Ogoship, auth::Credentials},
    },
};

/// What the clients of all connections share.
pub(super) struct ConnectionDeps<'a> {
    pub(super) client: &'a reqwest::Client,
    pub(super) answers: &'a AnswerMemory,
    pub(super) pool: &'a PgPool,
    pub(super) limits: &'a RateLimitWriter,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) entropy: &'a Arc<Entropy>,
    pub(super) secret_store: &'a Arc<SecretStore>,
    pub(super) starts: &'a Arc<ConnectionStarts>,
    pub(super) figures: &'a CallFigures,
    pub(super) recheck_delay: Duration,
}

/// Builds the clients of a configured connection.
pub(super) fn build_clients(connection: &config::Connection, deps: &ConnectionDeps<'_>) -> ConnectionClients {
    let tokens = Arc::new(PgTokenStore {
        pool: deps.pool.clone(),
        connection: connection.name.clone(),
        clock: deps.clock.clone(),
        entropy: deps.entropy.clone(),
        secret_store: deps.secret_store.clone(),
    });
    let warehouse = Ogoship::new(
        http_client(connection, deps, Vendor::Ogoship),
        &connection.ogoship.auth_url,
        credentials(&connection.ogoship),
        tokens,
        deps.clock.clone(),
    );
    let start = ConnectionStart::new(&connection.name, deps.starts.clone());
    let shop = http_client(connection, deps, Vendor::MyCashflow).dating(start);
    ConnectionClients {
        name: connection.name.clone(),
        shop: MyCashflow::new(shop, shop_account(connection)),
        warehouse,
        order_policy: Arc::new(connection.orders.clone()),
        stock_policy: Arc::new(connection.stock.clone()),
        product_policy: Arc::new(connection.products.clone()),
        calls_per_second: connection
            .mycashflow
            .requests_per_second
            .min(connection.ogoship.requests_per_second),
        recheck_delay: deps.recheck_delay,
    }
}

fn http_client(connection: &config::Connection, deps: &ConnectionDeps<'_>, vendor: Vendor) -> HttpClient {
    let config::Connection { name, mycashflow, ogoship, .. } = connection;
    let (url, rate) = match vendor {
        Vendor::MyCashflow => (&mycashflow.url, mycashflow.requests_per_second),
        Vendor::Ogoship => (&ogoship.url, ogoship.requests_per_second),
    };
    let steady_clock = Arc::new(SteadyClock::of(deps.clock.clone()));
    let limits = PgRateLimitStore {
        pool: deps.pool.clone(),
        writer: deps.limits.clone(),
        connection: name.clone(),
        vendor,
        database_clock: DatabaseClock::new(steady_clock.clone()),
    };
    let rate_limiter = Arc::new(RateLimiter::new(rate, steady_clock, Arc::new(limits)));
    let shared = (deps.client.clone(), deps.answers.clone());
    let client = HttpClient::new(shared, (vendor, url), rate_limiter, deps.clock.clone());
    client.redacted(&connection.orders.redactor).counting(name, deps.figures)
}

fn shop_account(connection: &config::Connection) -> mycashflow::Account {
    let config::Connection { mycashflow, orders, products, .. } = connection;
    mycashflow::Account {
        user: mycashflow.user.clone(),
        api_key: mycashflow.api_key.expose().to_owned(),
        orders_api: mycashflow.orders_api.clone(),
        cash_on_delivery: orders.cash_on_delivery.clone(),
        needs_suppliers: !products.suppliers.is_empty(),
        needs_pictures: products.picture_url.is_some(),
    }
}

fn credentials(ogoship: &config::Ogoship) -> Credentials {
    match &ogoship.api_key {
        Some(key) => Credentials::ApiKey(key.expose().to_owned()),
        None => Credentials::OAuth(ogoship::auth::Account {
            merchant_id: ogoship.merchant_id.clone(),
            secret_token: ogoship.secret_token.expose().to_owned(),
            client_id: ogoship.client_id.clone(),
            client_secret: ogoship.client_secret.expose().to_owned(),
        }),
    }
}

/// What the poller needs of a connection.
pub(super) fn polled_connection(
    connection: &config::Connection,
    clients: &ConnectionClients,
) -> poller::PolledConnection {
    poller::PolledConnection {
        connection: clients.name.clone(),
        shop: clients.shop.clone(),
        warehouse: clients.warehouse.clone(),
        references: clients.order_policy.references.clone(),
        intervals: connection.polls,
    }
}

/// How webhooks of a connection are verified.
pub(super) fn webhook_endpoint(connection: &config::Connection) -> inbox::Endpoint {
    let exposed = |secrets: &[Secret]| secrets.iter().map(|secret| secret.expose().to_owned()).collect();
    let scheme = |signature: &config::Signature| SignatureScheme {
        header: signature.header.clone(),
        encoding: signature.encoding,
        secrets: exposed(&signature.secrets),
    };
    inbox::Endpoint {
        connection: connection.name.clone(),
        webhook_token: connection.mycashflow.webhook_token.expose().to_owned(),
        ogoship_token: connection.ogoship.webhook_token.expose().to_owned(),
        accepts_path_without_token: connection.ogoship.accepts_path_without_token,
        mycashflow: connection.mycashflow.signature.as_ref().map(scheme),
        ogoship: SignatureScheme {
            header: ogoship::webhook::SIGNATURE_HEADER.to_owned(),
            encoding: Encoding::Base64,
            secrets: exposed(&connection.ogoship.webhook_keys),
        },
        references: connection.orders.references.clone(),
    }
}
