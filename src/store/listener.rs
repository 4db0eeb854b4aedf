//! Being told of revision, instead of asking for them again and again.

use futures_util::FutureExt as _;
use sqlx::{PgPool, postgres::PgListener};

/// Listens to one of our channels. It goes deaf when the database goes away, and hears again after the next
/// [`opens`](Self::ensure_open): whoever waits by it keeps a poll behind it.
#[derive(Debug)]
pub struct NotifyListener {
    pool: PgPool,
    channel: &'static str,
    listener: Option<PgListener>,
}

impl NotifyListener {
    /// An ear still closed.
    pub const fn new(pool: PgPool, channel: &'static str) -> Self {
        Self { pool, channel, listener: None }
    }

    /// Opens it where it is closed; answers whether it hears. Called before what is waited for is looked at: news
    /// between the look and the wait is not slept over, and what was told before is let go, since the look answers it.
    pub async fn ensure_open(&mut self) -> bool {
        self.drain();
        if self.listener.is_none() {
            self.listener = self.listen().await.ok();
        }
        self.listener.is_some()
    }

    /// Reads all that has come. PostgreSQL tells a listener in a transaction of its own: where it is told more than it
    /// reads, that transaction waits for room in the socket and holds its snapshot, no vacuum removes what died since,
    /// and every look for what is due wades through it.
    fn drain(&mut self) {
        while let Some(listener) = &mut self.listener
            && let Some(told) = listener.recv().now_or_never()
        {
            if told.is_err() {
                self.close();
            }
        }
    }

    async fn listen(&self) -> sqlx::Result<PgListener> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(self.channel).await?;
        Ok(listener)
    }

    /// Closes it: the database was found away.
    pub fn close(&mut self) {
        self.listener = None;
    }

    /// Returns when something is told, or when it goes deaf; a closed one hears nothing.
    pub async fn wait_for_notification(&mut self) {
        let heard = match self.listener.as_mut() {
            Some(listener) => listener.recv().await,
            None => std::future::pending().await,
        };
        if heard.is_err() {
            self.close();
        }
    }
}
