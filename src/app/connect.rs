//! From a configured connection to its two vendors, its rules, and the rows in which they keep tokens and rate_limits.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use super::config::{self, Secret};
use crate::{
    domain::{Timestamp, rate_limit::TokenBucket, vendor::Vendor},
    flows::ConnectionClients,
    inbox::{self, poll::poller},
    runtime::clock::{Clock, Entropy},
    security::{
        secrets::SecretStore,
        signature::{Encoding, SignatureScheme},
    },
    store::{StoreError, rate_limits, tokens},
    vendors::{
        http::{
            client::HttpClient,
            rate_limiter::{RateLimitStore, RateLimitStoreError, RateLimiter},
        },
        mycashflow::{self, MyCashflow},
        ogoship::{
            self, Ogoship,
            auth::{Credentials, Token, TokenStore, TokenStoreError},
        },
    },
};

/// A configured connection, ready to be worked for.
pub(super) fn build_connection(
    connection: &config::Connection,
    client: &reqwest::Client,
    (pool, secret_store): (&PgPool, &Arc<SecretStore>),
    (clock, entropy): (&Arc<dyn Clock>, &Arc<Entropy>),
    recheck_delay: Duration,
) -> ConnectionClients {
    let config::Connection {
        name,
        mycashflow,
        ogoship,
        orders,
        cash_on_delivery,
        products,
        stock,
        polls: _,
        compare: _,
        topics: _,
    } = connection;
    let budget = |vendor, rate| {
        let book = PgRateLimitStore { pool: pool.clone(), connection: name.clone(), vendor };
        Arc::new(RateLimiter::new(rate, clock.clone(), Arc::new(book)))
    };
    let to_shop = HttpClient::new(
        client.clone(),
        Vendor::MyCashflow,
        &mycashflow.url,
        budget(Vendor::MyCashflow, mycashflow.requests_per_second),
    )
    .redacted(&orders.redactor);
    let account = mycashflow::Account {
        user: mycashflow.user.clone(),
        api_key: mycashflow.api_key.expose().to_owned(),
        orders_api: mycashflow.orders_api.clone(),
        cash_on_delivery: cash_on_delivery.clone(),
        needs_suppliers: !products.suppliers.is_empty(),
        needs_pictures: products.picture_url.is_some(),
    };
    let to_warehouse = budget(Vendor::Ogoship, ogoship.requests_per_second);
    let to_warehouse = HttpClient::new(client.clone(), Vendor::Ogoship, &ogoship.url, to_warehouse)
        .redacted(&orders.redactor);
    let credentials = match &ogoship.api_key {
        Some(key) => Credentials::ApiKey(key.expose().to_owned()),
        None => Credentials::OAuth(ogoship::auth::Account {
            merchant_id: ogoship.merchant_id.clone(),
            secret_token: ogoship.secret_token.expose().to_owned(),
            client_id: ogoship.client_id.clone(),
            client_secret: ogoship.client_secret.expose().to_owned(),
        }),
    };
    let secret_store = Arc::new(PgTokenStore {
        pool: pool.clone(),
        connection: name.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        secret_store: secret_store.clone(),
    });
    ConnectionClients {
        name: name.clone(),
        shop: MyCashflow::new(to_shop, account),
        warehouse: Ogoship::new(to_warehouse, &ogoship.auth_url, credentials, secret_store, clock.clone()),
        order_policy: orders.clone(),
        stock_policy: stock.clone(),
        product_policy: products.clone(),
        recheck_delay,
    }
}

/// How a configured connection's lists are polled_connection.
pub(super) fn polled_connection(
    connection: &config::Connection,
    clients: &ConnectionClients,
) -> poller::PolledConnection {
    poller::PolledConnection {
        connection: clients.name.clone(),
        shop: clients.shop.clone(),
        warehouse: clients.warehouse.clone(),
        reference_prefix: clients.order_policy.reference_prefix.clone(),
        intervals: connection.polls,
    }
}

