//! The shop's products and stock items.

use reqwest::Method;
use serde_json::json;

use super::{Body, CallError, Changed, MyCashflow, Page, translate, wire};
use crate::{
    domain::{product::ShopProduct, stock::ShopStock, time_window::Window},
    vendors::{http::error::Failure, lenient_json::segment},
};

impl MyCashflow {
    /// Does the shop answer, and take our credentials? The smallest thing to ask for. Reads.
    pub async fn probe(&self) -> Result<(), CallError> {
        let query = vec![("page", "1".to_owned()), ("page_size", "1".to_owned())];
        self.read::<wire::List>("probe", "/api/v1/products".to_owned(), query).await.map(drop)
    }

    /// Products changed within a window, oldest first. Reads.
    pub async fn products_changed(&self, window: Window, page: u32) -> Result<Page<Changed>, CallError> {
        self.changed("list_products", "/api/v1/products".to_owned(), window, page).await
    }

    /// Whole products with their variations, by id, a page of them. Reads.
    pub async fn products(&self, page: u32) -> Result<Page<ShopProduct>, CallError> {
        let named = self.named_suppliers().await?;
        let mut query = by_id(page);
        query.push(("expand", self.lists.product_expands()));
        let list: wire::List = self.read("list_products", "/api/v1/products".to_owned(), query).await?;
        let (more, total) = (list.meta.next.is_some(), list.meta.item_count);
        let unreadable = || self.http.error("list_products", Failure::Unreadable);
        // One product that cannot be read must not look like one that the shop does not have.
        let product = |item| {
            let wire: wire::Product = serde_json::from_value(item).map_err(|_| unreadable())?;
            translate::product(wire, &named).ok_or_else(unreadable)
        };
        let items = list.data.into_iter().map(product).collect::<Result<_, _>>()?;
        Ok(Page { items, more, total })
    }

    /// Stock items with their codes, by id, a page of them; items that belong to nothing have none and are left out.
    /// Reads.
    pub async fn stock_items(&self, page: u32) -> Result<Page<(String, ShopStock)>, CallError> {
        let named = self.named_suppliers().await?;
        let list: wire::List = self.read("list_stock", "/api/v1/stock".to_owned(), by_id(page)).await?;
        let (more, total) = (list.meta.next.is_some(), list.meta.item_count);
        let wires = list.data.into_iter().map(serde_json::from_value::<wire::StockItem>);
        let wires = wires.collect::<Result<Vec<_>, _>>();
        let wires = wires.map_err(|_| self.http.error("list_stock", Failure::Unreadable))?;
        let products = wires.iter().filter_map(|wire| wire.product_id.clone()).collect();
        let suppliers = self.suppliers_of(products, &named).await?;
        let item = |wire: wire::StockItem| Some((wire.code.clone()?, translate::stock(&wire, &suppliers)));
        Ok(Page { items: wires.into_iter().filter_map(item).collect(), more, total })
    }

    /// A product with its variations; `None` where the shop does not know it. Reads.
    pub async fn product(&self, id: &str) -> Result<Option<ShopProduct>, CallError> {
        let named = self.named_suppliers().await?;
        let path = format!("/api/v1/products/{}", segment(id));
        let query = vec![("expand", self.lists.product_expands())];
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

/// In an order that a change does not move: what is added meanwhile comes at the end.
fn by_id(page: u32) -> Vec<(&'static str, String)> {
    let mut query = super::paged(page);
    query.push(("sort", "id-asc".to_owned()));
    query
}
