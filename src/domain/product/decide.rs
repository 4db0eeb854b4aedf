//! Decides what to do next for one item.

use super::{ItemDraft, WarehouseProduct};
use crate::domain::task::reason::Reason;

/// What to do next for one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The warehouse has it as it should be.
    Nothing,
    /// The warehouse lacks it.
    Create,
    /// The warehouse's product differs.
    Update,
    /// The warehouse has it under its old code, and may be asked to rename it.
    Rename {
        /// The old code.
        from: String,
    },
    /// An operator must decide.
    AskOperator {
        /// The closed code.
        reason: Reason,
        /// Details in plain words.
        detail: String,
    },
}

/// What [`decide`] looks at.
#[derive(Clone, Copy, Debug)]
pub struct ItemView<'a> {
    /// What the warehouse should have.
    pub draft: &'a ItemDraft,
    /// What the warehouse has under the draft's code.
    pub there: Option<&'a WarehouseProduct>,
    /// What it has under the code that was sent before, where that is another one.
    pub before: Option<&'a WarehouseProduct>,
    /// Another item that the warehouse has under the draft's code, by our register.
    pub owner: Option<&'a str>,
    /// Whether a changed code renames the product at the warehouse. It says that this goes through its support, for a
    /// fee (docs/contract.md §2.9).
    pub rename: bool,
}

/// Decides what to do next, given both sides as they are now.
pub fn decide(view: &ItemView<'_>) -> Decision {
    let ItemView { draft, there, before, owner, rename } = *view;
    match (there, owner, before) {
        // Two items swapped codes, or one took a code that another has not given up yet.
        (Some(_), Some(owner), _) => Decision::AskOperator {
            reason: Reason::CodeTaken,
            detail: format!("the warehouse has {:?} as {owner}: rename that one there first", draft.code),
        },
        (Some(there), None, _) if differences(draft, there).is_empty() => Decision::Nothing,
        (Some(_), None, _) => Decision::Update,
        (None, _, Some(before)) if rename => Decision::Rename { from: before.code.clone() },
        // To create it under the new code would make it two products, one of them with the goods.
        (None, _, Some(before)) => Decision::AskOperator {
            reason: Reason::CodeChanged,
            detail: format!(
                "the shop has it as {:?} now, the warehouse still as {:?}: nothing was renamed or created",
                draft.code, before.code
            ),
        },
        (None, _, None) => Decision::Create,
    }
}

/// Lists the fields in which the warehouse's product differs from the draft. Fields that the draft leaves out
/// are the warehouse's own, and an existing EAN is never overwritten.
pub fn differences(draft: &ItemDraft, there: &WarehouseProduct) -> Vec<&'static str> {
    fn differs<T: PartialEq>(ours: Option<&T>, theirs: Option<&T>) -> bool {
        ours.is_some() && ours != theirs
    }
    let (ours, theirs) = (&draft.details, &there.details);
    let found = [
        ("name", there.name.as_deref() != Some(draft.name.as_str())),
        ("ean", theirs.ean.is_none() && ours.ean.is_some()),
        ("supplier_code", differs(ours.supplier_code.as_ref(), theirs.supplier_code.as_ref())),
        ("supplier", differs(ours.supplier.as_ref(), theirs.supplier.as_ref())),
        ("description", differs(ours.description.as_ref(), theirs.description.as_ref())),
        ("supply_price", differs(ours.supply_price.as_ref(), theirs.supply_price.as_ref())),
        ("sales_price", differs(ours.sales_price.as_ref(), theirs.sales_price.as_ref())),
        ("currency", differs(ours.currency.as_ref(), theirs.currency.as_ref())),
        ("country_of_origin", differs(ours.country_of_origin.as_ref(), theirs.country_of_origin.as_ref())),
        (
            "customs_description",
            differs(ours.customs_description.as_ref(), theirs.customs_description.as_ref()),
        ),
        ("hs_code", differs(ours.hs_code.as_ref(), theirs.hs_code.as_ref())),
        ("info_url", differs(ours.info_url.as_ref(), theirs.info_url.as_ref())),
        ("picture_url", differs(ours.picture_url.as_ref(), theirs.picture_url.as_ref())),
    ];
    found.into_iter().filter_map(|(field, differs)| differs.then_some(field)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::product::ItemDetails;

    fn item() -> ItemDraft {
        let details = ItemDetails { ean: Some("640".into()), ..ItemDetails::default() };
        ItemDraft {
            item: "product:77".into(),
            code: "CUP".into(),
            name: "Cup".into(),
            details,
            ..ItemDraft::default()
        }
    }

    fn there(code: &str) -> WarehouseProduct {
        let details = ItemDetails {
            ean: Some("other".into()),
            supplier_code: Some("S".into()),
            ..ItemDetails::default()
        };
        WarehouseProduct { id: None, code: code.into(), name: Some("Cup".into()), details }
    }

    #[test]
    fn each_difference_leads_to_its_decision() {
        let draft = item();
        let (same, old) = (there("CUP"), there("OLD"));
        let other_name = WarehouseProduct { name: Some("Mug".into()), ..same.clone() };
        let mut without_ean = same.clone();
        without_ean.details.ean = None;
        let view = |there, before, owner, rename| ItemView { draft: &draft, there, before, owner, rename };
        let next = |there, before, owner| decide(&view(there, before, owner, true));

        assert_eq!(next(None, None, None), Decision::Create);
        assert_eq!(next(Some(&same), None, None), Decision::Nothing, "an existing EAN is never overwritten");
        assert_eq!(next(Some(&without_ean), None, None), Decision::Update);
        assert_eq!(next(Some(&other_name), None, None), Decision::Update);
        assert_eq!(next(None, Some(&old), None), Decision::Rename { from: "OLD".into() });
        let changed = decide(&view(None, Some(&old), None, false));
        let Decision::AskOperator { reason: Reason::CodeChanged, detail } = changed else {
            panic!("{changed:?}")
        };
        assert!(detail.contains(r#""CUP""#) && detail.contains(r#""OLD""#), "{detail}");
        assert_eq!(next(Some(&same), Some(&old), None), Decision::Nothing, "somebody made the new one there");
        let taken = next(Some(&same), Some(&old), Some("product:78"));
        assert!(matches!(taken, Decision::AskOperator { reason: Reason::CodeTaken, .. }));
    }

    #[test]
    fn fields_left_out_of_the_draft_are_no_difference() {
        let (mut draft, there) = (item(), there("CUP"));
        assert_eq!(differences(&draft, &there), Vec::<&str>::new());
        draft.details.supplier_code = Some("T".into());
        draft.details.sales_price = Some("9.90".parse().expect("a number"));
        assert_eq!(differences(&draft, &there), ["supplier_code", "sales_price"]);
    }
}
