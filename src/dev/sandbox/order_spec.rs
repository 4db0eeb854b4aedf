//! What a shopper orders: a builder with defaults.

use serde_json::Value;

/// An order to be placed.
#[derive(Clone, Debug)]
pub struct OrderSpec {
    pub(super) lines: Vec<(String, i64)>,
    pub(super) is_paid: bool,
    pub(super) cash_on_delivery: bool,
    pub(super) shipments: usize,
    pub(super) shipping_method_id: u64,
    pub(super) pickup_point: Option<String>,
    pub(super) country: String,
    pub(super) patch: Value,
}

impl OrderSpec {
    /// An order of one code: paid, one shipment, shipping method 1.
    pub fn of(code: &str, pieces: i64) -> Self {
        Self {
            lines: vec![(code.to_owned(), pieces)],
            is_paid: true,
            cash_on_delivery: false,
            shipments: 1,
            shipping_method_id: 1,
            pickup_point: None,
            country: "FI".to_owned(),
            patch: Value::Null,
        }
    }

    /// Merges a patch over the order's JSON (RFC 7396).
    pub fn with_json(mut self, patch: Value) -> Self {
        self.patch = patch;
        self
    }

    /// Adds a line.
    pub fn with_line(mut self, code: &str, pieces: i64) -> Self {
        self.lines.push((code.to_owned(), pieces));
        self
    }

    /// Leaves the order unpaid.
    pub fn unpaid(mut self) -> Self {
        self.is_paid = false;
        self
    }

    /// Pays on delivery.
    pub fn cash_on_delivery(mut self) -> Self {
        (self.is_paid, self.cash_on_delivery) = (false, true);
        self
    }

    /// Ships by this method, to this pickup point.
    pub fn with_shipping_method(mut self, shipping_method_id: u64, pickup_point: Option<&str>) -> Self {
        self.shipping_method_id = shipping_method_id;
        self.pickup_point = pickup_point.map(ToOwned::to_owned);
        self
    }

    /// Splits the order into several shipments.
    pub fn with_shipments(mut self, shipments: usize) -> Self {
        self.shipments = shipments;
        self
    }

    /// Ships to this country, written as given.
    pub fn to_country(mut self, country: &str) -> Self {
        country.clone_into(&mut self.country);
        self
    }
}
