//! What an OGOship callback says. Its bodies are not public (docs/contract.md U15): we look for a reference or a
//! product code at the root and one level down, in any case, and re-read whatever it names.

use serde_json::Value;

use super::wire::Callback;
use crate::{
    domain::event::{
        dedup::Sameness,
        routing::{About, Told},
    },
    vendors::lenient_json::{lower_keys, object},
};

/// The header of every callback: base64 of HMAC-SHA256 over the raw body (docs/contract.md §2.7).
pub const SIGNATURE_HEADER: &str = "X-OGOship-Hmac-SHA256";

/// Reads a callback's JSON, which may be its [`outline`](crate::vendors::json_outline).
pub fn read(body: &Value) -> Told {
    let callback: Callback = object(lower_keys(body.clone())).unwrap_or_default();
    let Callback { r#type, event, reference, product_code, code, .. } = &callback;
    let inners = [&callback.order, &callback.product, &callback.data, &callback.stock];
    let reference = reference.as_ref().or_else(|| inners.iter().find_map(|inner| inner.reference.as_ref()));
    let code = (product_code.as_ref().or(code.as_ref()))
        .or_else(|| inners.iter().find_map(|inner| inner.product_code.as_ref().or(inner.code.as_ref())));

    let about = match (reference, code) {
        (Some(reference), _) => About::WarehouseOrder(reference.clone()),
        (None, Some(code)) => About::WarehouseStock(code.clone()),
        (None, None) => About::Unknown,
    };
    let topic = r#type.as_deref().or(event.as_deref()).map_or("unknown", named);
    let dated = [&callback.modified, &callback.edit_time, &callback.timestamp, &callback.event_id]
        .into_iter()
        .chain(inners.iter().flat_map(|inner| [&inner.modified, &inner.edit_time]))
        .any(Option::is_some);
    let sameness = if dated || topic == "OrderShipped" { Sameness::Forever } else { Sameness::Briefly };
    Told { topic: topic.to_owned(), about, sameness }
}

/// An older client used the numbers (docs/contract.md §2.7).
fn named(word: &str) -> &str {
    match word {
        "1" => "OrderShipped",
        "2" => "ProductStockLevelChanged",
        word => word,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_guessed_shape_names_its_subject() {
        let order = || About::WarehouseOrder("k-1042".into());
        let stock = || About::WarehouseStock("A-1".into());
        let table = [
            (json!({"type": "OrderShipped", "reference": "k-1042"}), order()),
            (json!({"Type": 1, "Order": {"Reference": "k-1042", "Code": "x"}}), order()),
            (json!({"data": {"reference": "k-1042"}}), order()),
            (json!({"type": 2, "productCode": "A-1", "stock": 5}), stock()),
            (json!({"stock": {"ProductCode": "A-1"}}), stock()),
            (json!({"product": {"code": "A-1"}}), stock()),
            (json!({"type": "SomethingNew", "value": 1}), About::Unknown),
            (json!(["x"]), About::Unknown),
        ];
        for (body, expected) in table {
            assert_eq!(read(&body).about, expected, "{body}");
        }
    }

    #[test]
    fn a_stock_callback_without_a_time_is_never_the_same_for_ever() {
        let sameness = |body| read(&body).sameness;
        assert_eq!(sameness(json!({"type": 2, "productCode": "A", "stock": 5})), Sameness::Briefly);
        assert_eq!(sameness(json!({"type": 2, "productCode": "A", "modified": "2026"})), Sameness::Forever);
        assert_eq!(sameness(json!({"type": "1", "reference": "k-1"})), Sameness::Forever);
    }
}
