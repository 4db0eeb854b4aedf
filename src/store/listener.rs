//! PostgreSQL NOTIFY, as a hint to look now instead of at the next interval.

use futures_util::FutureExt as _;
use sqlx::{PgPool, postgres::PgListener};

/// The channel that wakes the workers when a task has been committed.
pub const DUE_CHANNEL: &str = "silta_due";

/// The channel that wakes the syncer when a sync has been requested or approved.
pub const SYNC_REQUESTED_CHANNEL: &str = "silta_sync_requested";

/// Listens to one channel. It closes when the database goes away and reopens at the next
/// [`ensure_open`](Self::ensure_open), so callers also look at an interval.
#[derive(Debug)]
pub struct NotifyListener {
    pool: PgPool,
    channel: &'static str,
    listener: Option<PgListener>,
}

impl NotifyListener {
    /// A closed listener.
    pub const fn new(pool: PgPool, channel: &'static str) -> Self {
        Self { pool, channel, listener: None }
    }

    /// Opens the listener if it is closed; false if that failed. Call it *before* querying: a notification
    /// between the query and the wait is then not missed. Earlier notifications are dropped, since the query
    /// answers them.
    pub async fn ensure_open(&mut self) -> bool {
        self.drain();
        if self.listener.is_none() {
            self.listener = self.listen().await.ok();
        }
        self.listener.is_some()
    }

    /// Reads all pending notifications. PostgreSQL sends them in a transaction of the listener's backend. If
    /// they are not read, that transaction waits for space in the socket and keeps its snapshot: vacuum then
    /// removes nothing, and every claim scans the dead rows.
    fn drain(&mut self) {
        while let Some(listener) = &mut self.listener
            && let Some(notification) = listener.recv().now_or_never()
        {
            if notification.is_err() {
                self.close();
            }
        }
    }

    async fn listen(&self) -> sqlx::Result<PgListener> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(self.channel).await?;
        Ok(listener)
    }

    /// Closes the listener. Call it when the database is unavailable.
    pub fn close(&mut self) {
        self.listener = None;
    }

    /// Returns on a notification or when the listener fails; a closed listener never returns.
    pub async fn wait_for_notification(&mut self) {
        let notification = match self.listener.as_mut() {
            Some(listener) => listener.recv().await,
            None => std::future::pending().await,
        };
        if notification.is_err() {
            self.close();
        }
    }
}
