//! The counts that pages show live, read once for all streams of the process.

use std::time::Duration;

use serde_json::json;
use sqlx::{PgConnection, PgPool};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    domain::Timestamp,
    store::{
        self,
        views::{attention, braked, overview, waiting_syncs},
    },
};

/// A shared, cached reading of the counts.
#[derive(Default)]
pub struct LiveCounts(Mutex<Option<(Instant, String)>>);

impl LiveCounts {
    /// The counts as JSON, at most `max_age` old. However many streams ask, the database is read once.
    pub(super) async fn get(
        &self,
        pool: &PgPool,
        now: Timestamp,
        max_age: Duration,
    ) -> store::Result<String> {
        let mut cached = self.0.lock().await;
        match &*cached {
            Some((at, counts)) if at.elapsed() < max_age => Ok(counts.clone()),
            _ => {
                let counts = read(pool, now).await?;
                *cached = Some((Instant::now(), counts.clone()));
                Ok(counts)
            }
        }
    }
}

async fn read(pool: &PgPool, now: Timestamp) -> store::Result<String> {
    let mut db = pool.acquire().await?;
    let attention = count_decisions(&mut db).await?;
    let backlog = overview::backlog(&mut db, now).await?;
    let open: i64 = backlog.iter().map(|backlog| backlog.open).sum();
    let due: i64 = backlog.iter().map(|backlog| backlog.due).sum();
    Ok(json!({ "attention": attention, "open": open, "due": due }).to_string())
}

/// Counts what a person decides, as the page of what needs attention lists it for operators.
async fn count_decisions(db: &mut PgConnection) -> store::Result<usize> {
    let causes = attention::list_causes(db).await?.len();
    let brakes = braked::list_brakes(db).await?.len();
    Ok(causes + brakes + waiting_syncs::list(db).await?.len())
}
