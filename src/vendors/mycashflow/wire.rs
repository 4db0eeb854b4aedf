//! `MyCashflow`'s fields as it spells them (docs/contract.md §1.5 and §1.7), as loosely typed as they come.
//!
//! A `Field` is one that decides something: `translate` says for each what an unreadable value means (docs/contract.md,
//! "Fields that cannot be read"). The others are only shown or passed on.
#![expect(missing_docs, reason = "the fields are the vendor's; the contract named above is their document")]

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::vendors::{
    field::{self, Field},
    lenient_json::{code, decimal, integer, list, object, text},
};

/// A list's envelope; `next` is absent on the last page. An answer without `data` is no empty list.
#[derive(Debug, Deserialize)]
pub struct List {
    #[serde(deserialize_with = "rows")]
    pub data: Vec<Value>,
    #[serde(default)]
    pub meta: Meta,
}

#[derive(Debug, Default, Deserialize)]
pub struct Meta {
    #[serde(default)]
    pub next: Option<Value>,
    #[serde(default, deserialize_with = "integer")]
    pub item_count: Option<i64>,
}

/// The rows of a list. PHP sends an object with numbers as keys once the first row was taken out of a list.
fn rows<'de, D: Deserializer<'de>>(wire: D) -> Result<Vec<Value>, D::Error> {
    let no_list = || serde::de::Error::custom("data is no list");
    match Value::deserialize(wire)? {
        Value::Array(rows) => Ok(rows),
        Value::Object(map) => {
            let rows = map.into_iter().map(|(key, row)| Some((key.parse::<u64>().ok()?, row)));
            let mut rows: Vec<_> = rows.collect::<Option<_>>().ok_or_else(no_list)?;
            rows.sort_by_key(|(key, _)| *key);
            Ok(rows.into_iter().map(|(_, row)| row).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(no_list()),
    }
}

/// One item's envelope.
#[derive(Debug, Deserialize)]
pub struct One<T> {
    pub data: T,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Order {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "field::text")]
    pub created_at: Field<String>,
    #[serde(deserialize_with = "text")]
    pub details: Option<String>,
    #[serde(deserialize_with = "text")]
    pub receipt_url: Option<String>,
    #[serde(deserialize_with = "text")]
    pub updated_at: Option<String>,
    #[serde(deserialize_with = "field::text")]
    pub status: Field<String>,
    #[serde(deserialize_with = "field::text")]
    pub shipping_method_id: Field<String>,
    #[serde(deserialize_with = "field::boolean")]
    pub different_shipping_address: Field<bool>,
    #[serde(deserialize_with = "field::object")]
    pub customer_information: Field<Address>,
    #[serde(deserialize_with = "field::object")]
    pub shipping_address: Field<Address>,
    #[serde(deserialize_with = "field::list")]
    pub products: Field<Vec<Field<Line>>>,
    #[serde(deserialize_with = "field::list")]
    pub shipments: Field<Vec<Field<Shipment>>>,
    #[serde(deserialize_with = "field::list")]
    pub payments: Field<Vec<Field<Payment>>>,
    #[serde(deserialize_with = "field::decimal")]
    pub total: Field<Decimal>,
}

impl Order {
    /// The products of its lines.
    pub fn product_ids(&self) -> impl Iterator<Item = String> {
        self.products.readable().filter_map(|line| line.product_id.clone())
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Address {
    #[serde(deserialize_with = "text")]
    pub company: Option<String>,
    #[serde(deserialize_with = "text")]
    pub first_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub last_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub street_address: Option<String>,
    #[serde(deserialize_with = "text")]
    pub postal_code: Option<String>,
    #[serde(deserialize_with = "text")]
    pub city: Option<String>,
    #[serde(deserialize_with = "text")]
    pub country: Option<String>,
    #[serde(deserialize_with = "text")]
    pub phone: Option<String>,
    #[serde(deserialize_with = "text")]
    pub email: Option<String>,
}

impl Address {
    /// True where nothing is filled in.
    pub fn is_empty(&self) -> bool {
        let Self { company, first_name, last_name, street_address, postal_code, city, country, phone, email } =
            self;
        [company, first_name, last_name, street_address, postal_code, city, country, phone, email]
            .into_iter()
            .all(Option::is_none)
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(..)") // personal data is never printed
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Line {
    #[serde(deserialize_with = "text")]
    pub product_id: Option<String>,
    #[serde(deserialize_with = "field::text")]
    pub shipment_id: Field<String>,
    #[serde(deserialize_with = "decimal")]
    pub unit_price: Option<Decimal>,
    #[serde(deserialize_with = "decimal")]
    pub vat_rate: Option<Decimal>,
    #[serde(deserialize_with = "field::code")]
    pub product_code: Field<String>,
    #[serde(deserialize_with = "text")]
    pub product_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub model_name: Option<String>,
    #[serde(deserialize_with = "field::decimal")]
    pub quantity: Field<Decimal>,
    #[serde(deserialize_with = "field::text")]
    pub download_id: Field<String>,
    pub customizations: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Shipment {
    #[serde(deserialize_with = "field::text")]
    pub id: Field<String>,
    #[serde(deserialize_with = "field::text")]
    pub status: Field<String>,
    #[serde(deserialize_with = "field::text")]
    pub completed_at: Field<String>,
    #[serde(deserialize_with = "field::text")]
    pub r#type: Field<String>,
    #[serde(deserialize_with = "text")]
    pub shipping_method_id: Option<String>,
    #[serde(deserialize_with = "field::text")]
    pub external_pickup_point_id: Field<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Payment {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub payment_method_id: Option<String>,
    #[serde(deserialize_with = "field::decimal")]
    pub amount: Field<Decimal>,
    #[serde(deserialize_with = "text")]
    pub currency: Option<String>,
    #[serde(deserialize_with = "field::boolean")]
    pub is_paid: Field<bool>,
    #[serde(deserialize_with = "field::text")]
    pub status: Field<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Product {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub updated_at: Option<String>,
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "field::code")]
    pub product_code: Field<String>,
    #[serde(deserialize_with = "text")]
    pub supplier_code: Option<String>,
    #[serde(deserialize_with = "field::text")]
    pub supplier_id: Field<String>,
    #[serde(deserialize_with = "text")]
    pub barcode: Option<String>,
    #[serde(deserialize_with = "text")]
    pub description: Option<String>,
    #[serde(deserialize_with = "decimal")]
    pub price: Option<Decimal>,
    #[serde(deserialize_with = "decimal")]
    pub purchase_price: Option<Decimal>,
    #[serde(deserialize_with = "object")]
    pub stock_item: StockItem,
    #[serde(deserialize_with = "list")]
    pub image_links: Vec<ImageLink>,
    #[serde(deserialize_with = "field::list")]
    pub variations: Field<Vec<Field<Variation>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ImageLink {
    #[serde(deserialize_with = "text")]
    pub filename: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Variation {
    #[serde(deserialize_with = "field::text")]
    pub id: Field<String>,
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "field::code")]
    pub product_code: Field<String>,
    #[serde(deserialize_with = "decimal")]
    pub price: Option<Decimal>,
    #[serde(deserialize_with = "decimal")]
    pub purchase_price: Option<Decimal>,
    #[serde(deserialize_with = "object")]
    pub stock_item: StockItem,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StockItem {
    #[serde(deserialize_with = "code")]
    pub code: Option<String>,
    #[serde(deserialize_with = "text")]
    pub product_id: Option<String>,
    #[serde(deserialize_with = "field::boolean")]
    pub enabled: Field<bool>,
    #[serde(deserialize_with = "field::integer")]
    pub quantity: Field<i64>,
    #[serde(deserialize_with = "field::integer")]
    pub reserved: Field<i64>,
    #[serde(deserialize_with = "text")]
    pub barcode: Option<String>,
}

/// A shipping method, a payment method or a supplier.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Method {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub product_code: Option<String>,
}
