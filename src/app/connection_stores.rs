//! What the clients of a connection keep in the database, shared by all replicas: the state of a rate limit, and tokens.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use super::rate_limit_writer::RateLimitWriter;
use crate::{
    domain::{Timestamp, rate_limit::SharedLimit, vendor::Vendor},
    runtime::{
        clock::{Clock, Entropy},
        database_clock::DatabaseClock,
    },
    security::secrets::SecretStore,
    store::{
        StoreError,
        rate_limits::{self, NewLimit},
        tokens,
    },
    vendors::{
        http::rate_limit_store::{RateLimitStore, RateLimitStoreError},
        ogoship::auth::{Token, TokenStore, TokenStoreError},
    },
};

/// The state of a rate limit: a row of the table `rate_limit`. Its times are the database's.
#[derive(Debug)]
pub(super) struct PgRateLimitStore {
    pub(super) pool: PgPool,
    pub(super) writer: RateLimitWriter,
    pub(super) connection: String,
    pub(super) vendor: Vendor,
    /// Compares the limiter's clock with the database's.
    pub(super) database_clock: DatabaseClock,
}

impl PgRateLimitStore {
    async fn find(&self) -> Result<Option<SharedLimit>, StoreError> {
        let mut db = self.pool.acquire().await?;
        let sent_at = self.database_clock.send();
        let stored = rate_limits::find(&mut db, &self.connection, self.vendor.as_str()).await?;
        self.database_clock.measure(sent_at, stored.read_at);
        let ahead = self.database_clock.ahead().unwrap_or_default();
        Ok(stored.limit.map(|limit| limit.shifted(ahead)))
    }
}

#[async_trait]
impl RateLimitStore for PgRateLimitStore {
    async fn read(&self) -> Result<Option<SharedLimit>, RateLimitStoreError> {
        self.find().await.map_err(|_: StoreError| RateLimitStoreError)
    }

    async fn replace(&self, new: &SharedLimit) -> Result<bool, RateLimitStoreError> {
        if self.database_clock.ahead().is_none() {
            self.read().await?; // nothing is measured yet
        }
        let ahead = self.database_clock.ahead().unwrap_or_default();
        let limit = new.clone().shifted(-ahead);
        let new = NewLimit { connection: self.connection.clone(), vendor: self.vendor, limit };
        let sent_at = self.database_clock.send();
        let written_at = self.writer.replace(new).await?;
        // Where our clock stood still or the database's was set, others cannot see what was just written.
        Ok(written_at.is_some_and(|at| self.database_clock.measure(sent_at, at)))
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
