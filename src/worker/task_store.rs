//! The task store of an attempt: what a flow reads and writes in our tables, fenced by the claim.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use sqlx::PgPool;
use tokio::time::Instant;

use crate::{
    domain::{
        Timestamp,
        event::subject::Subject,
        product::{CatalogueItem, CodeRegister},
        shipping::ShippingRule,
        stock::StockPolicy,
        task::{reason::Reason, state::LeasedTask, subject_state::BegunAction},
    },
    flows::TaskStore,
    runtime::clock::Clock,
    store::{
        items, observations, stock,
        task_tables::TaskTables,
        tasks::{self, Fenced},
    },
};

/// The task store of one attempt. Every write names the claim, so that an attempt that has lost its lease begins nothing.
pub(super) struct FencedTaskStore {
    tables: TaskTables,
    clock: Arc<dyn Clock>,
    leased: LeasedTask,
    stock: StockPolicy,
    deadline: Instant,
    has_begun: AtomicBool,
}

impl FencedTaskStore {
    /// Creates the store of this claim. After `deadline` no call is begun: the lease could run out during it.
    pub(super) fn new(
        pool: PgPool,
        clock: Arc<dyn Clock>,
        leased: LeasedTask,
        stock: StockPolicy,
        deadline: Instant,
    ) -> Self {
        let tables = TaskTables::new(pool, leased.connection.clone());
        Self { tables, clock, leased, stock, deadline, has_begun: AtomicBool::new(false) }
    }

    /// True once an action was begun under this claim.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl TaskStore for FencedTaskStore {
    async fn begin_action(&self, action: &'static str, key: &str) -> Result<(), Reason> {
        let begun = BegunAction { action: action.to_owned(), key: key.to_owned(), at: self.clock.now() };
        let fenced =
            self.tables.query(async |db, _| observations::begin_action(db, &self.leased, &begun).await);
        require_lease(fenced.await?)?;
        self.has_begun.store(true, Ordering::SeqCst);
        Ok(())
    }

    fn has_time_left(&self) -> bool {
        Instant::now() < self.deadline
    }

    async fn verify_claim(&self) -> Result<(), Reason> {
        require_lease(self.tables.query(async |db, _| tasks::verify_claim(db, &self.leased).await).await?)
    }

    async fn register_items(
        &self,
        product: &Subject,
        items: &[CatalogueItem],
        seen_at: Timestamp,
    ) -> Result<CodeRegister, Reason> {
        let register = async |db: &mut _, connection: &str| {
            items::register_product(db, connection, product, items, seen_at).await
        };
        self.tables.query(register).await
    }

    async fn shipping_rules(&self) -> Result<Vec<ShippingRule>, Reason> {
        self.tables.shipping_rules().await
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
