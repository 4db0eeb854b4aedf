//! The warehouse's products and stock: read, listed, created, updated and renamed.

use base64::Engine;
use reqwest::Method;
use serde_json::Value;

use super::{Body, CallError, ChangedItem, Ogoship, PAGE_SIZE, Page, modified_after, translate, wire};
use crate::{
    domain::{
        Timestamp,
        product::{ItemDraft, WarehouseProduct},
        stock::WarehouseStock,
    },
    vendors::lenient_json::encode_segment,
};

impl Ogoship {
    /// Does the warehouse answer, and take our credentials? The smallest thing to ask for. Reads.
    pub async fn probe(&self) -> Result<(), CallError> {
        let query = vec![("limit", "1".to_owned()), ("page", "1".to_owned())];
        self.send("probe", Method::GET, "/api/v1/stock", query, Body::Empty, None).await.map(drop)
    }

    /// The stock of exactly this code. Reads.
    pub async fn get_stock(&self, code: &str) -> Result<Option<WarehouseStock>, CallError> {
        let query = vec![("productCode", code.to_owned())];
        let found: Vec<wire::Stock> = self.list("read_stock", "/api/v1/stock", query, 1).await?;
        let exact = found.iter().find(|wire| wire.product_code.as_deref() == Some(code));
        Ok(exact.and_then(translate::stock))
    }

    /// Stock figures changed after a time. Reads.
    pub async fn list_stock_changed(
        &self,
        after: Timestamp,
        page: u32,
    ) -> Result<Page<ChangedItem>, CallError> {
        let found: Vec<wire::Stock> =
            self.list("list_stock", "/api/v1/stock", modified_after(after), page).await?;
        let has_more = found.len() >= PAGE_SIZE;
        let items = found.into_iter().filter_map(|wire| {
            let version = translate::stock_version(&wire);
            Some(ChangedItem { name: wire.product_code?, version })
        });
        Ok(Page { items: items.collect(), has_more })
    }

    /// Every stock figure with its code, a page of them. Reads.
    pub async fn list_stock_figures(&self, page: u32) -> Result<Page<(String, WarehouseStock)>, CallError> {
        let found: Vec<wire::Stock> = self.list("list_stock", "/api/v1/stock", Vec::new(), page).await?;
        let has_more = found.len() >= PAGE_SIZE;
        let figure = |wire: &wire::Stock| Some((wire.product_code.clone()?, translate::stock(wire)?));
        Ok(Page { items: found.iter().filter_map(figure).collect(), has_more })
    }

    /// The product of exactly this code. Reads.
    pub async fn get_product(&self, code: &str) -> Result<Option<WarehouseProduct>, CallError> {
        let query = vec![("code", code.to_owned())];
        let found: Vec<wire::Product> = self.list("read_product", "/api/v1/products", query, 1).await?;
        Ok(found.into_iter().filter_map(translate::product).find(|product| product.code == code))
    }

    /// Every product, a page of them. Reads.
    pub async fn list_products(&self, page: u32) -> Result<Page<WarehouseProduct>, CallError> {
        let found: Vec<wire::Product> =
            self.list("list_products", "/api/v1/products", Vec::new(), page).await?;
        let has_more = found.len() >= PAGE_SIZE;
        Ok(Page { items: found.into_iter().filter_map(translate::product).collect(), has_more })
    }

    /// Creates a product. Once: codes are unique there, but what a second create answers is not public.
    pub async fn create_product(&self, draft: &ItemDraft, key: &str) -> Result<(), CallError> {
        let body = body(draft, true);
        self.submit("create_product", Method::POST, "/api/v1/products", Vec::new(), body, key).await.map(drop)
    }

    /// Brings the product that stands there as `current` to this draft. Another code renames it, so that it is not left
    /// behind as an orphan. Idempotent: done twice, the second finds no product of the old code.
    pub async fn update_product(
        &self,
        current: &WarehouseProduct,
        draft: &ItemDraft,
        key: &str,
    ) -> Result<(), CallError> {
        // WebEncoders of ASP.NET: base64url without padding (docs/contract.md §2.5).
        let code = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&current.code);
        let path = format!("/api/v1/products/{}", encode_segment(&code));
        let query = vec![("base64url", "true".to_owned())];
        let name = if current.code == draft.code { "update_product" } else { "rename_product" };
        let body = body(draft, current.details.ean.is_none());
        self.submit(name, Method::PUT, &path, query, body, key).await.map(drop)
    }
}

fn body(draft: &ItemDraft, with_ean: bool) -> Value {
    serde_json::to_value(translate::new_product(draft, with_ean)).expect("an item is plain data")
}
