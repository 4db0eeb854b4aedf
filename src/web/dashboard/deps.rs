//! What the pages need.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono_tz::Tz;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::live_counts::LiveCounts;
use crate::{
    actions::{ConfiguredRules, DryRun, NotBefore, OrderFinder, WorkRunner},
    domain::{
        product::ExtraRow, setting::Settings, stock::Basis, sync_schedule::SyncSchedule,
        vendor_pages::VendorPages,
    },
    runtime::clock::{Clock, Entropy},
    security::{admin_token::Token, auth_throttle::AuthThrottle, key_usage::KeyUsage},
};

/// The dependencies of the dashboard.
pub struct DashboardDeps {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and secrets.
    pub entropy: Arc<Entropy>,
    /// The configured admin tokens.
    pub tokens: Vec<Token>,
    /// Decides and shows, without changing anything.
    pub dry_runner: Arc<dyn DryRun>,
    /// Asks the vendors whether an order exists.
    pub order_finder: Arc<dyn OrderFinder>,
    /// Tests connections and registers their webhooks.
    pub work: Arc<dyn WorkRunner>,
    /// How often each connection is synced.
    pub schedules: HashMap<String, SyncSchedule>,
    /// Before which day the orders of each connection are history.
    pub not_before: NotBefore,
    /// The configured shipping rules of each connection.
    pub rules: ConfiguredRules,
    /// How long what is sent by hand can be taken back, by connection.
    pub undo: HashMap<String, Duration>,
    /// The vendors' own pages, by connection.
    pub addresses: HashMap<String, VendorPages>,
    /// The merchant's extra data of products, by connection.
    pub extra: HashMap<String, Vec<ExtraRow>>,
    /// The settings in effect.
    pub settings: Arc<Settings>,
    /// Which of the warehouse's figures the shop of each connection shows.
    pub stock_bases: HashMap<String, Basis>,
    /// The shop's time zone, in which times are shown.
    pub time_zone: Tz,
    /// True if the public URL is https: the session cookie is then `Secure`.
    pub is_secure: bool,
    /// The configured calls a second of each connection: to the shop and to the warehouse.
    pub rates: Vec<(String, [f64; 2])>,
    /// Counts wrong admin tokens, together with the API.
    pub throttle: Arc<AuthThrottle>,
    /// The number of trusted proxies, whose `X-Forwarded-For` entries are used.
    pub proxies: usize,
    /// The counts that open streams share.
    pub counts: LiveCounts,
    /// Cancelled at shutdown: open streams then end.
    pub closing: CancellationToken,
    /// Records the use of tokens.
    pub key_usage: Arc<KeyUsage>,
}

impl DashboardDeps {
    /// How long what is sent by hand for an order of a connection can be taken back.
    pub(super) fn undo_of(&self, connection: &str) -> Duration {
        self.undo.get(connection).copied().unwrap_or_default()
    }
}

/// The state of the handlers.
pub(super) type DashboardState = Arc<DashboardDeps>;
