//! The two ledgers: our own books, as a flow looks into them, and writes into them, in the middle of an attempt.
//!
//! The [fenced](FencedLedger) one writes under a claim, so that whoever has lost it begins nothing. The one that [only
//! reads](OnlyReads) belongs to a rehearsal, whose flow has its hands tied.

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
        product::{Entered, Entry},
        shipping::ShippingRule,
        stock::StockPolicy,
        task::{outcome::Reason, state::Leased, subject_state::Begun},
    },
    flows::Ledger,
    runtime::clock::Clock,
    store::{
        self, StoreError, items, observations, shipping_rules, stock,
        tasks::{self, Fenced},
    },
};

/// The ledger of one attempt: begins deeds under its claim.
pub struct FencedLedger {
    books: Books,
    clock: Arc<dyn Clock>,
    held: Leased,
    stock: StockPolicy,
    until: Instant,
    begun: AtomicBool,
}

impl FencedLedger {
    /// Of this claim; no call is begun after `until`, since the lease may run out in the middle of it.
    pub fn new(
        pool: PgPool,
        clock: Arc<dyn Clock>,
        held: Leased,
        stock: StockPolicy,
        until: Instant,
    ) -> Self {
        let books = Books { pool, connection: held.connection.clone() };
        Self { books, clock, held, stock, until, begun: AtomicBool::new(false) }
    }

    /// Has a deed been begun under this claim?
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Ledger for FencedLedger {
    async fn begin(&self, deed: &'static str, key: &str) -> Result<(), Reason> {
        let begun = Begun { deed: deed.to_owned(), key: key.to_owned(), at: self.clock.now() };
        let written = self.books.ask(async |db, _| observations::begin(db, &self.held, &begun).await).await?;
        ours(written)?;
        self.begun.store(true, Ordering::SeqCst);
        Ok(())
    }

    fn is_in_time(&self) -> bool {
        Instant::now() < self.until
    }

    async fn still_ours(&self) -> Result<(), Reason> {
        ours(self.books.ask(async |db, _| tasks::still_ours(db, &self.held).await).await?)
    }

    async fn enter(
        &self,
        product: &Subject,
        entries: &[Entry],
        seen_at: Timestamp,
    ) -> Result<Entered, Reason> {
        let entered = async |db: &mut _, of: &str| items::enter(db, of, product, entries, seen_at).await;
        self.books.ask(entered).await
    }

    async fn shipping_rules(&self) -> Result<Vec<ShippingRule>, Reason> {
        self.books.shipping_rules().await
    }

    async fn in_flight(&self, code: &str) -> Result<i64, Reason> {
        self.books.in_flight(code).await
    }

    async fn may_empty(&self, code: &str) -> Result<bool, Reason> {
        let now = self.clock.now();
        self.books.ask(async |db, of| stock::may_empty(db, of, code, &self.stock, now).await).await
    }
}

/// The ledger of a rehearsal: looked into, and never written.
pub struct OnlyReads(Books);

impl OnlyReads {
    /// Of this connection.
    pub const fn new(pool: PgPool, connection: String) -> Self {
        Self(Books { pool, connection })
    }
}

#[async_trait]
impl Ledger for OnlyReads {
    async fn begin(&self, _: &'static str, _: &str) -> Result<(), Reason> {
        Ok(())
    }

    fn is_in_time(&self) -> bool {
        true
    }

    async fn still_ours(&self) -> Result<(), Reason> {
        Ok(())
    }

    async fn enter(&self, _: &Subject, entries: &[Entry], _: Timestamp) -> Result<Entered, Reason> {
        self.0.ask(async |db, of| items::ask(db, of, entries).await).await
    }

    async fn shipping_rules(&self) -> Result<Vec<ShippingRule>, Reason> {
        self.0.shipping_rules().await
    }

    async fn in_flight(&self, code: &str) -> Result<i64, Reason> {
        self.0.in_flight(code).await
    }

    async fn may_empty(&self, _: &str) -> Result<bool, Reason> {
        Ok(true) // counting would be writing
    }
}

/// What is ours of one connection.
struct Books {
    pool: PgPool,
    connection: String,
}

impl Books {
    /// Asks them, or writes into them. What they cannot answer means: do not act.
    async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut PgConnection, &str) -> store::Result<T>,
    ) -> Result<T, Reason> {
        let answer = async {
            let mut db = self.pool.acquire().await?;
            question(&mut db, &self.connection).await
        };
        answer.await.map_err(|_: StoreError| Reason::DatabaseAway)
    }

    async fn shipping_rules(&self) -> Result<Vec<ShippingRule>, Reason> {
        self.ask(async |db, of| shipping_rules::rules(db, of).await).await
    }

    async fn in_flight(&self, code: &str) -> Result<i64, Reason> {
        let codes = [code.to_owned()];
        let pieces = self.ask(async |db, of| stock::in_flight(db, of, &codes).await).await?;
        Ok(pieces.into_iter().sum())
    }
}

/// Is the claim still ours?
const fn ours(found: Fenced) -> Result<(), Reason> {
    match found {
        Fenced::Written => Ok(()),
        Fenced::LeaseLost => Err(Reason::LeaseExpired),
    }
}
