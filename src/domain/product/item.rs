//! An item as it is sent to the warehouse, and as the warehouse has it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::digest::sha256_hex;

/// The longest product code that is sent; the vendor's own limit is not public (docs/contract.md U19).
pub const MAX_CODE_LENGTH: usize = 50;

/// An item as it is sent to the warehouse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemDraft {
    /// Its subject: `product:77`, or `product:77/5` for a variation.
    #[serde(skip)]
    pub item: String,
    /// Its code exactly as the shop spells it.
    #[serde(skip)]
    pub shop_code: String,
    /// The product code at the warehouse, without spaces around it; neither empty nor too long. Another one than the
    /// shop's where that is an alias.
    pub code: String,
    /// The name, followed by the variation's.
    pub name: String,
    /// Two letters.
    pub language: String,
    /// The other fields; the warehouse keeps its own value of what is left out.
    #[serde(flatten)]
    pub details: ItemDetails,
}

/// The fields of a product besides its code and name, on either side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ItemDetails {
    /// The barcode. Sent only where the warehouse has none: it never overwrites one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ean: Option<String>,
    /// The supplier's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplier_code: Option<String>,
    /// The supplier's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplier: Option<String>,
    /// A description for shoppers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the merchant pays for one piece, in `currency`.
    #[serde(with = "rust_decimal::serde::str_option", skip_serializing_if = "Option::is_none")]
    pub supply_price: Option<Decimal>,
    /// What the shopper pays for one piece, in `currency`.
    #[serde(with = "rust_decimal::serde::str_option", skip_serializing_if = "Option::is_none")]
    pub sales_price: Option<Decimal>,
    /// ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_of_origin: Option<String>,
    /// What it is, for customs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customs_description: Option<String>,
    /// The commodity code for customs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hs_code: Option<String>,
    /// Its page in the shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info_url: Option<String>,
    /// Its picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture_url: Option<String>,
}

impl ItemDraft {
    /// Its id in the shop: the last number of its subject.
    pub fn id(&self) -> &str {
        self.item.rsplit([':', '/']).next().unwrap_or_default()
    }

    /// The hash of what is sent: while it stays the same, a product costs no call.
    pub fn hash(&self) -> String {
        sha256_hex(&serde_json::to_vec(self).expect("an item is plain data"))
    }
}

/// A product as the warehouse has it now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarehouseProduct {
    /// Its id there.
    pub id: Option<String>,
    /// Its code, as the warehouse spells it.
    pub code: String,
    /// Its name.
    pub name: Option<String>,
    /// The other fields.
    #[serde(flatten)]
    pub details: ItemDetails,
}
