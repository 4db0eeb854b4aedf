//! Asks both vendors whether an order exists.

use async_trait::async_trait;

use crate::{
    actions::{ConflictError, OrderFinder},
    flows::ConnectionClients,
    vendors::http::error::CallError,
};

/// Asks the vendors of every configured connection.
pub(super) struct VendorOrders(pub(super) Vec<ConnectionClients>);

#[async_trait]
impl OrderFinder for VendorOrders {
    async fn exists(&self, connection: &str, order_id: &str) -> Result<bool, ConflictError> {
        let clients = self.0.iter().find(|clients| clients.name == connection);
        let ConnectionClients { shop, warehouse, order_policy, .. } =
            clients.ok_or(ConflictError::NotConfiguredHere)?;
        // Where one of them cannot be asked, nobody knows: an order must not be called unknown then.
        let unknown = |error: CallError| {
            tracing::warn!(connection, error = %error, "cannot ask for an order");
            ConflictError::OrderUnverified
        };
        if shop.has_order(order_id).await.map_err(unknown)? {
            return Ok(true);
        }
        let reference = format!("{}{order_id}", order_policy.references.current());
        Ok(warehouse.get_order(&reference).await.map_err(unknown)?.is_some())
    }
}
