//! Maps what a webhook or a poll names to the subject that may be out of sync.

use super::{dedup::DedupScope, reference::ReferencePrefixes, subject::Subject};

/// What a webhook or a poll names, in the sender's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VendorEntity {
    /// An order of the shop, by its number.
    ShopOrder(String),
    /// A product of the shop, by its id.
    ShopProduct(String),
    /// A stock item of the shop, by its code: the warehouse's figure may have to overwrite it.
    ShopStock(String),
    /// An order at the warehouse, by its reference.
    WarehouseOrder(String),
    /// A stock figure at the warehouse, by its product code.
    WarehouseStock(String),
    /// Not recognised.
    Unknown,
}

/// A webhook as far as it could be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedWebhook {
    /// The sender's own topic; `unknown` where there is none.
    pub topic: String,
    /// What tells it from other webhooks with the same body. Only what is signed counts: a topic that came beside the body
    /// counts as far as another kind of subject follows from it, else one body would be as many events as there are topics.
    pub dedup_topic: String,
    /// What it names.
    pub entity: VendorEntity,
    /// How long a repeat counts as the same event.
    pub dedup_scope: DedupScope,
}

/// Returns the subject that may be out of sync. It is `None` for an unreadable webhook, and for an order at
/// the warehouse whose reference has no prefix of this connection, since this connection did not place it. A
/// reference that continues after the order number belongs to that order: the warehouse splits orders by
/// itself.
pub fn route(entity: &VendorEntity, references: &ReferencePrefixes) -> Option<Subject> {
    match entity {
        VendorEntity::ShopOrder(id) => valid_subject(Subject::order(id)),
        VendorEntity::ShopProduct(id) => valid_subject(Subject::product(id)),
        VendorEntity::ShopStock(code) | VendorEntity::WarehouseStock(code) => {
            valid_subject(Subject::stock(code))
        }
        VendorEntity::WarehouseOrder(reference) => {
            references.parse(reference).and_then(|(id, _)| valid_subject(Subject::order(id)))
        }
        VendorEntity::Unknown => None,
    }
}

/// The longest key of a subject: a longer "code" is none, and the index must stay small.
const MAX_KEY_LENGTH: usize = 200;

fn valid_subject(subject: Subject) -> Option<Subject> {
    (!subject.key.is_empty() && subject.key.len() <= MAX_KEY_LENGTH && !subject.key.contains('\0'))
        .then_some(subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_webhook_is_routed_to_its_subject() {
        let table = [
            (VendorEntity::ShopOrder("1042".into()), Some("order:1042")),
            (VendorEntity::ShopProduct("77".into()), Some("product:77")),
            (VendorEntity::ShopStock("A-1".into()), Some("stock:A-1")),
            (VendorEntity::WarehouseStock("A-1".into()), Some("stock:A-1")),
            (VendorEntity::WarehouseOrder("kauppa-1042".into()), Some("order:1042")),
            (VendorEntity::WarehouseOrder("KAUPPA-1042".into()), Some("order:1042")),
            (VendorEntity::WarehouseOrder("other-1042".into()), None),
            (VendorEntity::WarehouseOrder("kaupp".into()), None),
            (VendorEntity::WarehouseOrder("kauppa-1042-B".into()), Some("order:1042")),
            (VendorEntity::WarehouseOrder("kauppa-1042B".into()), None),
            (VendorEntity::WarehouseOrder("kauppa-B-1042".into()), None),
            (VendorEntity::WarehouseOrder("kauppa-".into()), None),
            (VendorEntity::ShopOrder(String::new()), None),
            (VendorEntity::WarehouseStock("x".repeat(201)), None),
            (VendorEntity::WarehouseStock("a\0b".into()), None),
            (VendorEntity::Unknown, None),
        ];
        for (entity, expected) in table {
            let subject =
                route(&entity, &ReferencePrefixes::new("kauppa-")).map(|subject| subject.to_string());
            assert_eq!(subject.as_deref(), expected, "{entity:?}");
        }
    }
}
