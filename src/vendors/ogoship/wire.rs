//! OGOship's fields (docs/contract.md §2.3 to §2.6). Answers are read with their keys in lower case; requests
//! are sent in camel case, as its own documents have them.
#![expect(missing_docs, reason = "the fields are the vendor's; the contract named above is their document")]

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::vendors::{
    field::{self, Field},
    lenient_json::{code, decimal, integer, object, text},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Order {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub reference: Option<String>,
    #[serde(deserialize_with = "field::text")]
    pub status: Field<String>,
    #[serde(rename = "trackingnumber", deserialize_with = "field::texts")]
    pub tracking_number: Field<String>,
    #[serde(rename = "trackingurl", deserialize_with = "text")]
    pub tracking_url: Option<String>,
    #[serde(rename = "trackingstatus", deserialize_with = "text")]
    pub tracking_status: Option<String>,
    #[serde(rename = "originreference", deserialize_with = "text")]
    pub origin_reference: Option<String>,
    #[serde(rename = "edittime", deserialize_with = "text")]
    pub edit_time: Option<String>,
    #[serde(rename = "warehousecomments", deserialize_with = "text")]
    pub warehouse_comments: Option<String>,
    #[serde(rename = "orderlines", deserialize_with = "field::list")]
    pub order_lines: Field<Vec<Field<WarehouseLine>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WarehouseLine {
    #[serde(deserialize_with = "field::code")]
    pub code: Field<String>,
    #[serde(deserialize_with = "field::integer")]
    pub quantity: Field<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Product {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "code")]
    pub code: Option<String>,
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(rename = "eancode", deserialize_with = "text")]
    pub ean_code: Option<String>,
    #[serde(rename = "suppliercode", deserialize_with = "text")]
    pub supplier_code: Option<String>,
    #[serde(deserialize_with = "text")]
    pub supplier: Option<String>,
    #[serde(deserialize_with = "text")]
    pub description: Option<String>,
    #[serde(rename = "supplyprice", deserialize_with = "decimal")]
    pub supply_price: Option<Decimal>,
    #[serde(rename = "salesprice", deserialize_with = "decimal")]
    pub sales_price: Option<Decimal>,
    #[serde(rename = "currencycode", deserialize_with = "text")]
    pub currency_code: Option<String>,
    #[serde(rename = "countryoforigin", deserialize_with = "text")]
    pub country_of_origin: Option<String>,
    #[serde(rename = "customsdescription", deserialize_with = "text")]
    pub customs_description: Option<String>,
    #[serde(rename = "hscode", deserialize_with = "text")]
    pub hs_code: Option<String>,
    #[serde(rename = "infourl", deserialize_with = "text")]
    pub info_url: Option<String>,
    #[serde(rename = "pictureurl", deserialize_with = "text")]
    pub picture_url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Stock {
    #[serde(rename = "productcode", deserialize_with = "code")]
    pub product_code: Option<String>,
    #[serde(deserialize_with = "field::integer")]
    pub stock: Field<i64>,
    #[serde(rename = "stockavailable", deserialize_with = "field::integer")]
    pub stock_available: Field<i64>,
    #[serde(deserialize_with = "field::text")]
    pub modified: Field<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Token {
    #[serde(rename = "access_token", deserialize_with = "text")]
    pub access_token: Option<String>,
    #[serde(rename = "refresh_token", deserialize_with = "text")]
    pub refresh_token: Option<String>,
    #[serde(rename = "expires_in", deserialize_with = "integer")]
    pub expires_in: Option<i64>,
}

/// A webhook.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Callback {
    #[serde(deserialize_with = "text")]
    pub r#type: Option<String>,
    #[serde(deserialize_with = "text")]
    pub event: Option<String>,
    #[serde(deserialize_with = "text")]
    pub reference: Option<String>,
    #[serde(rename = "productcode", deserialize_with = "code")]
    pub product_code: Option<String>,
    #[serde(deserialize_with = "code")]
    pub code: Option<String>,
    #[serde(deserialize_with = "text")]
    pub modified: Option<String>,
    #[serde(rename = "edittime", deserialize_with = "text")]
    pub edit_time: Option<String>,
    #[serde(deserialize_with = "text")]
    pub timestamp: Option<String>,
    #[serde(rename = "eventid", deserialize_with = "text")]
    pub event_id: Option<String>,
    #[serde(deserialize_with = "object")]
    pub order: CallbackItem,
    #[serde(deserialize_with = "object")]
    pub product: CallbackItem,
    #[serde(deserialize_with = "object")]
    pub data: CallbackItem,
    #[serde(deserialize_with = "object")]
    pub stock: CallbackItem,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CallbackItem {
    #[serde(deserialize_with = "text")]
    pub reference: Option<String>,
    #[serde(rename = "productcode", deserialize_with = "code")]
    pub product_code: Option<String>,
    #[serde(deserialize_with = "code")]
    pub code: Option<String>,
    #[serde(deserialize_with = "text")]
    pub modified: Option<String>,
    #[serde(rename = "edittime", deserialize_with = "text")]
    pub edit_time: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewOrder<'a> {
    pub reference: &'a str,
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipping_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pick_up_point_code: Option<&'a str>,
    pub customer: Customer<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order_lines: Vec<OrderLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<&'a str>,
    #[serde(with = "rust_decimal::serde::float_option", skip_serializing_if = "Option::is_none")]
    pub price_total: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cash_on_delivery: Option<CashOnDelivery<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

#[derive(Serialize)]
pub struct Document<'a> {
    pub r#type: &'static str,
    pub url: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer<'a> {
    pub name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<&'a str>,
    pub address1: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address2: Option<&'a str>,
    pub city: &'a str,
    pub country_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zip: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderLine<'a> {
    pub code: &'a str,
    pub quantity: i64,
    #[serde(with = "rust_decimal::serde::float_option", skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::float_option", skip_serializing_if = "Option::is_none")]
    pub vat_percentage: Option<Decimal>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CashOnDelivery<'a> {
    #[serde(with = "rust_decimal::serde::float")]
    pub amount: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency_code: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewProduct<'a> {
    pub code: &'a str,
    pub language_code: &'a str,
    pub name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ean_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplier_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    #[serde(with = "rust_decimal::serde::float_option", skip_serializing_if = "Option::is_none")]
    pub supply_price: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::float_option", skip_serializing_if = "Option::is_none")]
    pub sales_price: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_of_origin: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customs_description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hs_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture_url: Option<&'a str>,
}
