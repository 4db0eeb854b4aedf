//! PostgreSQL NOTIFY, as a hint to look now instead of at the next interval.

use std::collections::BTreeSet;

use futures_util::FutureExt as _;
use sqlx::{
    PgPool,
    postgres::{PgListener, PgNotification},
};

/// The channel that wakes the workers when a task has been committed. Its notifications name the connection.
pub const DUE_CHANNEL: &str = "silta_due";

/// The channel that wakes the syncer when a sync has been requested or approved.
pub const SYNC_REQUESTED_CHANNEL: &str = "silta_sync_requested";

/// What is kept of unread notifications; where there are more, some count as missed.
const MAX_PAYLOADS: usize = 10_000;

/// Listens to one channel. It closes when the database goes away and reopens at the next
/// [`ensure_open`](Self::ensure_open), so callers also look at an interval.
#[derive(Debug)]
pub struct NotifyListener {
    pool: PgPool,
    channel: &'static str,
    listener: Option<PgListener>,
    heard: Heard,
}

/// What a listener has heard.
#[derive(Debug, Default)]
pub struct Heard {
    /// What the notifications said, each once.
    pub payloads: BTreeSet<String>,
    /// True where notifications may have been missed, as while the listener was closed.
    pub has_gap: bool,
}

impl Heard {
    fn add(&mut self, payload: &str) {
        if self.payloads.len() < MAX_PAYLOADS {
            self.payloads.insert(payload.to_owned());
        } else {
            self.has_gap = true;
        }
    }
}

impl NotifyListener {
    /// A closed listener.
    pub const fn new(pool: PgPool, channel: &'static str) -> Self {
        let heard = Heard { payloads: BTreeSet::new(), has_gap: false };
        Self { pool, channel, listener: None, heard }
    }

    /// Opens the listener if it is closed; false if that failed. Call it *before* querying: a notification
    /// between the query and the wait is then not missed.
    pub async fn ensure_open(&mut self) -> bool {
        self.drain();
        if self.listener.is_none() {
            self.listener = self.listen().await.ok();
            self.heard.has_gap = true;
        }
        self.listener.is_some()
    }

    /// What was heard since this was asked the last time.
    pub fn take_heard(&mut self) -> Heard {
        std::mem::take(&mut self.heard)
    }

    /// Reads all pending notifications. PostgreSQL sends them in a transaction of the listener's backend. If
    /// they are not read, that transaction waits for space in the socket and keeps its snapshot: vacuum then
    /// removes nothing, and every claim scans the dead rows.
    fn drain(&mut self) {
        while let Some(listener) = &mut self.listener
            && let Some(notification) = listener.recv().now_or_never()
        {
            self.keep(notification);
        }
    }

    fn keep(&mut self, notification: sqlx::Result<PgNotification>) {
        match notification {
            Ok(notification) => self.heard.add(notification.payload()),
            Err(_) => self.close(),
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
        self.keep(notification);
    }
}
