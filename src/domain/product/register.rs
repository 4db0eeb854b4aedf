//! The register of product codes: the shop's catalogue as last read. It shows that two items share a code
//! before anything is sent.
//!
//! An item is registered and committed before it is sent. So of two products that take the same code at the
//! same moment at least the later one sees the other, and a code is never sent for both.

use std::{collections::HashMap, fmt};

use serde::Serialize;

use super::{
    CodeKey, ItemDraft, ItemDrafts, KnownSpellings, ProductPolicy, ShopProduct, WithheldItem,
    draft::{draft_all_items, is_stored},
    is_same_code,
};
use crate::domain::{event::subject::Subject, task::reason::Reason};

/// An item of the shop's catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueItem {
    /// Its subject, as `product:77/5`.
    pub item: String,
    /// Its code as the shop spells it, where it has one.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What would be sent, or why nothing can be.
    pub draft: Result<ItemDraft, Reason>,
    /// True where it is stored at the warehouse.
    pub stored: bool,
}

impl CatalogueItem {
    /// Lists every item of a product, stored at the warehouse or not: its code is taken either way.
    pub fn of(product: &ShopProduct, policy: &ProductPolicy) -> Vec<Self> {
        let entry = |item: Result<ItemDraft, WithheldItem>| {
            let stored = is_stored(&item, product, policy);
            match item {
                Ok(draft) => {
                    let (code, name) = (Some(draft.shop_code.clone()), Some(draft.name.clone()));
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

/// What was last sent of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownItem {
    /// The code under which the warehouse has it.
    pub code: Option<String>,
    /// The hash of what was sent.
    pub sent_hash: Option<String>,
}

/// An item that has the same code as another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateItem {
    /// Its subject, as `product:77/5`.
    pub item: String,
    /// Its code as the shop spells it.
    pub code: String,
    /// Its name.
    pub name: Option<String>,
}

impl fmt::Display for DuplicateItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {:?} ({})", self.code, self.name.as_deref().unwrap_or("?"), self.item)
    }
}

/// What the register says once a product's items are in it.
#[derive(Clone, Debug, Default)]
pub struct CodeRegister {
    /// What was last sent of each of these items, by item.
    pub known: HashMap<String, KnownItem>,
    /// All items of the catalogue that share a code with one of these, by code key.
    pub duplicates: HashMap<CodeKey, Vec<DuplicateItem>>,
    /// Items that the warehouse has under one of these codes, by code key.
    pub owners: HashMap<CodeKey, Vec<String>>,
    /// How both sides spell these codes, and those under which the items were sent before.
    pub spellings: KnownSpellings,
    /// True once the whole catalogue has been read. Until then the register cannot say whose a code is.
    pub is_complete: bool,
    /// Products with a code that this product has just given up: they may continue now.
    pub released: Vec<Subject>,
    /// Codes of these items for which no stock task was enqueued yet: goods may lie at the warehouse from before.
    pub codes_without_stock_task: Vec<String>,
}

impl CodeRegister {
    /// Returns another item that the warehouse has under this draft's code.
    pub fn owner(&self, draft: &ItemDraft) -> Option<&str> {
        let owners = self.owners.get(&CodeKey::of(&draft.code))?;
        owners.iter().find(|owner| **owner != draft.item).map(String::as_str)
    }

    /// Withholds every draft whose code another item of the catalogue has too: only a person knows which of
    /// them is on the shelf. Leaves out a draft under an alias where another item has the code itself: that one is the
    /// product at the warehouse.
    pub fn withhold_duplicates(&self, drafts: ItemDrafts) -> ItemDrafts {
        let is_alias = |draft: &ItemDraft| !is_same_code(&draft.shop_code, &draft.code);
        let is_left_out =
            |draft: &ItemDraft| is_alias(draft) && !self.others_with(&draft.code, &draft.item).is_empty();
        let check = |draft: ItemDraft| {
            let others = self.others_with(&draft.shop_code, &draft.item);
            if others.is_empty() {
                return Ok(draft);
            }
            let others: Vec<_> = others.iter().map(ToString::to_string).collect();
            let detail = format!("{:?} is also {}", draft.code, others.join(", "));
            let ItemDraft { item, shop_code, name, .. } = draft;
            let reason = Reason::CodeRepeated;
            Err(WithheldItem { item, code: Some(shop_code), name: Some(name), reason, detail: Some(detail) })
        };
        let drafts = drafts.into_iter().filter(|draft| !draft.as_ref().is_ok_and(is_left_out));
        drafts.map(|draft| draft.and_then(check)).collect()
    }

    /// The other items of the shop with this code.
    fn others_with(&self, code: &str, item: &str) -> Vec<&DuplicateItem> {
        let items = self.duplicates.get(&CodeKey::of(code)).into_iter().flatten();
        items.filter(|duplicate| duplicate.item != item).collect()
    }
}

/// An item whose code cannot be sent: a line of the list that the API, the doctor and a sync show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CodeProblem {
    /// The item, as `product:77/5`.
    pub item: String,
    /// Its product, as `product:77`.
    pub product: String,
    /// Its code as the shop spells it.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The reason code: `code_empty`, `code_too_long`, `code_dots` or `code_repeated`.
    pub reason: String,
    /// Every other item of the same code, as `"cup" of "Mug" (product:91)`.
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
    fn code_of_two_items_is_withheld_and_names_both() {
        let draft = |item: &str, code: &str| {
            let (shop_code, name) = (code.into(), "Cup".into());
            Ok(ItemDraft { item: item.into(), shop_code, code: code.into(), name, ..ItemDraft::default() })
        };
        let duplicate = |item: &str, code: &str, name: &str| DuplicateItem {
            item: item.into(),
            code: code.into(),
            name: Some(name.into()),
        };
        let both = vec![duplicate("product:77", "CUP", "Cup"), duplicate("product:91", "cup ", "Mug")];
        let register = CodeRegister {
            duplicates: HashMap::from([(CodeKey::of("CUP"), both)]),
            ..CodeRegister::default()
        };
        let drafts =
            register.withhold_duplicates(vec![draft("product:77", "CUP"), draft("product:77/2", "OTHER")]);
        let withheld = drafts[0].as_ref().expect_err("withheld");
        assert_eq!(withheld.reason, Reason::CodeRepeated);
        assert_eq!(withheld.detail.as_deref(), Some(r#""CUP" is also "cup " of "Mug" (product:91)"#));
        assert!(drafts[1].is_ok(), "the other continues");
        let alias = ItemDraft { shop_code: "MUKI".into(), ..draft("product:5", "CUP").expect("sound") };
        assert_eq!(register.withhold_duplicates(vec![Ok(alias)]), [], "the product is another item");
    }
}
