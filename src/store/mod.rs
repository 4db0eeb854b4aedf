//! All SQL, and nothing else: one file per table, or per thing that is done to one, free functions whose caller owns the
//! transaction.
//!
//! House rules: verbs by intent (`find`, `claim_due`, `settle`), never `update`; "not found" is `None`; a state change
//! names the state it expects and answers what it found; time and ids are parameters, so there is one clock; a
//! conflict is known by its constraint's name, never by a message's text.

pub mod alerts;
pub mod attempts;
pub mod audit;
pub mod batch;
pub mod chaos;
pub mod claim;
pub mod connections;
pub mod events;
pub mod group_commit;
pub mod idempotency;
pub mod ingest;
pub mod intents;
pub mod items;
mod listener;
pub mod notifications;
pub mod observations;
pub mod order_rate;
pub mod polls;
pub mod rate_limits;
pub mod replays;
pub mod replicas;
pub mod retention;
pub mod sessions;
pub mod settle;
pub mod shipping_rules;
pub mod stock;
pub mod subject_states;
pub mod subscriptions;
pub mod sync_differences;
pub mod sync_runs;
pub mod sync_snapshots;
pub mod syncs;
pub mod tasks;
pub mod tokens;
pub mod views;
pub mod webhook_checks;

use std::time::Duration;

pub use listener::NotifyListener;

use sqlx::{
    PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// The schema, compiled in.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The channel on which a committed task wakes the workers.
pub const DUE_CHANNEL: &str = "silta_due";

/// The channel on which a sync that somebody asked for, or approved, wakes who runs it.
pub const SYNC_REQUESTED_CHANNEL: &str = "silta_sync_requested";

/// What can go wrong between us and PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// PostgreSQL cannot be reached, is shutting down, or has no connection free for us.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// PostgreSQL refused a statement.
    #[error("the database refused a statement")]
    Rejected(#[source] sqlx::Error),
    /// A row that the domain refuses: somebody wrote it past us, or a newer Silta did.
    #[error("table {table} holds a value in {column} that this version does not know")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

impl StoreError {
    /// Did a connection that the pool believed in turn out to be broken? A pool that is closed, or has none free, is
    /// another matter: a new connection would only add to the load.
    pub const fn is_broken_connection(&self) -> bool {
        match self {
            Self::Unavailable(error) => !matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed),
            Self::Rejected(_) | Self::Inconsistent { .. } => false,
        }
    }
}

impl StoreError {
    /// Is it a text that PostgreSQL cannot hold (22021: a zero byte)? Then nothing of that name can be there.
    pub fn is_unstorable_text(&self) -> bool {
        match self {
            Self::Rejected(sqlx::Error::Database(error)) => error.code().is_some_and(|code| code == "22021"),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let away = match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => true,
            // Classes 08 (connection), 40 (a deadlock: the same may pass at once), 53 (resources), 57 (operator
            // intervention) and 58 (vendor error); 25006 is a server that has become a read-only standby. PostgreSQL
            // documentation, appendix A.
            sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class)) || code == "25006"
            }),
            _ => false,
        };
        if away { Self::Unavailable(error) } else { Self::Rejected(error) }
    }
}

/// What every verb of the store answers.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A pool of `size` connections, opened as they are needed.
pub fn connect(options: PgConnectOptions, size: u32) -> PgPool {
    pool_options(size).connect_lazy_with(options)
}

fn pool_options(size: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(Duration::from_secs(3)) // a webhook's sender waits: tell it 503 while it still listens
        .test_before_acquire(false) // a ping per use would double every round trip; a dead connection shows as Unavailable
}

/// How statements are planned that run thousands of times a second: each once, and by its index.
///
/// By itself PostgreSQL would plan them anew every time, since it takes a plan for a known number of array elements for
/// the better one; and that costs more than running it. A plan that is made once may have been made for the empty table
/// of the first minute: so those that read whole tables, or sort what an index has in order, are out of the question,
/// and none is older than a minute (PostgreSQL's own analysis of a table that grew makes them anew as well).
pub const HOT_PATH: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("jit", "off"),
];

/// A connection of the hot path, and with it its plans, lives so long.
const MAX_PLAN_AGE: Duration = Duration::from_secs(60);

/// As many connections more, for webhooks and attempts: see [`HOT_PATH`]. Lists, whose plan must know the filter, stay
/// with the others.
pub fn hot_path_pool(pool: &PgPool) -> PgPool {
    let options = (*pool.connect_options()).clone().options(HOT_PATH);
    pool_options(pool.options().get_max_connections()).max_lifetime(MAX_PLAN_AGE).connect_lazy_with(options)
}

/// Brings the schema up to this version. One that is newer already stays as it is: while a new version is rolled out,
/// this one may be started beside it, and what migrations add is in nobody's way.
pub async fn migrate(pool: &PgPool) -> std::result::Result<(), sqlx::migrate::MigrateError> {
    let mut migrator = Migrator::with_migrations(MIGRATOR.iter().cloned().collect());
    migrator.set_ignore_missing(true).run(pool).await
}

/// Is the database there, and is its schema ours?
pub async fn is_ready(pool: &PgPool) -> Result<bool> {
    let applied = sqlx::query_scalar!(
        r#"select exists (select 1 from _sqlx_migrations where version = $1 and success) as "applied!""#,
        MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or_default(),
    );
    Ok(applied.fetch_one(pool).await?)
}

/// Which rows a list shows, newest first; every field left out means "any".
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Only rows older than this one.
    pub before: Option<uuid::Uuid>,
    /// How many at most.
    pub limit: i64,
}
