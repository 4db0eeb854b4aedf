//! The warehouse's products and stock: read, listed, created, updated and renamed.

use base64::Engine;
use reqwest::Method;
use serde_json::Value;

use super::{Body, CallError, Changed, Ogoship, PAGE_SIZE, Page, modified, translate, wire};
use crate::{
    domain::{
        Timestamp,
        product::{Item, WarehouseProduct},
        stock::WarehouseStock,
    },
    vendors::lenient_json::segment,
};

impl Ogoship {
    /// Does the warehouse answer, and take our credentials? The smallest thing to ask for. Reads.
    pub async fn probe(&self) -> Result<(), CallError> {
        let query = vec![("limit", "1".to_owned()), ("page", "1".to_owned())];
        self.send("probe", Method::GET, "/api/v1/stock", query, Body::Empty, None).await.map(drop)
    }

    /// The stock of exactly this code. Reads.
    pub async fn stock(&self, code: &str) -> Result<Option<WarehouseStock>, CallError> {
        let query = vec![("productCode", code.to_owned())];
        let found: Vec<wire::Stock> = self.list("read_stock", "/api/v1/stock", query, 1).await?;
        let exact = found.iter().find(|wire| wire.product_code.as_deref() == Some(code));
        Ok(exact.and_then(translate::stock))
    }

    /// Stock figures changed after a time. Reads.
    pub async fn stock_changed(&self, after: Timestamp, page: u32) -> Result<Page<Changed>, CallError> {
        let found: Vec<wire::Stock> = self.list("list_stock", "/api/v1/stock", modified(after), page).await?;
        let more = found.len() >= PAGE_SIZE;
        let items = found.into_iter().filter_map(|wire| {
            let version = translate::stock_version(&wire);
            Some(Changed { name: wire.product_code?, version })
        });
        Ok(Page { items: items.collect(), more })
    }

    /// Every stock figure with its code, a page of them. Reads.
    pub async fn stock_figures(&self, page: u32) -> Result<Page<(String, WarehouseStock)>, CallError> {
        let found: Vec<wire::Stock> = self.list("list_stock", "/api/v1/stock", Vec::new(), page).await?;
        let more = found.len() >= PAGE_SIZE;
        let figure = |wire: &wire::Stock| Some((wire.product_code.clone()?, translate::stock(wire)?));
        Ok(Page { items: found.iter().filter_map(figure).collect(), more })
    }

    /// The product of exactly this code. Reads.
    pub async fn product(&self, code: &str) -> Result<Option<WarehouseProduct>, CallError> {
        let query = vec![("code", code.to_owned())];
        let found: Vec<wire::Product> = self.list("read_product", "/api/v1/products", query, 1).await?;
        Ok(found.into_iter().filter_map(translate::product).find(|product| product.code == code))
    }

    /// Every product, a page of them. Reads.
    pub async fn products(&self, page: u32) -> Result<Page<WarehouseProduct>, CallError> {
        let found: Vec<wire::Product> =
            self.list("list_products", "/api/v1/products", Vec::new(), page).await?;
        let more = found.len() >= PAGE_SIZE;
        Ok(Page { items: found.into_iter().filter_map(translate::product).collect(), more })
    }

    /// Creates a product. Once: codes are unique there, but what a second create answers is not public.
    pub async fn create_product(&self, item: &Item, key: &str) -> Result<(), CallError> {
        let body = body(item, true);
        self.act("create_product", Method::POST, "/api/v1/products", Vec::new(), body, key).await.map(drop)
    }

    /// Brings the product that stands there as `there` to this item. Another code renames it, so that it is not left
    /// behind as an orphan. Idempotent: done twice, the second finds no product of the old code.
    pub async fn update_product(
        &self,
        there: &WarehouseProduct,
        item: &Item,
        key: &str,
    ) -> Result<(), CallError> {
        // WebEncoders of ASP.NET: base64url without padding (docs/contract.md §2.5).
        let code = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&there.code);
        let path = format!("/api/v1/products/{}", segment(&code));
        let query = vec![("base64url", "true".to_owned())];
        let name = if there.code == item.code { "update_product" } else { "rename_product" };
        let body = body(item, there.more.ean.is_none());
        self.act(name, Method::PUT, &path, query, body, key).await.map(drop)
    }
}

fn body(item: &Item, with_ean: bool) -> Value {
    serde_json::to_value(translate::new_product(item, with_ean)).expect("an item is plain data")
}