/// How a configured connection's webhooks are let in.
pub(super) fn webhook_endpoint(connection: &config::Connection) -> inbox::Endpoint {
    let exposed = |secrets: &[Secret]| secrets.iter().map(|secret| secret.expose().to_owned()).collect();
    let scheme = |(header, secrets, encoding): &(String, Vec<Secret>, Encoding)| SignatureScheme {
        header: header.clone(),
        encoding: *encoding,
        secrets: exposed(secrets),
    };
    inbox::Endpoint {
        connection: connection.name.clone(),
        webhook_token: connection.mycashflow.webhook_token.expose().to_owned(),
        mycashflow: connection.mycashflow.signature.as_ref().map(scheme),
        ogoship: SignatureScheme {
            header: ogoship::webhook::SIGNATURE_HEADER.to_owned(),
            encoding: Encoding::Base64,
            secrets: exposed(&connection.ogoship.webhook_keys),
        },
        reference_prefix: connection.orders.reference_prefix.clone(),
    }
}

/// The book of a budget: a row of table `rate_limit`.
#[derive(Debug)]
struct PgRateLimitStore {
    pool: PgPool,
    connection: String,
    vendor: Vendor,
}

#[async_trait]
impl RateLimitStore for PgRateLimitStore {
    async fn read(&self) -> Result<Option<TokenBucket>, RateLimitStoreError> {
        let found = async {
            let mut db = self.pool.acquire().await?;
            rate_limits::find(&mut db, &self.connection, self.vendor.as_str()).await
        };
        found.await.map_err(|_: StoreError| RateLimitStoreError)
    }

    async fn replace(
        &self,
        old: Option<&TokenBucket>,
        new: &TokenBucket,
    ) -> Result<bool, RateLimitStoreError> {
        let replaced = async {
            let mut db = self.pool.acquire().await?;
            rate_limits::replace(&mut db, &self.connection, self.vendor.as_str(), old, new).await
        };
        replaced.await.map_err(|_: StoreError| RateLimitStoreError)
    }
}

/// The token secret_store of a connection: a row of table `sealed_token`. Without a key to seal it under, the pair lives in this
/// process alone.
struct PgTokenStore {
    pool: PgPool,
    connection: String,
    clock: Arc<dyn Clock>,
    entropy: Arc<Entropy>,
    secret_store: Arc<SecretStore>,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct TokenPair {
    access_token: String,
    refresh_token: Option<String>,
    expires_at: Timestamp,
}

impl PgTokenStore {
    fn secret_name(&self) -> String {
        format!("token/{}", self.connection)
    }
}

#[async_trait]
impl TokenStore for PgTokenStore {
    async fn find(&self) -> Result<Option<Token>, TokenStoreError> {
        if !self.secret_store.has_key() {
            return Ok(None);
        }
        let found = async {
            let mut db = self.pool.acquire().await?;
            tokens::find(&mut db, &self.connection).await
        };
        let Some(sealed) = found.await.map_err(|_: StoreError| TokenStoreError)? else { return Ok(None) };
        // One that no key opens is as good as none: the password grant makes another.
        let token_pair = self.secret_store.open(&self.secret_name(), &sealed).ok();
        let token_pair: Option<TokenPair> = token_pair.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(token_pair.map(|TokenPair { access_token, refresh_token, expires_at }| Token {
            access_token,
            refresh_token,
            expires_at,
        }))
    }

    async fn save(&self, token: &Token) -> Result<(), TokenStoreError> {
        let Token { access_token, refresh_token, expires_at } = token.clone();
        let token_pair = serde_json::to_vec(&TokenPair { access_token, refresh_token, expires_at })
            .map_err(|_| TokenStoreError)?;
        let Some(sealed) = self.secret_store.seal(&self.secret_name(), &token_pair, &self.entropy) else {
            return Ok(());
        };
        let kept = async {
            let mut db = self.pool.acquire().await?;
            tokens::upsert(&mut db, &self.connection, &sealed, self.clock.now()).await
        };
        kept.await.map_err(|_: StoreError| TokenStoreError)
    }
}
