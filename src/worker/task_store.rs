//! The task store of an attempt: what a flow reads and writes in our tables, fenced by the claim.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use sqlx::PgPool;
use tokio::time::Instant;

use super::beginner::{Beginner, NewBeginning};
use crate::{
    domain::{
        event::subject::Subject,
        product::{CatalogueItem, CodeRegister, KnownSpellings},
        shipping::ShippingRule,
        stock::StockPolicy,
        task::{action::NewAction, reason::Reason, state::LeasedTask},
    },
    flows::TaskStore,
    runtime::clock::Clock,
    store::{
        items, stock,
        task_tables::TaskTables,
        tasks::{self, Fenced},
        warehouse_codes,
    },
    vendors::http::error::Effect,
};

/// When an attempt may no longer make a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The lease could run out during a call that is made later.
    pub(super) deadline: Instant,
    /// The longest time between the begin of an action that must happen once and its call.
    pub(super) once: Duration,
}

/// The task store of one attempt. Every write names the claim, so that an attempt that has lost its lease begins nothing.
pub(super) struct FencedTaskStore {
    tables: TaskTables,
    beginner: Beginner,
    clock: Arc<dyn Clock>,
    leased: Arc<LeasedTask>,
    stock: Arc<StockPolicy>,
    limits: Limits,
    /// When the last action was begun.
    begun_at: Mutex<Option<Instant>>,
}

impl FencedTaskStore {
    /// Creates the store of this claim.
    pub(super) fn new(
        pool: PgPool,
        beginner: Beginner,
        clock: Arc<dyn Clock>,
        leased: LeasedTask,
        stock: Arc<StockPolicy>,
        limits: Limits,
    ) -> Self {
        let tables = TaskTables::new(pool, leased.connection.clone());
        Self { tables, beginner, clock, leased: Arc::new(leased), stock, limits, begun_at: Mutex::default() }
    }

    /// True once an action may have been begun under this claim.
    pub(super) fn has_begun(&self) -> bool {
        self.begun_at.lock().is_some()
    }
}

#[async_trait]
impl TaskStore for FencedTaskStore {
    async fn begin_action(&self, action: &NewAction) -> Result<i32, Reason> {
        // Before the commit: where its answer is lost, the entry may be there.
        *self.begun_at.lock() = Some(Instant::now());
        let beginning = NewBeginning { leased: self.leased.clone(), action: action.clone() };
        self.beginner.begin(beginning).await
    }

    fn has_time_left(&self, effect: Effect) -> bool {
        let is_late = match effect {
            Effect::Once => self.begun_at.lock().is_some_and(|begun| begun.elapsed() > self.limits.once),
            Effect::Read | Effect::Idempotent => false,
        };
        !is_late && Instant::now() < self.limits.deadline
    }

    async fn verify_claim(&self) -> Result<(), Reason> {
        require_lease(self.tables.query(async |db, _| tasks::verify_claim(db, &self.leased).await).await?)
    }

    async fn begin_reading(&self) -> Result<i64, Reason> {
        self.tables.query(async |db, _| items::begin_reading(db).await).await
    }

    async fn register_items(
        &self,
        product: &Subject,
        items: &[CatalogueItem],
        reading: i64,
    ) -> Result<CodeRegister, Reason> {
        let reading = items::Reading { number: reading, at: self.clock.now() };
        let register = async |db: &mut _, connection: &str| {
            items::register_product(db, connection, product, items, reading).await
        };
        self.tables.query(register).await
    }

    async fn shipping_rules(&self) -> Result<Vec<ShippingRule>, Reason> {
        self.tables.shipping_rules().await
    }

    async fn is_listed(&self, subject: &Subject) -> Result<bool, Reason> {
        self.tables.is_listed(subject).await
    }

    async fn spellings(&self, codes: &[&str]) -> Result<KnownSpellings, Reason> {
        self.tables.spellings(codes).await
    }

    async fn record_warehouse_codes(&self, codes: &[&str]) -> Result<(), Reason> {
        let (codes, now) = (codes.iter().copied(), self.clock.now());
        let record =
            async |db: &mut _, connection: &str| warehouse_codes::record(db, connection, codes, now).await;
        self.tables.query(record).await
    }

    async fn in_flight(&self, code: &str) -> Result<i64, Reason> {
        self.tables.in_flight(code).await
    }

    async fn can_set_to_zero(&self, code: &str) -> Result<bool, Reason> {
        let now = self.clock.now();
        let allowed = self.tables.query(async |db, connection| {
            stock::can_set_to_zero(db, connection, code, &self.stock, now).await
        });
        allowed.await
    }
}

const fn require_lease(fenced: Fenced) -> Result<(), Reason> {
    match fenced {
        Fenced::Written => Ok(()),
        Fenced::LeaseLost => Err(Reason::LeaseExpired),
    }
}
