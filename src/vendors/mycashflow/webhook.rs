//! What a `MyCashflow` webhook says. Its envelope is not public (docs/contract.md U4): a bare order, `{"data":
//! …}` or `{"order": …}`, with or without a topic. Only the numeric id is needed; everything else is re-read.

use serde_json::Value;

use crate::{
    domain::event::{
        dedup::DedupScope,
        routing::{ParsedWebhook, VendorEntity},
    },
    vendors::lenient_json::as_text,
};

/// Parses a webhook's JSON or its [`outline`](crate::vendors::json_outline). `topic` comes from its URL, for
/// bodies without one: it is not signed, so it says which kind of subject to read again and nothing more.
pub fn read(body: &Value, topic: Option<&str>) -> ParsedWebhook {
    let topic_in_body = ["topic", "event", "type"].iter().find_map(|key| body.get(key).and_then(as_text));
    let happens_once = topic_in_body.as_ref().is_some_and(|topic| topic.ends_with(".created"));
    let topic = topic_in_body.clone().or_else(|| topic.map(ToOwned::to_owned));
    let (wrapper, item) = unwrap(body);
    let kind = topic.as_deref().and_then(kind_of_topic).or_else(|| kind_of_shape(wrapper, item));
    let id = ["id", "order_id", "product_id"].iter().find_map(|key| item.get(key).and_then(as_text));
    let number = id.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));

    let entity = match (kind, number) {
        (Some(Kind::Order), Some(id)) => VendorEntity::ShopOrder(id),
        (Some(Kind::Product), Some(id)) => VendorEntity::ShopProduct(id),
        (Some(Kind::Stock), _) => {
            let code = ["code", "product_code"].iter().find_map(|key| item.get(key).and_then(as_text));
            code.map_or(VendorEntity::Unknown, VendorEntity::ShopStock)
        }
        (Some(Kind::Order | Kind::Product), None) | (None, _) => VendorEntity::Unknown,
    };
    let topic = topic.unwrap_or_else(|| "unknown".to_owned());
    let has_timestamp = item.get("updated_at").and_then(as_text).is_some();
    let dedup_topic = topic_in_body.unwrap_or_else(|| kind_of_entity(&entity).to_owned());
    let dedup_scope =
        if has_timestamp || happens_once { DedupScope::Permanent } else { DedupScope::Windowed };
    ParsedWebhook { topic, dedup_topic, entity, dedup_scope }
}

const fn kind_of_entity(entity: &VendorEntity) -> &'static str {
    match entity {
        VendorEntity::ShopOrder(_) | VendorEntity::WarehouseOrder(_) => "order",
        VendorEntity::ShopProduct(_) => "product",
        VendorEntity::ShopStock(_) | VendorEntity::WarehouseStock(_) => "stock",
        VendorEntity::Unknown => "unknown",
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Order,
    Product,
    Stock,
}

/// The item and the key that it is wrapped in.
fn unwrap(body: &Value) -> (Option<&'static str>, &Value) {
    let wrapped = ["data", "order", "product", "payload"].into_iter().find_map(|key| {
        let inner = body.get(key).filter(|inner| inner.is_object())?;
        Some((Some(key), inner))
    });
    match wrapped {
        // `{"data": {"order": {…}}}` has been seen at other services.
        Some((_, inner)) if inner.get("id").is_none() && inner.get("order").is_some_and(Value::is_object) => {
            (Some("order"), &inner["order"])
        }
        Some(found) => found,
        None => (None, body),
    }
}

fn kind_of_topic(topic: &str) -> Option<Kind> {
    match topic.split('.').next().unwrap_or_default().to_lowercase().as_str() {
        "order" | "orders" => Some(Kind::Order),
        "product" | "products" => Some(Kind::Product),
        "stock" | "stock_item" => Some(Kind::Stock),
        _ => None,
    }
}

/// The kind by the body's shape, where there is no topic. A bare id is an order: the only topic that is known
/// to exist is `order.created` (docs/contract.md §1.4), and a wrong guess costs one read of an order that does
/// not exist.
fn kind_of_shape(wrapper: Option<&str>, item: &Value) -> Option<Kind> {
    let has = |keys: &[&str]| keys.iter().any(|key| item.get(key).is_some());
    match wrapper {
        Some("order") => Some(Kind::Order),
        Some("product") => Some(Kind::Product),
        _ if has(&["customer_information", "payments", "shipments", "shipping_address", "total"]) => {
            Some(Kind::Order)
        }
        _ if has(&["product_code", "variations", "price"]) => Some(Kind::Product),
        _ if has(&["id", "order_id"]) => Some(Kind::Order),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_known_or_guessed_envelope_yields_its_subject() {
        let order = || VendorEntity::ShopOrder("1042".into());
        let table = [
            (json!({"topic": "order.created", "data": {"id": 1042}}), order()),
            (json!({"data": {"id": "1042", "payments": []}}), order()),
            (json!({"order": {"id": 1042}}), order()),
            (json!({"data": {"order": {"id": 1042}}}), order()),
            (json!({"id": 1042, "customer_information": {}}), order()),
            (json!({"id": 1042}), order()),
            (json!({"topic": "order.updated", "order_id": 1042}), order()),
            (json!({"topic": "product.updated", "data": {"id": 7}}), VendorEntity::ShopProduct("7".into())),
            (json!({"id": 7, "product_code": "A", "price": 1}), VendorEntity::ShopProduct("7".into())),
            (json!({"topic": "stock.updated", "data": {"code": "A"}}), VendorEntity::ShopStock("A".into())),
            (json!({"topic": "customer.created", "data": {"name": "x"}}), VendorEntity::Unknown),
            (json!({"topic": "order.created", "data": {"id": "x'; --"}}), VendorEntity::Unknown),
            (json!([1, 2]), VendorEntity::Unknown),
            (json!("text"), VendorEntity::Unknown),
            (json!(null), VendorEntity::Unknown),
        ];
        for (body, expected) in table {
            assert_eq!(read(&body, None).entity, expected, "{body}");
        }
    }

    #[test]
    fn only_dated_or_one_time_events_are_duplicates_for_ever() {
        let dedup_scope = |body| read(&body, None).dedup_scope;
        assert_eq!(dedup_scope(json!({"topic": "order.created", "data": {"id": 1}})), DedupScope::Permanent);
        assert_eq!(
            dedup_scope(json!({"topic": "order.updated", "data": {"id": 1, "updated_at": "x"}})),
            DedupScope::Permanent
        );
        assert_eq!(dedup_scope(json!({"topic": "order.updated", "data": {"id": 1}})), DedupScope::Windowed);
    }

    #[test]
    fn topic_beside_the_body_makes_no_new_event_of_it() {
        let parse = |body, topic| {
            let parsed = read(&body, Some(topic));
            (parsed.dedup_topic, parsed.dedup_scope)
        };
        let first = parse(json!({"id": 7}), "order.updated");
        assert_eq!(parse(json!({"id": 7}), "order.created"), first);
        assert_eq!(parse(json!({"id": 7}), "orders.x1"), first);
        assert_ne!(parse(json!({"id": 7}), "product.updated"), first, "another subject");
        let signed = json!({"topic": "order.updated", "id": 7});
        assert_eq!(parse(signed.clone(), "a"), parse(signed, "b"));
    }

    #[test]
    fn the_url_topic_is_used_where_the_body_has_none() {
        let parsed = read(&json!({"id": 7}), Some("product.updated"));
        assert_eq!(
            (parsed.topic.as_str(), parsed.entity),
            ("product.updated", VendorEntity::ShopProduct("7".into()))
        );
    }
}
