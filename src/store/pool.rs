//! Connection pools: one for everything, one with fixed plans for the hot path.

use std::time::Duration;

use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{Result, StoreError};

/// How long a caller waits for a connection.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// A commit that takes longer is on a connection that is dead without saying so. No caller may hang on it
/// indefinitely.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Lifetime of a connection of the hot path, and so of its plans.
const MAX_PLAN_AGE: Duration = Duration::from_secs(60);

/// Settings for statements that run thousands of times a second: each is planned once and uses its index.
///
/// By default PostgreSQL plans them anew on every call, since a plan for a known number of array elements
/// looks cheaper; planning then costs more than execution. A plan made once may stem from the empty table of
/// the first minute. So sequential and bitmap scans are off, and no plan is older than a minute (PostgreSQL's
/// own analysis of a table that grew invalidates plans as well).
pub const HOT_PATH: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("jit", "off"),
];

/// Settings for pages, lists and gauges: each reads little, and neither compiling a plan nor further processes pay. With
/// `max_parallel_workers` at 0 plans would still be made for processes that then never come.
const READING: [(&str, &str); 2] = [("jit", "off"), ("max_parallel_workers_per_gather", "0")];

/// A pool of up to `size` connections, opened on demand.
pub fn connect(options: PgConnectOptions, size: u32) -> PgPool {
    pool_options(size).connect_lazy_with(options.options(READING))
}

/// A second pool of the same size for webhooks and attempts, with the settings of [`HOT_PATH`]. Lists stay
/// with the first pool: their plan must know the filter.
pub fn hot_path_pool(pool: &PgPool) -> PgPool {
    let options = (*pool.connect_options()).clone().options(HOT_PATH);
    pool_options(pool.options().get_max_connections()).max_lifetime(MAX_PLAN_AGE).connect_lazy_with(options)
}

fn pool_options(size: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A ping per use would double every round trip; a dead connection shows as `Unavailable`.
        .test_before_acquire(false)
}

/// Runs `commit` on a pooled connection and fails with `Unavailable` if there is none within `acquire_within`, or after
/// `COMMIT_TIMEOUT`.
pub async fn with_commit_timeout<T>(
    pool: &PgPool,
    acquire_within: Duration,
    commit: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    let mut db = within(acquire_within, pool.acquire()).await??;
    if let Ok(committed) = tokio::time::timeout(COMMIT_TIMEOUT, commit(&mut db)).await {
        db.shrink_buffers(); // buffers of a batch with large bodies must not stay with every pooled connection
        return committed;
    }
    drop(db.detach()); // frees its place in the pool; a late answer is ignored
    Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut))
}

/// The same on a new connection outside the pool.
pub async fn with_new_connection<T>(
    pool: &PgPool,
    connect_within: Duration,
    commit: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    let options = pool.connect_options();
    let mut db = within(connect_within, PgConnection::connect_with(&options)).await??;
    let committed = within(COMMIT_TIMEOUT, commit(&mut db)).await?;
    let _ = within(connect_within, db.close()).await;
    committed
}

/// Fails with `Unavailable` after this time.
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T> {
    let done = tokio::time::timeout(limit, work).await;
    done.map_err(|_| StoreError::Unavailable(sqlx::Error::PoolTimedOut))
}
