//! The connection's rules for products.

use std::collections::{BTreeMap, BTreeSet};

use super::{CodeKey, ExtraData, Stored, Supplier, matches_code};
use crate::domain::{order::ShopLine, switch::Switch};

/// The connection's rules for products.
#[derive(Clone, Debug, Default)]
pub struct ProductPolicy {
    /// Create and update products at the warehouse automatically, only when an operator asks, or never.
    pub upload: Switch,
    /// Names or ids of the suppliers whose goods are at the warehouse. Empty: all goods are.
    pub suppliers: Vec<String>,
    /// Codes that are not at the warehouse.
    pub exclude_codes: BTreeSet<CodeKey>,
    /// Codes that nobody packs, as gift cards and services; `*` stands for anything.
    pub not_packed: Vec<String>,
    /// Codes that are packed as other codes, each with its pieces.
    pub kits: BTreeMap<CodeKey, Vec<(String, i64)>>,
    /// Rename a product at the warehouse when its code changes in the shop (docs/contract.md §2.9).
    pub rename: bool,
    /// The merchant's extra data by code, which goes before the settings here.
    pub extra: ExtraData,
    /// Two letters; the warehouse decides which are allowed.
    pub language: String,
    /// The country of origin of every product, two letters.
    pub country_of_origin: Option<String>,
    /// The currency of prices; `None` sends no prices.
    pub currency: Option<String>,
    /// Send descriptions.
    pub descriptions: bool,
    /// A product's page in the shop, with `{id}` for its number.
    pub info_url: Option<String>,
    /// A product's picture, with `{file}` for its file name.
    pub picture_url: Option<String>,
}

impl ProductPolicy {
    /// Says whether an item of this code and supplier is stored at the warehouse: the one rule for products and stock,
    /// and for order lines too but for kits.
    pub fn check_stored(&self, code: &str, supplier: &Supplier) -> Stored {
        if self.is_excluded(code) || self.is_not_packed(code) || self.kit(code).is_some() {
            return Stored::No;
        }
        let is = |text: &str| self.suppliers.iter().any(|it| it.to_lowercase() == text.to_lowercase());
        match supplier {
            _ if self.suppliers.is_empty() => Stored::Yes,
            Supplier::Named { id, name } if is(id) || name.as_deref().is_some_and(is) => Stored::Yes,
            Supplier::Named { .. } | Supplier::Unnamed => Stored::No,
            Supplier::NotRead | Supplier::Unknown => Stored::Unknown,
        }
    }

    /// The same for an order line. The components of a kit are at the warehouse, by whatever supplier the kit is.
    pub fn check_line(&self, code: &str, supplier: &Supplier) -> Stored {
        if self.kit(code).is_some() { Stored::Yes } else { self.check_stored(code, supplier) }
    }

    /// True for an order line that is certainly stored at the warehouse.
    pub fn is_stored_line(&self, line: &ShopLine) -> bool {
        self.check_line(line.code(), &line.supplier) == Stored::Yes
    }

    /// The code that the warehouse knows the product of this code of the shop under.
    pub fn code_at_warehouse<'a>(&'a self, code: &'a str) -> &'a str {
        self.extra.code_at_warehouse(code)
    }

    /// The key of the product that a code of the shop means at the warehouse.
    pub fn product_key(&self, code: &str) -> CodeKey {
        CodeKey::of(self.code_at_warehouse(code))
    }

    /// True for a code that is excluded by configuration.
    pub fn is_excluded(&self, code: &str) -> bool {
        self.exclude_codes.contains(&CodeKey::of(code))
            || self.exclude_codes.contains(&self.product_key(code))
    }

    /// The components of a kit, each with its pieces; `None` for another code.
    pub fn kit(&self, code: &str) -> Option<&[(String, i64)]> {
        let of_row = self.extra.row(code).map(|row| &row.kit).filter(|kit| !kit.is_empty());
        let of_settings =
            || self.kits.get(&CodeKey::of(code)).or_else(|| self.kits.get(&self.product_key(code)));
        of_row.or_else(of_settings).map(Vec::as_slice)
    }

    /// True for a code that nobody packs.
    pub fn is_not_packed(&self, code: &str) -> bool {
        let code_there = self.code_at_warehouse(code);
        self.not_packed.iter().any(|pattern| matches_code(pattern, code) || matches_code(pattern, code_there))
    }
}
