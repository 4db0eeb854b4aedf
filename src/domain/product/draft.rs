//! Builds what the warehouse should have of a product of the shop.

use super::{
    ItemDetails, ItemDraft, ProductFields, ProductPolicy, ShopProduct, Stored, Supplier, code_fault,
};
use crate::domain::task::reason::Reason;

/// Every item of a product that is stored at the warehouse: a draft, or why it is withheld.
pub type ItemDrafts = Vec<Result<ItemDraft, WithheldItem>>;

/// An item that cannot be sent to the warehouse as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithheldItem {
    /// Its subject.
    pub item: String,
    /// Its code, where it has one.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The closed code.
    pub reason: Reason,
    /// Details in plain words, where there are any.
    pub detail: Option<String>,
}

/// Drafts the items of a product that are stored at the warehouse.
pub fn draft_items(product: &ShopProduct, policy: &ProductPolicy) -> ItemDrafts {
    let all = draft_all_items(product, policy).into_iter();
    let stored = |draft| match check_stored(&draft, product, policy) {
        Stored::Yes => Some(draft),
        Stored::No => None,
        Stored::Unknown => Some(draft.and_then(|draft| Err(withhold_unknown(draft)))),
    };
    all.filter_map(stored).collect()
}

/// It is unknown whose goods these are, and so whether they are at the warehouse.
fn withhold_unknown(draft: ItemDraft) -> WithheldItem {
    let ItemDraft { item, shop_code, name, .. } = draft;
    let reason = Reason::SupplierUnknown;
    WithheldItem { item, code: Some(shop_code), name: Some(name), reason, detail: None }
}

/// True for an item that is stored at the warehouse. One without a code is, where its supplier's goods are.
pub(super) fn is_stored(
    draft: &Result<ItemDraft, WithheldItem>,
    product: &ShopProduct,
    policy: &ProductPolicy,
) -> bool {
    check_stored(draft, product, policy) == Stored::Yes
}

fn check_stored(
    draft: &Result<ItemDraft, WithheldItem>,
    product: &ShopProduct,
    policy: &ProductPolicy,
) -> Stored {
    let code =
        draft.as_ref().map_or_else(|withheld| withheld.code.as_deref(), |draft| Some(draft.code.as_str()));
    policy.check_stored(code.unwrap_or_default(), &product.supplier)
}

/// Drafts every item of a product, stored or not.
pub(super) fn draft_all_items(product: &ShopProduct, policy: &ProductPolicy) -> ItemDrafts {
    let item = format!("product:{}", product.id);
    if product.variations.is_empty() {
        return vec![draft_item(item, product, None, policy)];
    }
    let variations = product.variations.iter();
    variations.map(|it| draft_item(format!("{item}/{}", it.id), product, Some(&it.fields), policy)).collect()
}

