//! Confirms that an order exists before anything is stored for it.
//!
//! An operator may name an order that Silta has not read yet, since its webhook was lost. A number that nobody knows would
//! leave a task, an intent and an order in every list. So the vendors are asked first.

use async_trait::async_trait;
use sqlx::PgPool;

use super::{ActionError, ConflictError};
use crate::{
    domain::{event::subject::Subject, order::Recipient},
    store::{StoreError, connections, redaction},
};

/// Asks the vendors for an order. `app` implements it: actions know no vendors.
#[async_trait]
pub trait OrderFinder: Send + Sync {
    /// Whether the shop or the warehouse has the order. An error where it cannot be known now.
    async fn exists(&self, connection: &str, order_id: &str) -> Result<bool, ConflictError>;

    /// Who gets an order, read from the shop now; `None` where the shop does not have it.
    async fn recipient(&self, connection: &str, order_id: &str) -> Result<Option<Recipient>, ConflictError>;
}

/// An order that exists: our tables or one of the vendors have it.
#[derive(Clone, Debug)]
pub struct ConfirmedOrder {
    pub(super) connection: String,
    pub(super) subject: Subject,
}

/// Confirms an order by our tables or, where they do not have it, by the vendors. No database connection is held during the
/// calls.
pub async fn confirm_order(
    pool: &PgPool,
    finder: &dyn OrderFinder,
    connection: &str,
    order_id: &str,
) -> Result<ConfirmedOrder, ActionError> {
    let is_number = (1..=20).contains(&order_id.len()) && order_id.bytes().all(|byte| byte.is_ascii_digit());
    let mut db = pool.acquire().await.map_err(StoreError::from)?;
    if !is_number || connections::find(&mut db, connection).await?.is_none() {
        return Err(ActionError::NotFound);
    }
    let subject = Subject::order(order_id);
    let is_known = redaction::is_known(&mut db, connection, &subject.to_string()).await?;
    drop(db);
    if !is_known && !finder.exists(connection, order_id).await? {
        return Err(ActionError::NotFound);
    }
    Ok(ConfirmedOrder { connection: connection.to_owned(), subject })
}
