//! The register of codes: the shop's catalogue as last read, by which a code that two things have is found before
//! anything is sent.
//!
//! A item is entered before it is sent, and committed. So of two products that take the same code at the same moment at
//! least the later one sees the other, and a code is never sent for both.

use std::{collections::HashMap, fmt};

use serde::Serialize;

use super::{
    ItemDraft, ItemDrafts, ProductPolicy, ShopProduct, WithheldItem,
    shelf::{draft_all_items, is_stored},
};
use crate::domain::{event::subject::Subject, task::outcome::Reason};

/// A code without its blanks and in lower case: codes alike in this are one code to a person's eye, and to a scanner.
pub fn code_key(code: &str) -> String {
    code.split_whitespace().collect::<String>().to_lowercase()
}

/// A item as it is entered into the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueItem {
    /// As `product:77/5`.
    pub item: String,
    /// Its code, where it has one.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What would be sent, or why nothing can be.
    pub draft: Result<ItemDraft, Reason>,
    /// Is it the warehouse's to store?
    pub stored: bool,
}

impl CatalogueItem {
    /// Every part of a product, stored at the warehouse or not: a code is taken either way.
    pub fn of(product: &ShopProduct, policy: &ProductPolicy) -> Vec<Self> {
        let entry = |item: Result<ItemDraft, WithheldItem>| {
            let stored = is_stored(&item, product, policy);
            match item {
                Ok(draft) => {
                    let (code, name) = (Some(draft.code.clone()), Some(draft.name.clone()));
                    Self { item: draft.item.clone(), code, name, draft: Ok(draft), stored }
                }
                Err(WithheldItem { item, code, name, reason, .. }) => {
                    Self { item, code, name, draft: Err(reason), stored }
                }
            }
        };
        draft_all_items(product, policy).into_iter().map(entry).collect()
    }
}

/// What we remember of a item at the warehouse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownItem {
    /// The code under which it stands there.
    pub code: Option<String>,
    /// The fingerprint of what was sent last.
    pub sent_hash: Option<String>,
}

/// A item that has the same code as another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateItem {
    /// As `product:77/5`.
    pub item: String,
    /// Its code as spelt.
    pub code: String,
    /// Its name.
    pub name: Option<String>,
}

impl fmt::Display for DuplicateItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {:?} ({})", self.code, self.name.as_deref().unwrap_or("?"), self.item)
    }
}

/// What the register says once a product's items are entered.
#[derive(Clone, Debug, Default)]
pub struct CodeRegister {
    /// What we remember of its items, by item.
    pub known: HashMap<String, KnownItem>,
    /// Every part of the catalogue, by the code key that it shares with one of these.
    pub duplicates: HashMap<String, Vec<DuplicateItem>>,
    /// Parts of the catalogue that we remember at the warehouse under one of these codes, by code.
    pub owners: HashMap<String, Vec<String>>,
    /// Was the whole catalogue read at some time? Until then the register cannot say whose a code is.
    pub is_complete: bool,
    /// Products that have a code which this one has just left: they may go on now.
    pub left: Vec<Subject>,
}

impl CodeRegister {
    /// Another item that we remember at the warehouse under the item's code.
    pub fn owner(&self, draft: &ItemDraft) -> Option<&str> {
        let owners = self.owners.get(&draft.code)?;
        owners.iter().find(|owner| **owner != draft.item).map(String::as_str)
    }

    /// Holds back every item whose code another part of the catalogue has too: which of them lies on the shelf, only a
    /// person knows.
    pub fn withhold_duplicates(&self, drafts: ItemDrafts) -> ItemDrafts {
        let check = |draft: ItemDraft| {
            let duplicates = self.duplicates.get(&code_key(&draft.code));
            let others: Vec<_> =
                duplicates.into_iter().flatten().filter(|twin| twin.item != draft.item).collect();
            if others.is_empty() {
                return Ok(draft);
            }
            let others: Vec<_> = others.iter().map(ToString::to_string).collect();
            let detail = format!("{:?} is also {}", draft.code, others.join(", "));
            let ItemDraft { item, code, name, .. } = draft;
            let reason = Reason::CodeRepeated;
            Err(WithheldItem { item, code: Some(code), name: Some(name), reason, detail: Some(detail) })
        };
        drafts.into_iter().map(|draft| draft.and_then(check)).collect()
    }
}

/// A item whose code cannot be sent as it is: one line of the list that the API, the doctor and a sync show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CodeProblem {
    /// The item, as `product:77/5`.
    pub item: String,
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
        let Self { item, code, name, reason, others, .. } = self;
        write!(f, "{:?} ({item}) has ", name.as_deref().unwrap_or("?"))?;
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
        let draft = |item: &str, code: &str| {
            Ok(ItemDraft { item: item.into(), code: code.into(), name: "Cup".into(), ..ItemDraft::default() })
        };
        let twin = |item: &str, code: &str, name: &str| DuplicateItem {
            item: item.into(),
            code: code.into(),
            name: Some(name.into()),
        };
        let both = vec![twin("product:77", "CUP", "Cup"), twin("product:91", "cup ", "Mug")];
        let register =
            CodeRegister { duplicates: HashMap::from([("cup".to_owned(), both)]), ..CodeRegister::default() };
        let shelf =
            register.withhold_duplicates(vec![draft("product:77", "CUP"), draft("product:77/2", "OTHER")]);
        let held = shelf[0].as_ref().expect_err("held back");
        assert_eq!(held.reason, Reason::CodeRepeated);
        assert_eq!(held.detail.as_deref(), Some(r#""CUP" is also "cup " of "Mug" (product:91)"#));
        assert!(shelf[1].is_ok(), "the rest goes on");
    }
}
