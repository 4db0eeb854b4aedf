//! Asks both vendors whether an order exists.

use async_trait::async_trait;

use crate::{
    actions::{ConflictError, OrderFinder},
    domain::order::Recipient,
    flows::{AllClients, ConnectionClients},
    vendors::http::error::CallError,
};

/// Asks the vendors of every configured connection.
pub(super) struct VendorOrders(pub(super) AllClients);

#[async_trait]
impl OrderFinder for VendorOrders {
    async fn exists(&self, connection: &str, order_id: &str) -> Result<bool, ConflictError> {
        let ConnectionClients { shop, warehouse, order_policy, .. } = self.clients(connection)?;
        // Where one of them cannot be asked, nobody knows: an order must not be called unknown then.
        let unknown = |error| unverified(connection, &error);
        if shop.has_order(order_id).await.map_err(unknown)? {
            return Ok(true);
        }
        let reference = format!("{}{order_id}", order_policy.references.current());
        Ok(warehouse.get_order(&reference).await.map_err(unknown)?.is_some())
    }

    async fn recipient(&self, connection: &str, order_id: &str) -> Result<Option<Recipient>, ConflictError> {
        let found = self.clients(connection)?.shop.get_order(order_id).await;
        let found = found.map_err(|error| unverified(connection, &error))?;
        Ok(found.map(|order| order.recipient))
    }
}

impl VendorOrders {
    fn clients(&self, connection: &str) -> Result<&ConnectionClients, ConflictError> {
        self.0.find(connection).map(|clients| &**clients).ok_or(ConflictError::NotConfiguredHere)
    }
}

fn unverified(connection: &str, error: &CallError) -> ConflictError {
    tracing::warn!(connection, error = %error, "cannot ask for an order");
    ConflictError::OrderUnverified
}
