//! From a configured connection to its two systems, its rules, and the rows in which they keep tokens and budgets.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use super::config::{self, Secret};
use crate::{
    domain::{Timestamp, rate_limit::Standing, vendor::System},
    flows::Tied,
    inbox::{self, poll::poller},
    runtime::clock::{Clock, Entropy},
    security::{
        secrets::Vault,
        signature::{Encoding, Scheme},
    },
    store::{StoreError, rate_limits, tokens},
    vendors::{
        http::{
            client::Http,
            rate_limiter::{BookAway, Budget, BudgetBook},
        },
        mycashflow::{self, MyCashflow},
        ogoship::{
            self, Ogoship,
            auth::{Credentials, Token, TokenVault, VaultAway},
        },
    },
};

/// A configured connection, ready to be worked for.
pub(super) fn tie(
    connection: &config::Connection,
    client: &reqwest::Client,
    (pool, vault): (&PgPool, &Arc<Vault>),
    (clock, entropy): (&Arc<dyn Clock>, &Arc<Entropy>),
    look_again: Duration,
) -> Tied {
    let config::Connection {
        name,
        mycashflow,
        ogoship,
        orders,
        cash_on_delivery,
        products,
        stock,
        sweeps: _,
        compare: _,
        topics: _,
    } = connection;
    let budget = |system, rate| {
        let book = StoredBudget { pool: pool.clone(), connection: name.clone(), system };
        Arc::new(Budget::new(rate, clock.clone(), Arc::new(book)))
    };
    let to_shop = Http::new(
        client.clone(),
        System::MyCashflow,
        &mycashflow.url,
        budget(System::MyCashflow, mycashflow.requests_per_second),
    )
    .masked(&orders.mask);
    let account = mycashflow::Account {
        user: mycashflow.user.clone(),
        api_key: mycashflow.api_key.expose().to_owned(),
        orders_api: mycashflow.orders_api.clone(),
        cash_on_delivery: cash_on_delivery.clone(),
        reads_suppliers: !products.suppliers.is_empty(),
        reads_pictures: products.picture_url.is_some(),
    };
    let to_warehouse = budget(System::Ogoship, ogoship.requests_per_second);
    let to_warehouse =
        Http::new(client.clone(), System::Ogoship, &ogoship.url, to_warehouse).masked(&orders.mask);
    let credentials = match &ogoship.api_key {
        Some(key) => Credentials::ApiKey(key.expose().to_owned()),
        None => Credentials::OAuth(ogoship::auth::Account {
            merchant_id: ogoship.merchant_id.clone(),
            secret_token: ogoship.secret_token.expose().to_owned(),
            client_id: ogoship.client_id.clone(),
            client_secret: ogoship.client_secret.expose().to_owned(),
        }),
    };
    let vault = Arc::new(SealedTokens {
        pool: pool.clone(),
        connection: name.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        vault: vault.clone(),
    });
    Tied {
        name: name.clone(),
        shop: MyCashflow::new(to_shop, account),
        warehouse: Ogoship::new(to_warehouse, &ogoship.auth_url, credentials, vault, clock.clone()),
        orders: orders.clone(),
        stock: stock.clone(),
        products: products.clone(),
        look_again,
    }
}

/// How a configured connection's lists are swept.
pub(super) fn swept(connection: &config::Connection, tied: &Tied) -> poller::SweptConnection {
    poller::SweptConnection {
        connection: tied.name.clone(),
        shop: tied.shop.clone(),
        warehouse: tied.warehouse.clone(),
        reference_prefix: tied.orders.reference_prefix.clone(),
        intervals: connection.sweeps,
    }
}

/// How a configured connection's webhooks are let in.
pub(super) fn door(connection: &config::Connection) -> inbox::Door {
    let exposed = |secrets: &[Secret]| secrets.iter().map(|secret| secret.expose().to_owned()).collect();
    let scheme = |(header, secrets, encoding): &(String, Vec<Secret>, Encoding)| Scheme {
        header: header.clone(),
        encoding: *encoding,
        secrets: exposed(secrets),
    };
    inbox::Door {
        connection: connection.name.clone(),
        webhook_token: connection.mycashflow.webhook_token.expose().to_owned(),
        mycashflow: connection.mycashflow.signature.as_ref().map(scheme),
        ogoship: Scheme {
            header: ogoship::webhook::SIGNATURE_HEADER.to_owned(),
            encoding: Encoding::Base64,
            secrets: exposed(&connection.ogoship.webhook_keys),
        },
        reference_prefix: connection.orders.reference_prefix.clone(),
    }
}

/// The book of a budget: a row of table `rate_budget`.
#[derive(Debug)]
struct StoredBudget {
    pool: PgPool,
    connection: String,
    system: System,
}

#[async_trait]
impl BudgetBook for StoredBudget {
    async fn read(&self) -> Result<Option<Standing>, BookAway> {
        let found = async {
            let mut db = self.pool.acquire().await?;
            rate_limits::find(&mut db, &self.connection, self.system.as_str()).await
        };
        found.await.map_err(|_: StoreError| BookAway)
    }

    async fn replace(&self, old: Option<&Standing>, new: &Standing) -> Result<bool, BookAway> {
        let replaced = async {
            let mut db = self.pool.acquire().await?;
            rate_limits::replace(&mut db, &self.connection, self.system.as_str(), old, new).await
        };
        replaced.await.map_err(|_: StoreError| BookAway)
    }
}

/// The token vault of a connection: a row of table `sealed_token`. Without a key to seal it under, the pair lives in this
/// process alone.
struct SealedTokens {
    pool: PgPool,
    connection: String,
    clock: Arc<dyn Clock>,
    entropy: Arc<Entropy>,
    vault: Arc<Vault>,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Pair {
    access_token: String,
    refresh_token: Option<String>,
    expires_at: Timestamp,
}

impl SealedTokens {
    fn place(&self) -> String {
        format!("token/{}", self.connection)
    }
}

#[async_trait]
impl TokenVault for SealedTokens {
    async fn find(&self) -> Result<Option<Token>, VaultAway> {
        if !self.vault.keeps() {
            return Ok(None);
        }
        let found = async {
            let mut db = self.pool.acquire().await?;
            tokens::find(&mut db, &self.connection).await
        };
        let Some(sealed) = found.await.map_err(|_: StoreError| VaultAway)? else { return Ok(None) };
        // One that no key opens is as good as none: the password grant makes another.
        let pair = self.vault.open(&self.place(), &sealed).ok();
        let pair: Option<Pair> = pair.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(pair.map(|Pair { access_token, refresh_token, expires_at }| Token {
            access_token,
            refresh_token,
            expires_at,
        }))
    }

    async fn keep(&self, token: &Token) -> Result<(), VaultAway> {
        let Token { access_token, refresh_token, expires_at } = token.clone();
        let pair =
            serde_json::to_vec(&Pair { access_token, refresh_token, expires_at }).map_err(|_| VaultAway)?;
        let Some(sealed) = self.vault.seal(&self.place(), &pair, &self.entropy) else { return Ok(()) };
        let kept = async {
            let mut db = self.pool.acquire().await?;
            tokens::keep(&mut db, &self.connection, &sealed, self.clock.now()).await
        };
        kept.await.map_err(|_: StoreError| VaultAway)
    }
}
