//! The task store of a dry run: it reads our tables and writes nothing.

use async_trait::async_trait;
use sqlx::PgPool;

use crate::{
    domain::{
        event::subject::Subject,
        product::{CatalogueItem, CodeRegister, KnownSpellings},
        shipping::ShippingRule,
        task::{action::NewAction, reason::Reason},
    },
    flows::TaskStore,
    store::{items, task_tables::TaskTables},
    vendors::http::error::Effect,
};

/// The task store of a dry run for one connection.
pub(super) struct ReadOnlyTaskStore {
    tables: TaskTables,
}

impl ReadOnlyTaskStore {
    pub(super) const fn new(pool: PgPool, connection: String) -> Self {
        Self { tables: TaskTables::new(pool, connection) }
    }
}

#[async_trait]
impl TaskStore for ReadOnlyTaskStore {
    async fn begin_action(&self, _: &NewAction) -> Result<i32, Reason> {
        Ok(1) // the call is withheld
    }

    fn has_time_left(&self, _: Effect) -> bool {
        true
    }

    async fn verify_claim(&self) -> Result<(), Reason> {
        Ok(())
    }

    async fn begin_reading(&self) -> Result<i64, Reason> {
        Ok(0) // nothing is registered
    }

    async fn register_items(
        &self,
        _: &Subject,
        items: &[CatalogueItem],
        _: i64,
    ) -> Result<CodeRegister, Reason> {
        self.tables.query(async |db, connection| items::look_up(db, connection, items).await).await
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

    async fn record_warehouse_codes(&self, _: &[&str]) -> Result<(), Reason> {
        Ok(()) // an attempt records them
    }

    async fn in_flight(&self, code: &str) -> Result<i64, Reason> {
        self.tables.in_flight(code).await
    }

    async fn can_set_to_zero(&self, _: &str) -> Result<bool, Reason> {
        Ok(true) // the stock brake counts, and counting would write
    }
}
