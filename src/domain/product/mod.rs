//! Products: the shop's catalogue flows to the warehouse, and never back.
//!
//! The warehouse knows no variations: each is a product of its own there, named "Product - Variation" and inheriting
//! what it lacks. A subject is the whole product of the shop; its items are brought into sync one action at a time.
//!
//! The one name that both vendors share is the product code, and a code must be one thing's. The shop does not force
//! that, so the catalogue as last read is remembered ([`CodeRegister`]): a code that two items have is held back in both, and
//! let go as soon as one of them has left it.

mod codes;
mod decide;
mod shelf;

pub use codes::{CatalogueItem, CodeProblem, CodeRegister, DuplicateItem, KnownItem, code_key};
pub use decide::{Decision, ItemView, decide, differences};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
pub use shelf::{ItemDrafts, WithheldItem, draft_items};

use super::{event::dedup::sha256_hex, order::ShopLine};

/// The longest product code we send; the vendor's own limit is not public, see U19 of the contract.
pub const MAX_CODE_LENGTH: usize = 50;

/// A product of the shop, with its variations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopProduct {
    /// Its id in the shop.
    pub id: String,
    /// Its `updated_at`.
    pub version: Option<String>,
    /// Its own fields; with variations, the fields they inherit.
    pub fields: ProductFields,
    /// Whose goods it and its variations are.
    pub supplier: Supplier,
    /// Empty for a product without variations.
    pub variations: Vec<Variation>,
}

/// A variation of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variation {
    /// Its id in the shop.
    pub id: String,
    /// What it says of itself.
    pub fields: ProductFields,
}

/// What the shop says of a thing that can lie on a shelf. Empty text is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductFields {
    /// The product code, the one name both vendors share.
    pub code: Option<String>,
    /// Shown on packing lists.
    pub name: Option<String>,
    /// Barcode.
    pub ean: Option<String>,
    /// The supplier's own code.
    pub supplier_code: Option<String>,
    /// Words for shoppers.
    pub description: Option<String>,
    /// What the merchant pays for one.
    pub purchase_price: Option<Decimal>,
    /// What the shopper pays for one.
    pub price: Option<Decimal>,
    /// File name of its first picture.
    pub picture: Option<String>,
}

/// A product as it should stand at the warehouse: exactly what is sent of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemDraft {
    /// The remembered item: `product:77`, or `product:77/5` for a variation.
    #[serde(skip)]
    pub item: String,
    /// The product code; neither empty nor too long.
    pub code: String,
    /// Name, with the variation's behind it.
    pub name: String,
    /// Two letters.
    pub language: String,
    /// What else is sent; where we have nothing to say, the warehouse keeps what it has.
    #[serde(flatten)]
    pub details: ItemDetails,
}

/// What either side may say of a product besides its code and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ItemDetails {
    /// Barcode: sent only where the warehouse has none, since an existing one is never overwritten there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ean: Option<String>,
    /// The supplier's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplier_code: Option<String>,
    /// The supplier's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplier: Option<String>,
    /// Words for shoppers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the merchant pays for one, in `currency`.
    #[serde(with = "rust_decimal::serde::str_option", skip_serializing_if = "Option::is_none")]
    pub supply_price: Option<Decimal>,
    /// What the shopper pays for one, in `currency`.
    #[serde(with = "rust_decimal::serde::str_option", skip_serializing_if = "Option::is_none")]
    pub sales_price: Option<Decimal>,
    /// ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_of_origin: Option<String>,
    /// Its page in the shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info_url: Option<String>,
    /// Its picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture_url: Option<String>,
}

impl ItemDraft {
    /// Its id in the shop: the item's last number.
    pub fn id(&self) -> &str {
        self.item.rsplit([':', '/']).next().unwrap_or_default()
    }

    /// The fingerprint of what is sent: as long as it stays, an unchanged product costs no call.
    pub fn hash(&self) -> String {
        sha256_hex(&serde_json::to_vec(self).expect("an item is plain data"))
    }
}

/// A product as the warehouse has it now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarehouseProduct {
    /// Its id there.
    pub id: Option<String>,
    /// Its code, exactly as it is spelt there.
    pub code: String,
    /// Its name.
    pub name: Option<String>,
    /// The rest.
    #[serde(flatten)]
    pub details: ItemDetails,
}

/// Whose goods these are, as far as we know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Supplier {
    /// Not read: the connection's rules do not ask.
    #[default]
    NotRead,
    /// The shop names none.
    Nobody,
    /// This one.
    Named {
        /// The supplier's id in the shop.
        id: String,
        /// Its name, where the shop's list has it.
        name: Option<String>,
    },
    /// The shop does not know the product any more.
    Unknown,
}

/// Is a thing stored at the warehouse?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The rules ask for its supplier, whom nobody knows.
    Unknown,
}

/// The connection's rules for products.
#[derive(Clone, Debug, Default)]
pub struct ProductPolicy {
    /// Names or ids of the suppliers whose goods are at the warehouse; empty is everybody's.
    pub suppliers: Vec<String>,
    /// Codes that are not at the warehouse.
    pub exclude_codes: Vec<String>,
    /// Two letters; what is allowed depends on the warehouse.
    pub language: String,
    /// Sent with every product: two letters, or nothing.
    pub country_of_origin: Option<String>,
    /// Are prices sent, and in which currency?
    pub currency: Option<String>,
    /// Are descriptions sent?
    pub descriptions: bool,
    /// A product's page in the shop, with `{id}` for its number.
    pub info_url: Option<String>,
    /// A product's picture, with `{file}` for its file name.
    pub picture_url: Option<String>,
}

impl ProductPolicy {
    /// Is a thing of this code and supplier stored at the warehouse? The one rule for products, stock and order lines.
    pub fn check_stored(&self, code: &str, supplier: &Supplier) -> Stored {
        if self.exclude_codes.iter().any(|excluded| excluded == code) {
            return Stored::No;
        }
        let is = |text: &str| self.suppliers.iter().any(|it| it.to_lowercase() == text.to_lowercase());
        match supplier {
            _ if self.suppliers.is_empty() => Stored::Yes,
            Supplier::Named { id, name } if is(id) || name.as_deref().is_some_and(is) => Stored::Yes,
            Supplier::Named { .. } | Supplier::Nobody => Stored::No,
            Supplier::NotRead | Supplier::Unknown => Stored::Unknown,
        }
    }

    /// Is a line of an order surely the warehouse's to ship?
    pub fn is_stored_line(&self, line: &ShopLine) -> bool {
        self.check_stored(line.code.as_deref().unwrap_or_default().trim(), &line.supplier) == Stored::Yes
    }
}
