//! Keeps what pages and gauges count: folds what writers append, writes down the calls to the vendors, and compares the counts
//! with the rows once an hour.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::call_figures::CallFigures,
    store::{self, counts, hours, superseded},
};

/// The time between two rounds. Counts are exact in between too; it bounds what a reader has to add up.
const INTERVAL: Duration = Duration::from_secs(20);

/// Rounds from one comparison with the rows to the next: an hour.
const ROUNDS_BETWEEN_CHECKS: u32 = 180;

/// Keeps the counts.
#[derive(Clone)]
pub struct CountKeeper {
    pool: PgPool,
    figures: CallFigures,
}

impl CountKeeper {
    /// Creates a keeper that does nothing until it is run.
    pub const fn new(pool: PgPool, figures: CallFigures) -> Self {
        Self { pool, figures }
    }

    /// Runs a round every few seconds, and a check at the start and every hour, until `soft` is cancelled.
    pub async fn run(&self, soft: CancellationToken) {
        let mut rounds = 0;
        while !soft.is_cancelled() {
            if rounds % ROUNDS_BETWEEN_CHECKS == 0
                && let Err(error) = self.check().await
            {
                tracing::warn!(error = %error, "counts not compared with the rows, retrying in an hour");
            }
            rounds += 1;
            let _ = tokio::time::timeout(INTERVAL, soft.cancelled()).await;
            if let Err(error) = self.round().await {
                tracing::warn!(error = %error, "counts not folded, retrying");
            }
        }
    }

    /// Folds all changes and writes down the calls of this process.
    pub async fn round(&self) -> store::Result<()> {
        let mut db = self.pool.acquire().await?;
        if counts::has_changes(&mut db).await? {
            while counts::fold(&mut db).await? {}
        }
        let calls = self.figures.take();
        let written = hours::add_calls(&mut db, &calls).await;
        if written.is_err() {
            self.figures.put_back(&calls);
        }
        written
    }

    /// Compares the counts with the rows, corrects them, and marks tasks that are history.
    pub async fn check(&self) -> store::Result<()> {
        let mut db = self.pool.acquire().await?;
        for counts::Correction { connection, what, change } in counts::recount(&mut db).await? {
            tracing::warn!(connection, what, change, "a count differed from the rows and was corrected");
        }
        superseded::mark(&mut db).await?;
        Ok(())
    }
}
