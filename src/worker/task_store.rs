//! The two ledgers: our own tables, as a flow looks into them, and writes into them, in the middle of an attempt.
//!
//! The [fenced](FencedLedger) one writes under a claim, so that whoever has lost it begins nothing. The one that [only
//! reads](ReadOnlyLedger) belongs to a dry_run, whose flow has its hands clients.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use sqlx::{PgConnection, PgPool};
use tokio::time::Instant;

use crate::{
    domain::{
        Timestamp,
        event::subject::Subject,
        product::{CatalogueItem, CodeRegister},
        shipping::ShippingRule,
        stock::StockPolicy,
        task::{outcome::Reason, state::LeasedTask, subject_state::BegunAction},
    },
    flows::Ledger,
    runtime::clock::Clock,
    store::{
        self, StoreError, items, observations, shipping_rules, stock,
        tasks::{self, Fenced},
    },
};

/// The ledger of one attempt: begins actions under its claim.
pub struct FencedLedger {
    tables: ConnectionTables,
    clock: Arc<dyn Clock>,
    leased: LeasedTask,
    stock: StockPolicy,
    until: Instant,
    begun: AtomicBool,
}

impl FencedLedger {
    /// Of this claim; no call is begun after `until`, since the lease may run out in the middle of it.
    pub fn new(
        pool: PgPool,
        clock: Arc<dyn Clock>,
        leased: LeasedTask,
        stock: StockPolicy,
        until: Instant,
    ) -> Self {
        let tables = ConnectionTables { pool, connection: leased.connection.clone() };
        Self { tables, clock, leased, stock, until, begun: AtomicBool::new(false) }
    }

    /// Has an action been begun under this claim?
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Ledger for FencedLedger {
    async fn begin_action(&self, action: &'static str, key: &str) -> Result<(), Reason> {
        let begun = BegunAction { action: action.to_owned(), key: key.to_owned(), at: self.clock.now() };
        let written = self
            .tables
            .query(async |db, _| observations::begin_action(db, &self.leased, &begun).await)
            .await?;
        require_lease(written)?;
        self.begun.store(true, Ordering::SeqCst);
        Ok(())
    }

    fn has_time_left(&self) -> bool {
        Instant::now() < self.until
    }

    async fn verify_claim(&self) -> Result<(), Reason> {
        require_lease(self.tables.query(async |db, _| tasks::verify_claim(db, &self.leased).await).await?)
    }

    async fn register_items(
        &self,
        product: &Subject,
        entries: &[CatalogueItem],
        seen_at: Timestamp,
    ) -> Result<CodeRegister, Reason> {
        let register = async |db: &mut _, connection: &str| {
            items::register_product(db, connection, product, entries, seen_at).await
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
        self.tables
            .query(async |db, connection| {
                stock::can_set_to_zero(db, connection, code, &self.stock, now).await
            })
            .await
    }
}

/// The ledger of a dry_run: looked into, and never written.
pub struct ReadOnlyLedger(ConnectionTables);

impl ReadOnlyLedger {
    /// Of this connection.
    pub const fn new(pool: PgPool, connection: String) -> Self {
        Self(ConnectionTables { pool, connection })
    }
}

#[async_trait]
impl Ledger for ReadOnlyLedger {
    async fn begin_action(&self, _: &'static str, _: &str) -> Result<(), Reason> {
        Ok(())
    }

    fn has_time_left(&self) -> bool {
        true
    }

    async fn verify_claim(&self) -> Result<(), Reason> {
        Ok(())
    }

    async fn register_items(
        &self,
        _: &Subject,
        entries: &[CatalogueItem],
        _: Timestamp,
    ) -> Result<CodeRegister, Reason> {
        self.0.query(async |db, connection| items::look_up(db, connection, entries).await).await
    }

    async fn shipping_rules(&self) -> Result<Vec<ShippingRule>, Reason> {
        self.0.shipping_rules().await
    }

    async fn in_flight(&self, code: &str) -> Result<i64, Reason> {
        self.0.in_flight(code).await
    }

    async fn can_set_to_zero(&self, _: &str) -> Result<bool, Reason> {
        Ok(true) // counting would be writing
    }
}

/// What is ours of one connection.
struct ConnectionTables {
    pool: PgPool,
    connection: String,
}

impl ConnectionTables {
    /// Asks them, or writes into them. What they cannot answer means: do not act.
    async fn query<T>(
        &self,
        question: impl AsyncFnOnce(&mut PgConnection, &str) -> store::Result<T>,
    ) -> Result<T, Reason> {
        let answer = async {
            let mut db = self.pool.acquire().await?;
            question(&mut db, &self.connection).await
        };
        answer.await.map_err(|_: StoreError| Reason::DatabaseUnavailable)
    }

    async fn shipping_rules(&self) -> Result<Vec<ShippingRule>, Reason> {
        self.query(async |db, connection| shipping_rules::load(db, connection).await).await
    }

    async fn in_flight(&self, code: &str) -> Result<i64, Reason> {
        let codes = [code.to_owned()];
        let pieces =
            self.query(async |db, connection| stock::sum_in_flight(db, connection, &codes).await).await?;
        Ok(pieces.into_iter().sum())
    }
}

/// Is the claim still ours?
const fn require_lease(found: Fenced) -> Result<(), Reason> {
    match found {
        Fenced::Written => Ok(()),
        Fenced::LeaseLost => Err(Reason::LeaseExpired),
    }
}
