//! What a flow may write into our own books, and look up in them, in the middle of an attempt: all of it under its claim.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use sqlx::PgPool;
use tokio::time::Instant;

use crate::{
    clock::Clock,
    domain::{
        Timestamp,
        delivery::Leased,
        link::Begun,
        outcome::Reason,
        product::{Entered, Entry},
        shipping::ShippingRule,
        stock::StockPolicy,
        subject::Subject,
    },
    flows::Ledger,
    store::{
        StoreError,
        deliveries::{self, Fenced},
        links, parts, shipping_rules, stock,
    },
};

/// The ledger of one attempt: begins deeds under its claim.
pub(super) struct FencedLedger {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    held: Leased,
    stock: StockPolicy,
    /// After this no call is begun: the lease may run out in the middle of it.
    until: Instant,
    begun: AtomicBool,
}

impl FencedLedger {
    pub(super) const fn new(
        pool: PgPool,
        clock: Arc<dyn Clock>,
        held: Leased,
        stock: StockPolicy,
        until: Instant,
    ) -> Self {
        Self { pool, clock, held, stock, until, begun: AtomicBool::new(false) }
    }

    /// Has a deed been begun under this claim?
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Ledger for FencedLedger {
    async fn begin(&self, deed: &'static str, key: &str) -> Result<(), Reason> {
        let begun = Begun { deed: deed.to_owned(), key: key.to_owned(), at: self.clock.now() };
        let written = async {
            let mut db = self.pool.acquire().await?;
            links::begin(&mut db, &self.held, &begun).await
        };
        match written.await {
            Ok(Fenced::Written) => {
                self.begun.store(true, Ordering::SeqCst);
                Ok(())
            }
            Ok(Fenced::LeaseLost) => Err(Reason::LeaseExpired),
            Err(_) => Err(Reason::DatabaseAway),
        }
    }

    fn is_in_time(&self) -> bool {
        Instant::now() < self.until
    }

    async fn still_ours(&self) -> Result<(), Reason> {
        let asked = async {
            let mut db = self.pool.acquire().await?;
            deliveries::still_ours(&mut db, &self.held).await
        };
        match asked.await {
            Ok(Fenced::Written) => Ok(()),
            Ok(Fenced::LeaseLost) => Err(Reason::LeaseExpired),
            Err(_) => Err(Reason::DatabaseAway),
        }
    }

    async fn enter(
        &self,
        product: &Subject,
        entries: &[Entry],
        seen_at: Timestamp,
    ) -> Result<Entered, Reason> {
        let entered = async {
            let mut db = self.pool.acquire().await?;
            parts::enter(&mut db, &self.held.connection, product, entries, seen_at).await
        };
        entered.await.map_err(|_: StoreError| Reason::DatabaseAway)
    }

    async fn shipping_rules(&self) -> Result<Vec<ShippingRule>, Reason> {
        let asked = async {
            let mut db = self.pool.acquire().await?;
            shipping_rules::rules(&mut db, &self.held.connection).await
        };
        asked.await.map_err(|_: StoreError| Reason::DatabaseAway)
    }

    async fn in_flight(&self, code: &str) -> Result<i64, Reason> {
        let asked = async {
            let mut db = self.pool.acquire().await?;
            stock::in_flight(&mut db, &self.held.connection, &[code.to_owned()]).await
        };
        asked.await.map(|pieces| pieces.into_iter().sum()).map_err(|_| Reason::DatabaseAway)
    }

    async fn may_empty(&self, code: &str) -> Result<bool, Reason> {
        let asked = async {
            let mut db = self.pool.acquire().await?;
            let now = self.clock.now();
            stock::may_empty(&mut db, &self.held.connection, code, &self.stock, now).await
        };
        asked.await.map_err(|_: StoreError| Reason::DatabaseAway)
    }
}
