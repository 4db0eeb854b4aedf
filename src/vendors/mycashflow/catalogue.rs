//! The shop's products and stock items.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    client::{MyCashflow, PRODUCTS, Page, paged},
    lookups::suppliers_in,
    translate, wire,
};
use crate::{
    domain::{product::ShopProduct, stock::ShopStock},
    vendors::{
        changes::{ChangePage, ChangeRequest},
        http::{
            Body,
            error::{CallError, Failure},
        },
        lenient_json::{as_text, encode_segment},
    },
};

impl MyCashflow {
    /// Checks that the shop answers and accepts the credentials, by the cheapest read.
    pub async fn probe(&self) -> Result<(), CallError> {
        let query = vec![("page", "1".to_owned()), ("page_size", "1".to_owned())];
        self.read::<wire::List>("probe", "/api/v1/products".to_owned(), query).await.map(drop)
    }

    /// Lists products changed within a stretch of time, oldest first. Reads.
    pub async fn list_products_changed(&self, request: ChangeRequest) -> Result<ChangePage, CallError> {
        self.changed("list_products", PRODUCTS.to_owned(), request).await
    }

    /// Lists whole products with their variations, by id. Reads a page.
    pub async fn list_products(&self, page: u32) -> Result<Page<ShopProduct>, CallError> {
        let lookups = self.supplier_lookups().await?;
        let mut query = by_id(page);
        query.push(("expand", self.lookup_cache.product_expand()));
        let list: wire::List = self.read("list_products", "/api/v1/products".to_owned(), query).await?;
        let (has_more, total) = (list.meta.next.is_some(), list.meta.item_count);
        let unreadable = || self.http.call_error("list_products", Failure::Unreadable);
        // A product that cannot be read must not look like one that is missing.
        let wires = list.data.into_iter().map(serde_json::from_value::<wire::Product>);
        let wires = wires.collect::<Result<Vec<_>, _>>().map_err(|_| unreadable())?;
        let lookups = self.lookups_with(lookups, &suppliers_in(&wires)).await?;
        let product = |wire| translate::product(wire, &lookups).ok_or_else(unreadable);
        let items = wires.into_iter().map(product).collect::<Result<_, _>>()?;
        Ok(Page { items, has_more, total })
    }

    /// Lists stock items with their codes, by id. Items that belong to no product have no code and are left
    /// out. Reads a page.
    pub async fn list_stock_items(&self, page: u32) -> Result<Page<(String, ShopStock)>, CallError> {
        let lookups = self.supplier_lookups().await?;
        let list: wire::List = self.read("list_stock", "/api/v1/stock".to_owned(), by_id(page)).await?;
        let (has_more, total) = (list.meta.next.is_some(), list.meta.item_count);
        let wires = list.data.into_iter().map(serde_json::from_value::<wire::StockItem>);
        let wires = wires.collect::<Result<Vec<_>, _>>();
        let wires = wires.map_err(|_| self.http.call_error("list_stock", Failure::Unreadable))?;
        let products = wires.iter().filter_map(|wire| wire.product_id.clone()).collect();
        let suppliers = self.suppliers_of(products, &lookups).await?;
        let item = |wire: wire::StockItem| Some((wire.code.clone()?, translate::stock(wire, &suppliers)));
        Ok(Page { items: wires.into_iter().filter_map(item).collect(), has_more, total })
    }

    /// Reads a product with its variations; `None` where the shop does not have it. A 404 counts only if the list,
    /// asked for this product, does not have it either: products are deleted, and a replica can lag.
    pub async fn get_product(&self, id: &str) -> Result<Option<ShopProduct>, CallError> {
        let lookups = self.supplier_lookups().await?;
        let path = format!("{PRODUCTS}/{}", encode_segment(id));
        let query = vec![("expand", self.lookup_cache.product_expand())];
        let unreadable = || self.http.call_error("read_product", Failure::Unreadable);
        let Some((wire, start)) = self.find::<wire::Product>("read_product", path, query).await? else {
            return if self.lists_product(id).await? { Err(unreadable()) } else { Ok(None) };
        };
        let lookups = self.lookups_with(lookups, &suppliers_in([&wire])).await?;
        let product = translate::product(wire, &lookups).ok_or_else(unreadable)?;
        let version = product.version.map(|version| start.mark_time(version));
        Ok(Some(ShopProduct { version, ..product }))
    }

    /// Whether the list of products has this one.
    async fn lists_product(&self, id: &str) -> Result<bool, CallError> {
        let mut query = paged(1);
        query.push(("id", id.to_owned()));
        let list: wire::List = self.read("confirm_product", PRODUCTS.to_owned(), query).await?;
        let is_it = |item: &Value| item.get("id").and_then(as_text).as_deref() == Some(id);
        Ok(list.data.iter().any(is_it))
    }

    /// Reads a stock item by its code; `None` where the shop does not have it.
    pub async fn get_stock(&self, code: &str) -> Result<Option<ShopStock>, CallError> {
        let lookups = self.supplier_lookups().await?;
        let path = format!("/api/v1/stock/{}", encode_segment(code));
        let found = self.find::<wire::StockItem>("read_stock", path, Vec::new()).await?;
        let Some((wire, _)) = found else { return Ok(None) };
        let suppliers = self.suppliers_of(wire.product_id.iter().cloned().collect(), &lookups).await?;
        Ok(Some(translate::stock(wire, &suppliers)))
    }

    /// Sets a stock item's quantity, and switches its stock tracking on only where that is asked for: it is a choice for
    /// each product (docs/contract.md §1.7). Idempotent.
    pub async fn set_stock(&self, code: &str, stock: NewStock, key: &str) -> Result<(), CallError> {
        let NewStock { quantity, tracking } = stock;
        let body = if tracking {
            json!({ "enabled": true, "quantity": quantity })
        } else {
            json!({ "quantity": quantity })
        };
        let path = format!("/api/v1/stock/{}", encode_segment(code));
        self.submit("set_stock", Method::PATCH, path, Body::Json(body), key).await
    }
}

/// What is written to a stock item.
#[derive(Clone, Copy, Debug)]
pub struct NewStock {
    /// Pieces.
    pub quantity: i64,
    /// Switch stock tracking on.
    pub tracking: bool,
}

/// Sorts by id, which a change does not move; what is added meanwhile comes last.
fn by_id(page: u32) -> Vec<(&'static str, String)> {
    let mut query = paged(page);
    query.push(("sort", "id-asc".to_owned()));
    query
}
