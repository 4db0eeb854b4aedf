//! References: how an order of the shop is named at the warehouse.
//!
//! A reference is a prefix of the connection and the shop's order number. The prefix tells the stores of one merchant
//! apart. Where it was changed, orders of before keep their reference, so the former prefixes still lead to them.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

/// The prefixes of a connection's references. Clones share the former ones once they are known.
#[derive(Clone, Debug, Default)]
pub struct ReferencePrefixes {
    current: String,
    former: Arc<OnceLock<Vec<String>>>,
}

impl ReferencePrefixes {
    /// The prefixes of a connection that names new orders with this one.
    pub fn new(current: impl Into<String>) -> Self {
        Self { current: current.into(), former: Arc::default() }
    }

    /// The prefix of new references.
    pub fn current(&self) -> &str {
        &self.current
    }

    /// Adds the prefixes of before, once.
    pub fn set_former(&self, former: Vec<String>) {
        let _ = self.former.set(former); // a second start with the same configuration
    }

    /// Splits a reference that has one of the prefixes into the order number and the rest.
    pub fn parse<'a>(&self, reference: &'a str) -> Option<(&'a str, &'a str)> {
        let former = self.former.get().into_iter().flatten();
        let all = std::iter::once(&self.current).chain(former);
        all.into_iter().find_map(|prefix| parse_reference(reference, prefix))
    }
}

/// Splits a reference that has this prefix into the order number and the rest: `kauppa-1042` gives `1042` and
/// nothing, `kauppa-1042-2` gives `1042` and `-2`. A warehouse may write references in its own case: `KAUPPA-1042` is
/// ours too, and no two prefixes of one merchant differ in case alone ([`may_collide`]).
pub fn parse_reference<'a>(reference: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    let (start, rest) = reference.split_at_checked(prefix.len())?;
    if !start.eq_ignore_ascii_case(prefix) {
        return None;
    }
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (id, suffix) = rest.split_at(end);
    // A letter directly after the number makes it another number; the warehouse separates parts by `-`, `_`,
    // `/` or a space.
    let is_separated = suffix.chars().next().is_none_or(|letter| !letter.is_alphanumeric());
    (!id.is_empty() && is_separated).then_some((id, suffix))
}

/// True where an order of one prefix may have the same reference as an order, or a part of one, of the other.
pub fn may_collide(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    let begins = |short: &str, long: &str| parse_reference(&format!("{long}0"), short).is_some();
    one == other || begins(&one, &other) || begins(&other, &one)
}

/// The prefixes of one merchant, each with what has it: finds those that may collide with another without comparing all, since a
/// merchant may have thousands of stores.
#[derive(Debug)]
pub struct PrefixIndex<T>(BTreeMap<String, Vec<T>>);

impl<T> Default for PrefixIndex<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> PrefixIndex<T> {
    /// Adds a prefix.
    pub fn insert(&mut self, prefix: &str, owner: T) {
        self.0.entry(prefix.to_lowercase()).or_default().push(owner);
    }

    /// What has a prefix that may collide with this one ([`may_collide`]).
    pub fn colliding(&self, prefix: &str) -> Vec<&T> {
        let prefix = prefix.to_lowercase();
        // Of two that collide, one is the beginning of the other.
        let shorter = prefix.char_indices().filter_map(|(end, _)| self.0.get_key_value(&prefix[..end]));
        let longer = self.0.range(prefix.clone()..).take_while(|(known, _)| known.starts_with(&prefix));
        let colliding = shorter.chain(longer).filter(|(known, _)| may_collide(known, &prefix));
        colliding.flat_map(|(_, owners)| owners).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_finds_what_may_collide() {
        let all = ["shop-", "SHOP-", "k", "k1", "k-", "k-1042-", "", "1", "a-", "b-", "shop-b-", "\u{e4}-"];
        let mut index = PrefixIndex::default();
        for prefix in all {
            index.insert(prefix, prefix);
        }
        for prefix in all.into_iter().chain(["k-1042-7", "sho", "z"]) {
            let mut expected: Vec<_> = all.iter().filter(|known| may_collide(known, prefix)).collect();
            let mut found = index.colliding(prefix);
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{prefix:?}");
        }
    }

    #[test]
    fn prefixes_collide_where_references_can_be_equal() {
        for (one, other, expected) in [
            ("shop-", "shop-", true),
            ("shop-", "SHOP-", true),
            ("k", "k1", true),
            ("k-", "k-1042-", true),
            ("", "1", true),
            ("", "shop-", false),
            ("a-", "b-", false),
            ("shop-", "shop-b-", false),
        ] {
            assert_eq!(may_collide(one, other), expected, "{one:?} {other:?}");
            assert_eq!(may_collide(other, one), expected, "{other:?} {one:?}");
        }
    }

    #[test]
    fn former_prefixes_still_lead_to_their_orders() {
        let prefixes = ReferencePrefixes::new("new-");
        assert_eq!(prefixes.parse("old-7"), None);
        prefixes.clone().set_former(vec!["old-".into()]);
        assert_eq!(prefixes.parse("old-7"), Some(("7", "")));
        assert_eq!(prefixes.parse("new-7-2"), Some(("7", "-2")));
        assert_eq!(prefixes.parse("other-7"), None);
    }

    #[test]
    fn reference_in_another_case_is_ours() {
        assert_eq!(parse_reference("KAUPPA-1042-2", "kauppa-"), Some(("1042", "-2")));
        assert_eq!(parse_reference("kaupp", "kauppa-"), None);
    }
}
