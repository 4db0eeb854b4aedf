//! From what was told to what may be out of step. One table, pure.

use super::{dedup::Sameness, subject::Subject};

/// What a webhook or a sweep speaks of, in the sender's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
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
    /// We could not tell.
    Unknown,
}

/// A webhook as far as we could read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The sender's own word, `unknown` where there was none.
    pub topic: String,
    /// What it speaks of.
    pub about: About,
    /// How much a repeat of it proves.
    pub sameness: Sameness,
}

/// The subject put in question, or `None` where there is none of ours: an unreadable telling, or an order at the
/// warehouse whose reference does not carry this connection's prefix and so was not placed by it. A reference that
/// goes on behind our number is a part of that order: the warehouse splits orders by itself.
pub fn subject_of(about: &About, reference_prefix: &str) -> Option<Subject> {
    match about {
        About::ShopOrder(id) => some(Subject::order(id)),
        About::ShopProduct(id) => some(Subject::product(id)),
        About::ShopStock(code) | About::WarehouseStock(code) => some(Subject::stock(code)),
        About::WarehouseOrder(reference) => {
            order_of(reference, reference_prefix).and_then(|(id, _)| some(Subject::order(id)))
        }
        About::Unknown => None,
    }
}

/// The order number in a reference and what stands behind it, where the reference carries this connection's prefix:
/// `kauppa-1042` is `1042` and nothing, `kauppa-1042-2` is `1042` and `-2`.
pub fn order_of<'a>(reference: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    let rest = reference.strip_prefix(prefix)?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (id, behind) = rest.split_at(end);
    // A letter right behind the number is another number; `-`, `_`, `/` and blanks are how parts are told apart.
    let apart = behind.chars().next().is_none_or(|letter| !letter.is_alphanumeric());
    (!id.is_empty() && apart).then_some((id, behind))
}

/// The longest key a subject may have; a longer "code" is not one, and the index must stay small.
const LONGEST_KEY: usize = 200;

fn some(subject: Subject) -> Option<Subject> {
    (!subject.key.is_empty() && subject.key.len() <= LONGEST_KEY && !subject.key.contains('\0'))
        .then_some(subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_telling_puts_its_own_subject_in_question() {
        let table = [
            (About::ShopOrder("1042".into()), Some("order:1042")),
            (About::ShopProduct("77".into()), Some("product:77")),
            (About::ShopStock("A-1".into()), Some("stock:A-1")),
            (About::WarehouseStock("A-1".into()), Some("stock:A-1")),
            (About::WarehouseOrder("kauppa-1042".into()), Some("order:1042")),
            (About::WarehouseOrder("other-1042".into()), None),
            (About::WarehouseOrder("kauppa-1042-B".into()), Some("order:1042")),
            (About::WarehouseOrder("kauppa-1042B".into()), None),
            (About::WarehouseOrder("kauppa-B-1042".into()), None),
            (About::WarehouseOrder("kauppa-".into()), None),
            (About::ShopOrder(String::new()), None),
            (About::WarehouseStock("x".repeat(201)), None),
            (About::WarehouseStock("a\0b".into()), None),
            (About::Unknown, None),
        ];
        for (about, expected) in table {
            let subject = subject_of(&about, "kauppa-").map(|subject| subject.to_string());
            assert_eq!(subject.as_deref(), expected, "{about:?}");
        }
    }
}
