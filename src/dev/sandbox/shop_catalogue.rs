//! The fake shop's catalogue and stock items.

use serde_json::{Value, json};

use super::{
    shop::Shop,
    shop_state::{Product, merge},
    webhook::Webhook,
};

impl Shop {
    /// Adds a product to the catalogue, with its stock item.
    pub fn add_product(&self, id: u64, code: &str, name: &str, quantity: i64) {
        let product = Product {
            name: name.to_owned(),
            code: code.to_owned(),
            variations: Vec::new(),
            supplier: None,
            patch: Value::Null,
            updated_at: self.now(),
        };
        let mut state = self.state();
        state.products.insert(id, product);
        let item = state.stock.entry(code.to_owned()).or_default();
        (item.quantity, item.enabled) = (quantity, true);
    }

    /// Sets a product's variations: id, code, name.
    pub fn set_variations(&self, id: u64, variations: &[(u64, &str, &str)]) {
        let named = |(id, code, name): &(u64, &str, &str)| (*id, (*code).to_owned(), (*name).to_owned());
        let mut own = String::new();
        self.edit(id, |product| {
            product.variations = variations.iter().map(named).collect();
            own.clone_from(&product.code);
        });
        let mut state = self.state();
        state.stock.remove(&own); // stock lives on the variations then
        for (_, code, _) in variations {
            state.stock.entry((*code).to_owned()).or_default().enabled = true;
        }
    }

    /// Renames a product.
    pub fn rename_product(&self, id: u64, name: &str) {
        self.edit(id, |product| name.clone_into(&mut product.name));
    }

    /// Changes a product's code. Its stock item moves along, unless the new code has one.
    pub fn change_product_code(&self, id: u64, code: &str) {
        let mut old = String::new();
        self.edit(id, |product| old = std::mem::replace(&mut product.code, code.to_owned()));
        let mut state = self.state();
        let is_shared = state.products.values().any(|product| product.code == old);
        let item = if is_shared { state.stock.get(&old).cloned() } else { state.stock.remove(&old) };
        state.stock.entry(code.to_owned()).or_insert(item.unwrap_or_default());
    }

    /// Merges a patch over a product's JSON (RFC 7396).
    pub fn patch_product(&self, id: u64, patch: &Value) {
        self.edit(id, |product| merge(&mut product.patch, patch));
    }

    /// Removes a product and its stock item. No webhook and no list reports it.
    pub fn remove_product(&self, id: u64) {
        let mut state = self.state();
        if let Some(product) = state.products.remove(&id)
            && !state.products.values().any(|other| other.code == product.code)
        {
            state.stock.remove(&product.code);
        }
    }

    /// Sets a product's supplier: 71 is Kahvila Oy, 72 Teetalo Oy.
    pub fn set_supplier(&self, product: u64, supplier: u64) {
        if let Some(product) = self.state().products.get_mut(&product) {
            product.supplier = Some(supplier);
        }
    }

    /// Sets a stock figure by hand, as a shopkeeper would.
    pub fn set_quantity(&self, code: &str, quantity: i64, enabled: bool) {
        let mut state = self.state();
        let item = state.stock.entry(code.to_owned()).or_default();
        (item.quantity, item.enabled) = (quantity, enabled);
    }

    fn edit(&self, id: u64, edit: impl FnOnce(&mut Product)) {
        let now = self.now();
        if let Some(product) = self.state().products.get_mut(&id) {
            edit(product);
            product.updated_at = now;
        }
    }

    /// Every item (a variation, or a product without any): code, and its expected name at the warehouse.
    pub fn catalogue(&self) -> Vec<(String, String)> {
        let state = self.state();
        let items = state.products.values().flat_map(|product| {
            let own = (product.code.clone(), product.name.clone());
            let varied = product.variations.iter();
            let varied: Vec<_> =
                varied.map(|(_, code, name)| (code.clone(), format!("{} - {name}", product.name))).collect();
            if varied.is_empty() { vec![own] } else { varied }
        });
        items.collect()
    }

    /// The quantity of a code.
    pub fn quantity(&self, code: &str) -> Option<i64> {
        self.state().stock.get(code).map(|item| item.quantity)
    }

    /// Whether the shop tracks the stock of a code.
    pub fn is_tracked(&self, code: &str) -> bool {
        self.state().stock.get(code).is_some_and(|item| item.enabled)
    }

    /// From now on, a quantity that is written to an item whose stock is not tracked is accepted and forgotten.
    pub fn forget_untracked_stock(&self) {
        self.state().forgets_untracked = true;
    }

    /// What the shop sells of a code: its quantity minus what open orders reserve.
    pub fn balance(&self, code: &str) -> Option<i64> {
        self.state().stock.get(code).map(|item| item.quantity - item.reserved)
    }

    /// The webhook about a changed product.
    pub fn product_updated(&self, id: u64) -> Webhook {
        let updated_at = self.state().products.get(&id).map(|product| product.updated_at.to_rfc3339());
        Webhook::from_shop(
            &json!({ "topic": "product.updated", "data": { "id": id, "updated_at": updated_at } }),
        )
    }
}