fn draft_item(
    item: String,
    product: &ShopProduct,
    variation: Option<&ProductFields>,
    policy: &ProductPolicy,
) -> Result<ItemDraft, WithheldItem> {
    let whole = &product.fields;
    let own = variation.unwrap_or(whole);
    let names = [whole.name.as_deref(), variation.and_then(|it| it.name.as_deref())];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" - ");
    let shop_code = own.code.clone().unwrap_or_default();
    if let Some(reason) = code_fault(&shop_code) {
        let name = Some(name).filter(|name| !name.is_empty());
        return Err(WithheldItem { item, code: own.code.clone(), name, reason, detail: None });
    }
    let (code, extra) = (policy.code_at_warehouse(shop_code.trim()).to_owned(), policy.extra.row(&shop_code));
    let price = |pick: fn(&ProductFields) -> Option<rust_decimal::Decimal>| {
        policy.currency.as_ref().and_then(|_| pick(own).or_else(|| pick(whole)))
    };
    let (supply_price, sales_price) = (price(|it| it.purchase_price), price(|it| it.price));
    let supplier = match &product.supplier {
        Supplier::Named { name, .. } => name.clone(),
        Supplier::NotRead | Supplier::Unnamed | Supplier::Unknown => None,
    };
    let filled = |template: &Option<String>, key: &str, value: Option<&String>| {
        template.as_ref().zip(value).map(|(template, value)| template.replace(key, value))
    };
    let details = ItemDetails {
        // A barcode is never inherited: two variations under one EAN would be one thing to a scanner.
        ean: own.ean.clone(),
        supplier_code: own.supplier_code.clone().or_else(|| whole.supplier_code.clone()),
        supplier,
        description: whole.description.clone().filter(|_| policy.descriptions),
        currency: policy.currency.clone().filter(|_| supply_price.is_some() || sales_price.is_some()),
        supply_price,
        sales_price,
        country_of_origin: extra
            .and_then(|it| it.country_of_origin.clone())
            .or_else(|| policy.country_of_origin.clone()),
        customs_description: extra.and_then(|it| it.customs_description.clone()),
        hs_code: extra.and_then(|it| it.hs_code.clone()),
        info_url: filled(&policy.info_url, "{id}", Some(&product.id)),
        picture_url: filled(&policy.picture_url, "{file}", whole.picture.as_ref()),
    };
    let name = if name.is_empty() { code.clone() } else { name };
    Ok(ItemDraft { item, shop_code, code, name, language: policy.language.clone(), details })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::product::{CodeKey, Variation};

    fn fields(code: &str, name: &str) -> ProductFields {
        ProductFields { code: Some(code.into()), name: Some(name.into()), ..ProductFields::default() }
    }

    fn product(variations: Vec<Variation>) -> ShopProduct {
        let supplier = Supplier::NotRead;
        ShopProduct {
            id: "77".into(),
            version: None,
            fields: fields("CUP", "Cup"),
            supplier,
            variations,
            unreadable: Vec::new(),
        }
    }

    fn variation(id: &str, code: &str, name: &str) -> Variation {
        Variation { id: id.into(), fields: fields(code, name) }
    }

    #[test]
    fn variation_is_a_product_of_its_own_named_after_both() {
        let product = product(vec![variation("5", "CUP-R", "Red"), variation("6", "CUP-B", "Blue")]);
        let drafts = draft_items(&product, &ProductPolicy::default());
        let names: Vec<_> = drafts
            .iter()
            .flatten()
            .map(|draft| (draft.item.as_str(), draft.id(), draft.name.as_str()))
            .collect();
        assert_eq!(names, [("product:77/5", "5", "Cup - Red"), ("product:77/6", "6", "Cup - Blue")]);
    }

    #[test]
    fn variation_inherits_what_it_lacks_except_the_barcode() {
        let mut product = product(vec![variation("5", "CUP-R", "Red")]);
        product.fields.supplier_code = Some("S-1".into());
        product.fields.ean = Some("640".into());
        product.fields.price = Some(rust_decimal::Decimal::TEN);
        product.fields.picture = Some("cup.jpg".into());
        product.supplier = Supplier::Named { id: "71".into(), name: Some("Kahvila Oy".into()) };
        let policy = ProductPolicy {
            currency: Some("EUR".into()),
            country_of_origin: Some("FI".into()),
            info_url: Some("https://shop/product/{id}".into()),
            picture_url: Some("https://shop/tuotekuvat/{file}".into()),
            ..ProductPolicy::default()
        };
        let draft = draft_items(&product, &policy).remove(0).expect("sound");
        let expected = serde_json::json!({
            "code": "CUP-R", "name": "Cup - Red", "language": "", "supplier_code": "S-1", "supplier": "Kahvila Oy",
            "sales_price": "10", "currency": "EUR", "country_of_origin": "FI",
            "info_url": "https://shop/product/77", "picture_url": "https://shop/tuotekuvat/cup.jpg",
        });
        assert_eq!(serde_json::to_value(draft).expect("plain"), expected);
    }

    #[test]
    fn unusable_codes_are_withheld_one_by_one() {
        let long = "x".repeat(51);
        let mut empty = variation("1", "", "None");
        empty.fields.code = None;
        let items = vec![
            empty,
            variation("2", &long, "Long"),
            variation("3", "..", "Dots"),
            variation("5", " GOOD ", "C"),
        ];
        let drafts = draft_items(&product(items), &ProductPolicy::default());
        let good: Vec<_> = drafts.iter().flatten().map(|draft| draft.code.as_str()).collect();
        let withheld: Vec<_> =
            drafts.iter().filter_map(|draft| draft.as_ref().err()).map(|it| it.reason).collect();
        assert_eq!(
            (good, withheld),
            (vec!["GOOD"], vec![Reason::CodeEmpty, Reason::CodeTooLong, Reason::CodeDots])
        );
    }

    #[test]
    fn excluded_codes_are_left_out() {
        let policy =
            ProductPolicy { exclude_codes: [CodeKey::of("cup ")].into(), ..ProductPolicy::default() };
        assert_eq!(draft_items(&product(vec![]), &policy), []);
    }
}
