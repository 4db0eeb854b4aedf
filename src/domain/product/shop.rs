//! A product as the shop has it now.

use rust_decimal::Decimal;

use super::Supplier;

/// A product of the shop, with its variations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopProduct {
    /// Its id in the shop.
    pub id: String,
    /// Its `updated_at`.
    pub version: Option<String>,
    /// Its own fields; variations inherit from them.
    pub fields: ProductFields,
    /// Whose goods it and its variations are.
    pub supplier: Supplier,
    /// Empty for a product without variations.
    pub variations: Vec<Variation>,
    /// Fields above that decide something and cannot be read; their values stand for nothing.
    pub unreadable: Vec<String>,
}

impl ShopProduct {
    /// Names the fields that cannot be read; `None` where all can. Otherwise nothing of the product is sent, and what is
    /// registered of it stays: the codes that it had are still taken.
    pub fn unreadable_detail(&self) -> Option<String> {
        let fields = self.unreadable.join(", ");
        (!fields.is_empty()).then(|| format!("the shop's product has values that cannot be read: {fields}"))
    }
}

/// A variation of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variation {
    /// Its id in the shop.
    pub id: String,
    /// Its own fields.
    pub fields: ProductFields,
}

/// The fields of a product or a variation in the shop. Empty text is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductFields {
    /// The product code, the one name that both vendors share.
    pub code: Option<String>,
    /// The name on packing lists.
    pub name: Option<String>,
    /// The barcode.
    pub ean: Option<String>,
    /// The supplier's own code.
    pub supplier_code: Option<String>,
    /// A description for shoppers.
    pub description: Option<String>,
    /// What the merchant pays for one piece.
    pub purchase_price: Option<Decimal>,
    /// What the shopper pays for one piece.
    pub price: Option<Decimal>,
    /// The file name of the first picture.
    pub picture: Option<String>,
}
