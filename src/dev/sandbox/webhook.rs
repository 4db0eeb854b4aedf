//! A webhook of one of the two vendors.

use serde_json::Value;

/// A webhook that can be sent again byte by byte.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The exact bytes of its body.
    pub body: Vec<u8>,
    from_shop: bool,
}

impl Webhook {
    pub(super) fn from_shop(body: &Value) -> Self {
        Self { body: body.to_string().into_bytes(), from_shop: true }
    }

    pub(super) fn from_warehouse(body: &Value) -> Self {
        Self { body: body.to_string().into_bytes(), from_shop: false }
    }

    pub(super) const fn is_from_shop(&self) -> bool {
        self.from_shop
    }

    /// A webhook of the shop with any body.
    pub fn raw_from_shop(body: &[u8]) -> Self {
        Self { body: body.to_vec(), from_shop: true }
    }

    /// A webhook of the warehouse with any body.
    pub fn raw_from_warehouse(body: &[u8]) -> Self {
        Self { body: body.to_vec(), from_shop: false }
    }
}
