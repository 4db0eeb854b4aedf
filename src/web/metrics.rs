//! `/metrics`: the counters of the process, and gauges read from the database at each scrape. Documented in
//! `docs/telemetry.md`.

use std::sync::atomic::AtomicU64;

use chrono::TimeDelta;
use prometheus_client::{
    encoding::{
        EncodeLabelSet,
        text::{encode_eof, encode_registry},
    },
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};
use sqlx::PgPool;

use crate::{
    domain::Timestamp,
    store::{
        self, connections, order_rate, polls,
        views::{overview, waiting},
    },
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectionLabels {
    connection: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListLabels {
    connection: String,
    list: String,
}

/// The gauges of one scrape.
#[derive(Default)]
struct Gauges {
    tasks_open: Family<ConnectionLabels, Gauge>,
    tasks_in_doubt: Family<ConnectionLabels, Gauge>,
    tasks_dead: Gauge,
    oldest_due_seconds: Family<ConnectionLabels, Gauge>,
    orders_missed: Family<ConnectionLabels, Gauge<f64, AtomicU64>>,
    circuit_open: Family<ConnectionLabels, Gauge>,
    stock_braked: Family<ConnectionLabels, Gauge>,
    orders_waiting_seconds: Family<ConnectionLabels, Gauge>,
    poll_age_seconds: Family<ListLabels, Gauge>,
    poll_gaps: Family<ListLabels, Gauge>,
}

/// All metrics in the `OpenMetrics` text format. Without a database the counters are still answered.
pub(super) async fn render(
    counters: &Registry,
    pool: &PgPool,
    now: Timestamp,
) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    encode_registry(&mut text, counters)?;
    if let Ok(gauges) = Gauges::read(pool, now).await {
        encode_registry(&mut text, &gauges.into_registry())?;
    }
    encode_eof(&mut text)?;
    Ok(text)
}

impl Gauges {
    async fn read(pool: &PgPool, now: Timestamp) -> store::Result<Self> {
        let gauges = Self::default();
        let mut db = pool.acquire().await?;
        for backlog in overview::backlog(&mut db, now).await? {
            let labels = ConnectionLabels { connection: backlog.connection };
            gauges.tasks_open.get_or_create(&labels).set(backlog.open);
            gauges.tasks_in_doubt.get_or_create(&labels).set(backlog.in_doubt);
            let oldest = backlog.oldest_due_at.map_or(0, |due| seconds(now - due));
            gauges.oldest_due_seconds.get_or_create(&labels).set(oldest);
        }
        gauges.tasks_dead.set(overview::count_dead(&mut db).await?);
        let rows = connections::list(&mut db).await?;
        let rates = order_rate::read_all(&mut db, &rows, now).await?;
        let waiting = waiting::list_oldest(&mut db).await?;
        for row in rows {
            let labels = ConnectionLabels { connection: row.name };
            let is_open = row.circuit_open_until.is_some() || row.writes_held_back.is_some();
            gauges.circuit_open.get_or_create(&labels).set(is_open.into());
            gauges.stock_braked.get_or_create(&labels).set(row.braked_at.is_some().into());
            let missed = rates.get(&labels.connection).map_or(0.0, |rate| rate.expected);
            gauges.orders_missed.get_or_create(&labels).set(missed);
            let waited = waiting.get(&labels.connection).map_or(0, |since| seconds(now - *since));
            gauges.orders_waiting_seconds.get_or_create(&labels).set(waited);
        }
        for poll in polls::list_ages(&mut db).await? {
            let labels = ListLabels { connection: poll.connection, list: poll.what };
            gauges.poll_age_seconds.get_or_create(&labels).set(seconds(now - poll.read_at));
            gauges.poll_gaps.get_or_create(&labels).set(poll.gaps);
        }
        Ok(gauges)
    }

    fn into_registry(self) -> Registry {
        let mut registry = Registry::default();
        registry.register("silta_tasks_open", "Open tasks", self.tasks_open);
        registry.register("silta_tasks_in_doubt", "Open tasks in doubt", self.tasks_in_doubt);
        registry.register("silta_tasks_dead", "Dead tasks that need attention", self.tasks_dead);
        registry.register("silta_oldest_due_seconds", "Age of the oldest due task", self.oldest_due_seconds);
        registry.register(
            "silta_orders_missed",
            "Orders expected since the last one, by the weeks before",
            self.orders_missed,
        );
        registry.register(
            "silta_circuit_open",
            "1 while a circuit is open: a vendor is down or refuses the credentials, or its writes are held back",
            self.circuit_open,
        );
        registry.register("silta_stock_braked", "1 while the stock brake is on", self.stock_braked);
        registry.register(
            "silta_orders_waiting_seconds",
            "Time since the order that waits longest began to wait for products at the warehouse",
            self.orders_waiting_seconds,
        );
        registry.register(
            "silta_poll_age_seconds",
            "Time since a list was last read to its end",
            self.poll_age_seconds,
        );
        registry.register("silta_poll_gaps", "Stretches of a list that cannot be read", self.poll_gaps);
        registry
    }
}

fn seconds(age: TimeDelta) -> i64 {
    age.num_seconds().max(0)
}
