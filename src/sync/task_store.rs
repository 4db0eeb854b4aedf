//! The task store of a dry run: it reads our tables and writes nothing.

use async_trait::async_trait;
use sqlx::{PgConnection, PgPool};

use crate::{
    domain::{
        Timestamp,
        event::subject::Subject,
        product::{CatalogueItem, CodeRegister},
        shipping::ShippingRule,
        task::reason::Reason,
    },
    flows::TaskStore,
    store::{self, items, shipping_rules, stock},
};

/// The task store of a dry run for one connection.
pub(super) struct ReadOnlyTaskStore {
    pool: PgPool,
    connection: String,
}

impl ReadOnlyTaskStore {
    pub(super) const fn new(pool: PgPool, connection: String) -> Self {
        Self { pool, connection }
    }

    async fn query<T>(
        &self,
        query: impl AsyncFnOnce(&mut PgConnection, &str) -> store::Result<T>,
    ) -> Result<T, Reason> {
        let result = async {
            let mut db = self.pool.acquire().await?;
            query(&mut db, &self.connection).await
        };
        result.await.map_err(|_: store::StoreError| Reason::DatabaseUnavailable)
    }
}

#[async_trait]
impl TaskStore for ReadOnlyTaskStore {
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
        items: &[CatalogueItem],
        _: Timestamp,
    ) -> Result<CodeRegister, Reason> {
        self.query(async |db, connection| items::look_up(db, connection, items).await).await
    }

    async fn shipping_rules(&self) -> Result<Vec<ShippingRule>, Reason> {
        self.query(async |db, connection| shipping_rules::load(db, connection).await).await
    }

    async fn in_flight(&self, code: &str) -> Result<i64, Reason> {
        let codes = [code.to_owned()];
        let pieces = self.query(async |db, connection| stock::sum_in_flight(db, connection, &codes).await);
        Ok(pieces.await?.into_iter().sum())
    }

    async fn can_set_to_zero(&self, _: &str) -> Result<bool, Reason> {
        Ok(true) // the stock brake counts, and counting would write
    }
}
