//! The tables of one connection, as a flow reads them in the middle of an attempt or of a dry run.

use sqlx::{PgConnection, PgPool};

use super::{Result, StoreError, in_flight, polled_changes, shipping_rules, warehouse_codes};
use crate::domain::{
    event::subject::Subject, product::KnownSpellings, shipping::ShippingRule, task::reason::Reason,
};

/// The tables of one connection.
pub struct TaskTables {
    pool: PgPool,
    connection: String,
}

impl TaskTables {
    /// Of this connection.
    pub const fn new(pool: PgPool, connection: String) -> Self {
        Self { pool, connection }
    }

    /// Runs a query. Where the database fails, the flow must not act.
    pub async fn query<T>(
        &self,
        query: impl AsyncFnOnce(&mut PgConnection, &str) -> Result<T>,
    ) -> std::result::Result<T, Reason> {
        let result = async {
            let mut db = self.pool.acquire().await?;
            query(&mut db, &self.connection).await
        };
        result.await.map_err(|_: StoreError| Reason::DatabaseUnavailable)
    }

    /// The shipping rules that operators made.
    pub async fn shipping_rules(&self) -> std::result::Result<Vec<ShippingRule>, Reason> {
        self.query(async |db, connection| shipping_rules::load(db, connection).await).await
    }

    /// Whether a list of the shop shows a change of this subject that no read has covered yet.
    pub async fn is_listed(&self, subject: &Subject) -> std::result::Result<bool, Reason> {
        let subject = subject.to_string();
        self.query(async |db, connection| polled_changes::is_listed(db, connection, &subject).await).await
    }

    /// How both sides spell these codes.
    pub async fn spellings(&self, codes: &[&str]) -> std::result::Result<KnownSpellings, Reason> {
        let codes = codes.iter().copied();
        self.query(async |db, connection| warehouse_codes::load_spellings(db, connection, codes).await).await
    }

    /// The pieces of a code that our orders have in flight.
    pub async fn in_flight(&self, code: &str) -> std::result::Result<i64, Reason> {
        let codes = [code.to_owned()];
        let pieces =
            self.query(async |db, connection| in_flight::sum_in_flight(db, connection, &codes).await);
        Ok(pieces.await?.into_iter().sum())
    }
}
