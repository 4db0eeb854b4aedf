//! Quantities of the shop as they are stored.

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde_json::Value;

/// Whole pieces as a number, as they always were; anything else as text, which is exact.
pub(super) fn quantity_json(quantity: Decimal) -> Value {
    let whole = Some(quantity).filter(Decimal::is_integer).and_then(|quantity| quantity.to_i64());
    whole.map_or_else(|| quantity.normalize().to_string().into(), Value::from)
}

/// Reads what `quantity_json` wrote.
pub(super) fn quantity_of(value: &Value) -> Decimal {
    match value {
        Value::String(text) => text.parse().unwrap_or_default(),
        value => Decimal::from(value.as_i64().unwrap_or_default()),
    }
}
