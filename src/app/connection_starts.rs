//! Finds out when each connection began by the shop's clock: the shop's time in its first answer, less the time that has
//! passed since the connection was configured.
//!
//! The process that configured it measures that time with a clock that cannot be set. Where another process gets the first
//! answer (a replica, or one that was started later), the database's clock says how much has passed: it is one clock
//! for all of them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use sqlx::{PgConnection, PgPool};

use crate::{
    domain::Timestamp,
    runtime::clock::Clock,
    store::{
        self, StoreError,
        connection_starts::{self, Since},
    },
    vendors::http::connection_start::{StartStore, StartStoreError},
};

/// When connections began.
#[derive(Debug)]
pub(super) struct ConnectionStarts {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    /// The connections that this process was the first to configure, and when, by its monotonic time.
    begun: Mutex<HashMap<String, Duration>>,
}

impl ConnectionStarts {
    pub(super) fn new(pool: PgPool, clock: Arc<dyn Clock>) -> Self {
        Self { pool, clock, begun: Mutex::default() }
    }

    /// Records the connections that have just been configured.
    pub(super) async fn begin(&self, db: &mut PgConnection, names: &[String]) -> store::Result<()> {
        let monotonic = self.clock.monotonic();
        let now = self.database_time(db).await?;
        let begun = connection_starts::begin(db, names, now).await?;
        self.begun.lock().extend(begun.into_iter().map(|name| (name, monotonic)));
        Ok(())
    }

    /// The database's time, as our clock shows it.
    async fn database_time(&self, db: &mut PgConnection) -> store::Result<Timestamp> {
        let shown = connection_starts::database_time(db).await?;
        Ok(self.clock.now() - self.clock.ahead_of(shown))
    }

    async fn record(&self, connection: &str, date: Timestamp) -> store::Result<Option<Timestamp>> {
        let mut db = self.pool.acquire().await?;
        let begun = self.begun.lock().get(connection).copied();
        let since = match begun {
            Some(begun) => Since::Begin(self.clock.monotonic().saturating_sub(begun)),
            None => Since::DatabaseTime(self.database_time(&mut db).await?),
        };
        connection_starts::record_shop_date(&mut db, connection, date, since).await
    }
}

#[async_trait]
impl StartStore for ConnectionStarts {
    async fn record_date(
        &self,
        connection: &str,
        date: Timestamp,
    ) -> Result<Option<Timestamp>, StartStoreError> {
        self.record(connection, date).await.map_err(|_: StoreError| StartStoreError)
    }
}
