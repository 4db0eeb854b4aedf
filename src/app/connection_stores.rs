//! What the clients of a connection keep in the database, shared by all replicas: the state of a rate limit, and tokens.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::{
    domain::{Timestamp, rate_limit::SharedLimit, vendor::Vendor},
    runtime::clock::{Clock, Entropy},
    security::secrets::SecretStore,
    store::{StoreError, rate_limits, tokens},
    vendors::{
        http::rate_limiter::{RateLimitStore, RateLimitStoreError},
        ogoship::auth::{Token, TokenStore, TokenStoreError},
    },
};

/// The state of a rate limit: a row of the table `rate_limit`.
#[derive(Debug)]
pub(super) struct PgRateLimitStore {
    pub(super) pool: PgPool,
    pub(super) connection: String,
    pub(super) vendor: Vendor,
}

#[async_trait]
impl RateLimitStore for PgRateLimitStore {
    async fn read(&self) -> Result<Option<SharedLimit>, RateLimitStoreError> {
        let found = async {
            let mut db = self.pool.acquire().await?;
            rate_limits::find(&mut db, &self.connection, self.vendor.as_str()).await
        };
        found.await.map_err(|_: StoreError| RateLimitStoreError)
    }

    async fn replace(&self, old: Option<i64>, new: &SharedLimit) -> Result<bool, RateLimitStoreError> {
        let replaced = async {
            let mut db = self.pool.acquire().await?;
            rate_limits::replace(&mut db, &self.connection, self.vendor.as_str(), old, new).await
        };
        replaced.await.map_err(|_: StoreError| RateLimitStoreError)
    }
}

/// The tokens of a connection: a row of the table `sealed_token`. Without a key to encrypt them, tokens stay in this
/// process.
pub(super) struct PgTokenStore {
    pub(super) pool: PgPool,
    pub(super) connection: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<Entropy>,
    pub(super) secret_store: Arc<SecretStore>,
}

/// What is encrypted.
#[derive(Serialize, Deserialize)]
struct TokenPair {
    access_token: String,
    refresh_token: Option<String>,
    renew_at: Timestamp,
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
        // A token that no key decrypts counts as missing: the password grant makes another.
        let token_pair = self.secret_store.open(&self.secret_name(), &sealed).ok();
        let token_pair: Option<TokenPair> = token_pair.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(token_pair.map(|TokenPair { access_token, refresh_token, renew_at }| Token {
            access_token,
            refresh_token,
            renew_at,
        }))
    }

    async fn save(&self, token: &Token) -> Result<(), TokenStoreError> {
        let Token { access_token, refresh_token, renew_at } = token.clone();
        let token_pair = serde_json::to_vec(&TokenPair { access_token, refresh_token, renew_at })
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
