//! The connection's rules for products.

use super::{Stored, Supplier};
use crate::domain::order::ShopLine;

/// The connection's rules for products.
#[derive(Clone, Debug, Default)]
pub struct ProductPolicy {
    /// Names or ids of the suppliers whose goods are at the warehouse. Empty: all goods are.
    pub suppliers: Vec<String>,
    /// Codes that are not at the warehouse.
    pub exclude_codes: Vec<String>,
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
    /// Says whether an item of this code and supplier is stored at the warehouse: the one rule for products,
    /// stock and order lines.
    pub fn check_stored(&self, code: &str, supplier: &Supplier) -> Stored {
        if self.exclude_codes.iter().any(|excluded| excluded == code) {
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

    /// True for an order line that is certainly stored at the warehouse.
    pub fn is_stored_line(&self, line: &ShopLine) -> bool {
        self.check_stored(line.code.as_deref().unwrap_or_default().trim(), &line.supplier) == Stored::Yes
    }
}
