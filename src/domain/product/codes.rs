//! The register of codes: the shop's catalogue as last read, by which a code that two things have is found before
//! anything is sent.
//!
//! A part is entered before it is sent, and committed. So of two products that take the same code at the same moment at
//! least the later one sees the other, and a code is never sent for both.

use std::{collections::HashMap, fmt};

use serde::Serialize;

use super::{
    HeldBack, Item, ProductPolicy, Shelf, ShopProduct,
    shelf::{is_stored, parts},
};
use crate::domain::{event::subject::Subject, task::outcome::Reason};

/// A code without its blanks and in lower case: codes alike in this are one code to a person's eye, and to a scanner.
pub fn code_key(code: &str) -> String {
    code.split_whitespace().collect::<String>().to_lowercase()
}

/// A part as it is entered into the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As `product:77/5`.
    pub part: String,
    /// Its code, where it has one.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What would be sent, or why nothing can be.
    pub item: Result<Item, Reason>,
    /// Is it the warehouse's to store?
    pub stored: bool,
}

impl Entry {
    /// Every part of a product, stored at the warehouse or not: a code is taken either way.
    pub fn of(product: &ShopProduct, policy: &ProductPolicy) -> Vec<Self> {
        let entry = |part: Result<Item, HeldBack>| {
            let stored = is_stored(&part, product, policy);
            match part {
                Ok(item) => {
                    let (code, name) = (Some(item.code.clone()), Some(item.name.clone()));
                    Self { part: item.part.clone(), code, name, item: Ok(item), stored }
                }
                Err(HeldBack { part, code, name, reason, .. }) => {
                    Self { part, code, name, item: Err(reason), stored }
                }
            }
        };
        parts(product, policy).into_iter().map(entry).collect()
    }
}

/// What we remember of a part at the warehouse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The code under which it stands there.
    pub code: Option<String>,
    /// The fingerprint of what was sent last.
    pub sent_hash: Option<String>,
}

/// A part that has the same code as another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// As `product:77/5`.
    pub part: String,
    /// Its code as spelt.
    pub code: String,
    /// Its name.
    pub name: Option<String>,
}

impl fmt::Display for Twin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {:?} ({})", self.code, self.name.as_deref().unwrap_or("?"), self.part)
    }
}

/// What the register says once a product's parts are entered.
#[derive(Clone, Debug, Default)]
pub struct Entered {
    /// What we remember of its parts, by part.
    pub known: HashMap<String, Known>,
    /// Every part of the catalogue, by the code key that it shares with one of these.
    pub twins: HashMap<String, Vec<Twin>>,
    /// Parts of the catalogue that we remember at the warehouse under one of these codes, by code.
    pub owners: HashMap<String, Vec<String>>,
    /// Was the whole catalogue read at some time? Until then the register cannot say whose a code is.
    pub is_whole: bool,
    /// Products that have a code which this one has just left: they may go on now.
    pub left: Vec<Subject>,
}

impl Entered {
    /// Another part that we remember at the warehouse under the item's code.
    pub fn owner(&self, item: &Item) -> Option<&str> {
        let owners = self.owners.get(&item.code)?;
        owners.iter().find(|owner| **owner != item.part).map(String::as_str)
    }

    /// Holds back every item whose code another part of the catalogue has too: which of them lies on the shelf, only a
    /// person knows.
    pub fn hold_back_twins(&self, items: Shelf) -> Shelf {
        let check = |item: Item| {
            let twins = self.twins.get(&code_key(&item.code));
            let others: Vec<_> = twins.into_iter().flatten().filter(|twin| twin.part != item.part).collect();
            if others.is_empty() {
                return Ok(item);
            }
            let others: Vec<_> = others.iter().map(ToString::to_string).collect();
            let detail = format!("{:?} is also {}", item.code, others.join(", "));
            let Item { part, code, name, .. } = item;
            let reason = Reason::CodeRepeated;
            Err(HeldBack { part, code: Some(code), name: Some(name), reason, detail: Some(detail) })
        };
        items.into_iter().map(|item| item.and_then(check)).collect()
    }
}

/// A part whose code cannot be sent as it is: one line of the list that the API, the doctor and a comparison show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CodeProblem {
    /// The part, as `product:77/5`.
    pub part: String,
    /// The product it belongs to, as `product:77`.
    pub product: String,
    /// Its code as the shop spells it.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Closed reason code: `code_empty`, `code_too_long` or `code_repeated`.
    pub reason: String,
    /// Every other part of the same code, as `"cup" of "Mug" (product:91)`.
    pub others: Vec<String>,
}

impl fmt::Display for CodeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, code, name, reason, others, .. } = self;
        write!(f, "{:?} ({part}) has ", name.as_deref().unwrap_or("?"))?;
        match code {
            None => write!(f, "no code"),
            Some(code) if others.is_empty() => write!(f, "the code {code:?}: {reason}"),
            Some(code) => write!(f, "the code {code:?}, which is also {}", others.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_differ_only_in_case_or_blanks_are_one() {
        for code in ["CUP-1", "cup-1", " Cup-1 ", "CU P-1", "cup\u{a0}-1"] {
            assert_eq!(code_key(code), "cup-1", "{code:?}");
        }
        assert_ne!(code_key("CUP-1"), code_key("CUP1"));
    }

    #[test]
    fn a_code_that_another_product_has_is_held_back_and_names_both() {
        let item = |part: &str, code: &str| {
            Ok(Item { part: part.into(), code: code.into(), name: "Cup".into(), ..Item::default() })
        };
        let twin = |part: &str, code: &str, name: &str| Twin {
            part: part.into(),
            code: code.into(),
            name: Some(name.into()),
        };
        let both = vec![twin("product:77", "CUP", "Cup"), twin("product:91", "cup ", "Mug")];
        let entered = Entered { twins: HashMap::from([("cup".to_owned(), both)]), ..Entered::default() };
        let shelf = entered.hold_back_twins(vec![item("product:77", "CUP"), item("product:77/2", "OTHER")]);
        let held = shelf[0].as_ref().expect_err("held back");
        assert_eq!(held.reason, Reason::CodeRepeated);
        assert_eq!(held.detail.as_deref(), Some(r#""CUP" is also "cup " of "Mug" (product:91)"#));
        assert!(shelf[1].is_ok(), "the rest goes on");
    }
}
