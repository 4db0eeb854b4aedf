//! The counts that pages show live, read once for all streams of the process.

use std::time::Duration;

use serde_json::json;
use sqlx::{PgConnection, PgPool};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    domain::Timestamp,
    explain::Audience,
    store::{
        self,
        views::{attention, braked, orders, overview, waiting_syncs},
    },
};

/// The counts as JSON, as each audience sees them.
#[derive(Clone)]
struct Counts {
    operators: String,
    viewers: String,
}

impl Counts {
    fn of(&self, audience: Audience) -> String {
        match audience {
            Audience::Operator => self.operators.clone(),
            Audience::Viewer => self.viewers.clone(),
        }
    }
}

/// A shared, cached reading of the counts.
#[derive(Default)]
pub struct LiveCounts(Mutex<Option<(Instant, Counts)>>);

impl LiveCounts {
    /// The counts as JSON, at most `max_age` old. However many streams ask, the database is read once.
    pub(super) async fn get(
        &self,
        pool: &PgPool,
        audience: Audience,
        (now, max_age): (Timestamp, Duration),
    ) -> store::Result<String> {
        let mut cached = self.0.lock().await;
        match &*cached {
            Some((at, counts)) if at.elapsed() < max_age => Ok(counts.of(audience)),
            _ => {
                let counts = read(pool, now).await?;
                let shown = counts.of(audience);
                *cached = Some((Instant::now(), counts));
                Ok(shown)
            }
        }
    }
}

async fn read(pool: &PgPool, now: Timestamp) -> store::Result<Counts> {
    let mut db = pool.acquire().await?;
    // What a person decides, as the page of what needs attention lists it.
    let causes = attention::list_causes(&mut db).await?;
    let others = braked::list_brakes(&mut db).await?.len() + waiting_syncs::list(&mut db).await?.len();
    let operators = causes.len() + others;
    // For viewers, causes that differ only in what is left out are one.
    let viewers = Audience::Viewer.causes(causes).len() + others;
    let backlog = overview::backlog(&mut db, now).await?;
    let open: i64 = backlog.iter().map(|backlog| backlog.open).sum();
    let due: i64 = backlog.iter().map(|backlog| backlog.due).sum();
    let orders = count_orders(&mut db).await?;
    let of =
        |attention| json!({ "attention": attention, "open": open, "due": due, "orders": orders }).to_string();
    Ok(Counts { operators: of(operators), viewers: of(viewers) })
}

/// Counts all orders: an open list of them says how many have come since.
async fn count_orders(db: &mut PgConnection) -> store::Result<i64> {
    Ok(orders::count_by_status(db, None).await?.into_iter().map(|(_, count)| count).sum())
}
