//! What the admin API needs.

use std::sync::Arc;

use sqlx::{PgPool, Postgres, pool::PoolConnection};

use crate::{
    actions::{ConfiguredRules, DryRun, NotBefore, OrderFinder},
    runtime::clock::{Clock, Entropy},
    security::{admin_token::Token, auth_throttle::AuthThrottle, key_usage::KeyUsage},
    store::StoreError,
    web::problem::Problem,
};

/// The dependencies of the admin API.
pub struct ApiDeps {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub entropy: Arc<Entropy>,
    /// The configured admin tokens.
    pub tokens: Vec<Token>,
    /// Decides and shows, without changing anything.
    pub dry_runner: Arc<dyn DryRun>,
    /// Asks the vendors whether an order exists.
    pub order_finder: Arc<dyn OrderFinder>,
    /// Before which day the orders of each connection are history.
    pub not_before: NotBefore,
    /// The configured shipping rules of each connection.
    pub rules: ConfiguredRules,
    /// Records the use of tokens.
    pub key_usage: Arc<KeyUsage>,
    /// Counts wrong admin tokens, together with the dashboard.
    pub throttle: Arc<AuthThrottle>,
    /// The number of trusted proxies, whose `X-Forwarded-For` entries are used.
    pub proxies: usize,
}

/// The state of the handlers.
pub(super) type ApiState = Arc<ApiDeps>;

impl ApiDeps {
    /// A connection to the database.
    pub(super) async fn db(&self) -> Result<PoolConnection<Postgres>, Problem> {
        Ok(self.pool.acquire().await.map_err(StoreError::from)?)
    }
}
