//! Product codes: when two are the same, how each side spells one, and which cannot be used.
//!
//! The shop and the warehouse are typed into by different people. So codes that differ only in case or spaces are the
//! same code everywhere in Silta, and a vendor is asked with the code exactly as it spells it itself.

use std::collections::HashMap;

use super::MAX_CODE_LENGTH;
use crate::domain::{shipping::matches_pattern, task::reason::Reason};

/// The key of a product code, in lower case without spaces. The one answer to whether two codes are the same: they are
/// where their keys are. To a person's eye, and to a scanner, such codes are one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeKey(String);

impl CodeKey {
    /// The key of a code in any spelling.
    pub fn of(code: &str) -> Self {
        Self(code.split_whitespace().collect::<String>().to_lowercase())
    }

    /// As it stands in rows.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it stands in rows.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// True where two codes are the same.
pub fn is_same_code(one: &str, other: &str) -> bool {
    CodeKey::of(one) == CodeKey::of(other)
}

/// True where a code matches a pattern in which `*` stands for anything.
pub fn matches_code(pattern: &str, code: &str) -> bool {
    matches_pattern(CodeKey::of(pattern).as_str(), CodeKey::of(code).as_str())
}

/// Why the warehouse cannot have this code; `None` where it can. A code is sent without spaces around it.
pub fn code_fault(code: &str) -> Option<Reason> {
    let code = code.trim();
    match code.chars().count() {
        0 => Some(Reason::CodeEmpty),
        length if length > MAX_CODE_LENGTH => Some(Reason::CodeTooLong),
        // The shop's stock is asked for by a path that ends with the code, and these are no names in a path.
        _ if code == "." || code == ".." => Some(Reason::CodeDots),
        _ => None,
    }
}

/// A code that could be one of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmbiguousCode {
    code: String,
    shop: Vec<String>,
    warehouse: Vec<String>,
}

impl AmbiguousCode {
    /// Says which codes are the same.
    pub fn detail(&self) -> String {
        let list = |codes: &[String]| codes.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>().join(", ");
        let Self { code, shop, warehouse } = self;
        let (shop, warehouse) = (list(shop), list(warehouse));
        format!("{code:?} could be another: the shop has {shop}, the warehouse {warehouse}")
    }
}

/// How both sides spell one code, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spellings {
    /// The spellings of the shop's catalogue.
    pub shop: Vec<String>,
    /// The spellings of the warehouse.
    pub warehouse: Vec<String>,
}

impl Spellings {
    /// The code as the warehouse spells it.
    pub fn at_warehouse<'a>(&'a self, code: &'a str) -> Result<&'a str, AmbiguousCode> {
        self.spelling(code, &self.warehouse, &self.shop)
    }

    /// The code as the shop spells it.
    pub fn in_shop<'a>(&'a self, code: &'a str) -> Result<&'a str, AmbiguousCode> {
        self.spelling(code, &self.shop, &self.warehouse)
    }

    /// The code as `its` side spells it: exactly so, or the one spelling that it has. A side that does not have the code
    /// is asked with it as it is. Where either side has several products of this code, only an exact spelling says which
    /// is meant.
    fn spelling<'a>(
        &self,
        code: &'a str,
        its: &'a [String],
        others: &[String],
    ) -> Result<&'a str, AmbiguousCode> {
        match its {
            [] => Ok(code),
            _ if its.iter().any(|it| it == code) => Ok(code),
            [only] if others.len() <= 1 => Ok(only),
            _ => Err(AmbiguousCode {
                code: code.to_owned(),
                shop: self.shop.clone(),
                warehouse: self.warehouse.clone(),
            }),
        }
    }
}

/// How both sides spell the codes that were looked up.
#[derive(Clone, Debug, Default)]
pub struct KnownSpellings(pub HashMap<CodeKey, Spellings>);

impl KnownSpellings {
    /// The code as the warehouse spells it.
    pub fn at_warehouse<'a>(&'a self, code: &'a str) -> Result<&'a str, AmbiguousCode> {
        self.0.get(&CodeKey::of(code)).map_or(Ok(code), |known| known.at_warehouse(code))
    }

    /// The code as the shop spells it.
    pub fn in_shop<'a>(&'a self, code: &'a str) -> Result<&'a str, AmbiguousCode> {
        self.0.get(&CodeKey::of(code)).map_or(Ok(code), |known| known.in_shop(code))
    }

    /// True where the warehouse is known to spell it exactly so.
    pub fn is_at_warehouse(&self, code: &str) -> bool {
        self.0.get(&CodeKey::of(code)).is_some_and(|known| known.warehouse.iter().any(|it| it == code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_differ_in_case_or_spacing_are_the_same() {
        for code in ["CUP-1", "cup-1", " Cup-1 ", "CU P-1", "cup\u{a0}-1"] {
            assert_eq!(CodeKey::of(code).as_str(), "cup-1", "{code:?}");
            assert!(is_same_code(code, "CUP-1") && matches_code("cu *", code), "{code:?}");
        }
        assert!(!is_same_code("CUP-1", "CUP1"));
    }

    #[test]
    fn unusable_codes_have_their_fault() {
        let long = "x".repeat(51);
        let faults = ["", " ", &long, ".", " .. "].map(code_fault);
        let expected =
            [Reason::CodeEmpty, Reason::CodeEmpty, Reason::CodeTooLong, Reason::CodeDots, Reason::CodeDots];
        assert_eq!(faults, expected.map(Some));
        assert_eq!(["...", "A/1", "CUP"].map(code_fault), [None, None, None]);
    }

    #[test]
    fn each_side_is_asked_with_its_own_spelling() {
        let known = |shop: &[&str], warehouse: &[&str]| {
            let owned = |codes: &[&str]| codes.iter().map(ToString::to_string).collect();
            let spellings = Spellings { shop: owned(shop), warehouse: owned(warehouse) };
            KnownSpellings(HashMap::from([(CodeKey::of("cup"), spellings)]))
        };
        let one = known(&["cup"], &["CUP "]);
        assert_eq!((one.at_warehouse("cup"), one.in_shop("CUP ")), (Ok("CUP "), Ok("cup")));
        assert_eq!((one.at_warehouse("Cup"), one.in_shop("cup")), (Ok("CUP "), Ok("cup")));
        let absent = known(&["cup"], &[]);
        assert_eq!((absent.at_warehouse("cup"), absent.at_warehouse("OTHER")), (Ok("cup"), Ok("OTHER")));

        let several_there = known(&["Cup"], &["CUP", "cup"]);
        assert!(several_there.at_warehouse("Cup").is_err(), "either of them");
        assert_eq!(several_there.at_warehouse("cup"), Ok("cup"), "exactly this one");
        assert!(several_there.in_shop("CUP").is_err());
        let twice_in_shop = known(&["CUP", "cup"], &["CUP"]);
        assert_eq!((twice_in_shop.at_warehouse("CUP"), twice_in_shop.in_shop("CUP")), (Ok("CUP"), Ok("CUP")));
        let ambiguous = twice_in_shop.at_warehouse("cup").expect_err("it may be the other product");
        assert_eq!(
            ambiguous.detail(),
            r#""cup" could be another: the shop has "CUP", "cup", the warehouse "CUP""#
        );
    }
}
