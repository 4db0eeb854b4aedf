//! The shop's products and stock items.

use reqwest::Method;
use serde_json::json;

use super::{Body, CallError, Changed, MyCashflow, Page, translate, wire};
use crate::{
    domain::{product::ShopProduct, stock::ShopStock, window::Window},
    systems::{call::Failure, wire::segment},
};

impl MyCashflow {
    /// Products changed within a window, oldest first. Reads.
    pub async fn products_changed(&self, window: Window, page: u32) -> Result<Page<Changed>, CallError> {
        self.changed("list_products", "/api/v1/products".to_owned(), window, page).await
    }

    /// A product with its variations; `None` where the shop does not know it. Reads.
    pub async fn product(&self, id: &str) -> Result<Option<ShopProduct>, CallError> {
        let named = self.named_suppliers().await?;
        let path = format!("/api/v1/products/{}", segment(id));
        let query = vec![("expand", "stock_item,variations,variations.stock_item".to_owned())];
        let wire: Option<wire::Product> = self.find("read_product", path, query).await?;
        let unreadable = || self.http.error("read_product", Failure::Unreadable);
        wire.map(|wire| translate::product(wire, &named).ok_or_else(unreadable)).transpose()
    }

    /// A stock item by its code; `None` where the shop does not know it. Reads.
    pub async fn stock(&self, code: &str) -> Result<Option<ShopStock>, CallError> {
        let named = self.named_suppliers().await?;
        let path = format!("/api/v1/stock/{}", segment(code));
        let wire: Option<wire::StockItem> = self.find("read_stock", path, Vec::new()).await?;
        let Some(wire) = wire else { return Ok(None) };
        let suppliers = self.suppliers_of(wire.product_id.iter().cloned().collect(), &named).await?;
        Ok(Some(translate::stock(&wire, &suppliers)))
    }

    /// Sets a stock item's quantity, and nothing else that it does not have to. Idempotent.
    pub async fn set_stock(&self, code: &str, quantity: i64, key: &str) -> Result<(), CallError> {
        let body = Body::Json(json!({ "enabled": true, "quantity": quantity }));
        self.act("set_stock", Method::PATCH, format!("/api/v1/stock/{}", segment(code)), body, key).await
    }
}
