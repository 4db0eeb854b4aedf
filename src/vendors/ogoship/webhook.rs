//! Parses OGOship's webhooks. Their bodies are not public (docs/contract.md U15): a reference or a product code
//! is looked for at the root and one level down, with keys in any case. The worker reads again what it names.

use serde_json::Value;

use super::wire::Callback;
use crate::{
    domain::event::{
        dedup::DedupScope,
        routing::{ParsedWebhook, VendorEntity},
    },
    vendors::lenient_json::{lower_keys, object},
};

/// The signature header: base64 of HMAC-SHA256 over the raw body (docs/contract.md §2.7).
pub const SIGNATURE_HEADER: &str = "X-OGOship-Hmac-SHA256";

/// Parses a webhook's JSON or its [`outline`](crate::vendors::json_outline).
pub fn read(body: &Value) -> ParsedWebhook {
    let callback: Callback = object(lower_keys(body.clone())).unwrap_or_default();
    let Callback { r#type, event, reference, product_code, code, .. } = &callback;
    let inners = [&callback.order, &callback.product, &callback.data, &callback.stock];
    let reference = reference.as_ref().or_else(|| inners.iter().find_map(|inner| inner.reference.as_ref()));
    let code = (product_code.as_ref().or(code.as_ref()))
        .or_else(|| inners.iter().find_map(|inner| inner.product_code.as_ref().or(inner.code.as_ref())));

    let entity = match (reference, code) {
        (Some(reference), _) => VendorEntity::WarehouseOrder(reference.clone()),
        (None, Some(code)) => VendorEntity::WarehouseStock(code.clone()),
        (None, None) => VendorEntity::Unknown,
    };
    let topic = r#type.as_deref().or(event.as_deref()).map_or("unknown", topic_name);
    let has_timestamp = [&callback.modified, &callback.edit_time, &callback.timestamp, &callback.event_id]
        .into_iter()
        .chain(inners.iter().flat_map(|inner| [&inner.modified, &inner.edit_time]))
        .any(Option::is_some);
    let dedup_scope =
        if has_timestamp || topic == "OrderShipped" { DedupScope::Permanent } else { DedupScope::Windowed };
    ParsedWebhook { topic: topic.to_owned(), dedup_topic: topic.to_owned(), entity, dedup_scope }
}

/// The name of a topic: an older client used numbers (docs/contract.md §2.7).
fn topic_name(word: &str) -> &str {
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
    fn each_guessed_shape_yields_its_subject() {
        let order = || VendorEntity::WarehouseOrder("k-1042".into());
        let stock = || VendorEntity::WarehouseStock("A-1".into());
        let table = [
            (json!({"type": "OrderShipped", "reference": "k-1042"}), order()),
            (json!({"Type": 1, "Order": {"Reference": "k-1042", "Code": "x"}}), order()),
            (json!({"data": {"reference": "k-1042"}}), order()),
            (json!({"type": 2, "productCode": "A-1", "stock": 5}), stock()),
            (json!({"stock": {"ProductCode": "A-1"}}), stock()),
            (json!({"product": {"code": "A-1"}}), stock()),
            (json!({"type": "SomethingNew", "value": 1}), VendorEntity::Unknown),
            (json!(["x"]), VendorEntity::Unknown),
        ];
        for (body, expected) in table {
            assert_eq!(read(&body).entity, expected, "{body}");
        }
    }

    #[test]
    fn an_undated_stock_callback_is_a_duplicate_only_briefly() {
        let dedup_scope = |body| read(&body).dedup_scope;
        assert_eq!(dedup_scope(json!({"type": 2, "productCode": "A", "stock": 5})), DedupScope::Windowed);
        assert_eq!(
            dedup_scope(json!({"type": 2, "productCode": "A", "modified": "2026"})),
            DedupScope::Permanent
        );
        assert_eq!(dedup_scope(json!({"type": "1", "reference": "k-1"})), DedupScope::Permanent);
    }
}
