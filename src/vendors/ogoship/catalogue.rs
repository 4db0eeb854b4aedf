//! The warehouse's products and stock: read, list, create, update and rename them.

use base64::Engine;
use reqwest::Method;
use serde_json::Value;

use super::{
    client::{Ogoship, PAGE_SIZE, Page, Request, is_full},
    translate, wire,
};
use crate::{
    domain::{
        product::{ItemDraft, WarehouseProduct, is_same_code},
        stock::WarehouseStock,
    },
    vendors::{
        changes::{ChangePage, ChangeRequest},
        http::error::CallError,
        lenient_json::encode_segment,
        version::ReadStart,
    },
};

const PRODUCTS: &str = "/api/v1/products";
const STOCK: &str = "/api/v1/stock";

impl Ogoship {
    /// Checks that the warehouse answers and accepts the credentials, by the cheapest read.
    pub async fn probe(&self) -> Result<(), CallError> {
        self.send(Request::get("probe", STOCK).page(1, 1)).await.map(drop)
    }

    /// Reads the stock of exactly this code.
    pub async fn get_stock(&self, code: &str) -> Result<Option<WarehouseStock>, CallError> {
        let request = Request::get("read_stock", STOCK).query("productCode", code);
        let (found, start) = self.list::<wire::Stock>(request, 1).await?;
        let exact = found.iter().find(|wire| wire.product_code.as_deref() == Some(code));
        Ok(exact.map(|wire| marked(translate::stock(wire), start)))
    }

    /// Lists stock figures changed since a time. Reads.
    pub async fn list_stock_changed(&self, request: ChangeRequest) -> Result<ChangePage, CallError> {
        self.changed(Request::get("list_stock", STOCK), request, translate::changed_stock).await
    }

    /// Lists all stock figures with their codes. Reads a page.
    pub async fn list_stock_figures(&self, page: u32) -> Result<Page<(String, WarehouseStock)>, CallError> {
        let (found, start) = self.list::<wire::Stock>(Request::get("list_stock", STOCK), page).await?;
        let has_more = is_full(&found, PAGE_SIZE);
        let figure =
            |wire: &wire::Stock| Some((wire.product_code.clone()?, marked(translate::stock(wire), start)));
        Ok(Page { items: found.iter().filter_map(figure).collect(), has_more })
    }

    /// Reads the product of exactly this code.
    pub async fn get_product(&self, code: &str) -> Result<Option<WarehouseProduct>, CallError> {
        let request = Request::get("read_product", PRODUCTS).query("code", code);
        let (found, _) = self.list::<wire::Product>(request, 1).await?;
        Ok(found.into_iter().filter_map(translate::product).find(|product| product.code == code))
    }

    /// Lists all products. Reads a page.
    pub async fn list_products(&self, page: u32) -> Result<Page<WarehouseProduct>, CallError> {
        let (found, _) = self.list::<wire::Product>(Request::get("list_products", PRODUCTS), page).await?;
        let has_more = is_full(&found, PAGE_SIZE);
        Ok(Page { items: found.into_iter().filter_map(translate::product).collect(), has_more })
    }

    /// Creates a product. Once: codes are unique there, but the answer to a second create is not public.
    pub async fn create_product(&self, draft: &ItemDraft, key: &str) -> Result<(), CallError> {
        let request = Request::new("create_product", Method::POST, PRODUCTS);
        self.send(request.body(body(draft, &draft.code, true)).key(key)).await.map(drop)
    }

    /// Updates the product `current` to this draft. Another code renames it, so that no orphan is left; one that differs
    /// only in its spelling does not. Idempotent: a repeat finds no product with the old code.
    pub async fn update_product(
        &self,
        current: &WarehouseProduct,
        draft: &ItemDraft,
        key: &str,
    ) -> Result<(), CallError> {
        let (name, new_code) = if is_same_code(&current.code, &draft.code) {
            ("update_product", &current.code)
        } else {
            ("rename_product", &draft.code)
        };
        // As ASP.NET's WebEncoders: base64url without padding (docs/contract.md §2.5).
        let code = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&current.code);
        let path = format!("{PRODUCTS}/{}", encode_segment(&code));
        let body = body(draft, new_code, current.details.ean.is_none());
        let request = Request::new(name, Method::PUT, &path).query("base64url", "true");
        self.send(request.body(body).key(key)).await.map(drop)
    }
}

/// The figure with its version as it is remembered.
fn marked(stock: WarehouseStock, start: ReadStart) -> WarehouseStock {
    let version = stock.version.map(|version| start.mark(version, stock.modified));
    WarehouseStock { version, read_at: start.time(), ..stock }
}

fn body(draft: &ItemDraft, code: &str, with_ean: bool) -> Value {
    serde_json::to_value(translate::new_product(draft, code, with_ean)).expect("an item is plain data")
}
