//! Products: the shop's catalogue flows to the warehouse, and never back.
//!
//! The warehouse knows no variations: each is a product of its own there, named "Product - Variation" and inheriting
//! what it lacks. A subject is the whole product of the shop; its parts are brought into step one deed at a time.

use std::collections::HashMap;

use super::{order::ShopLine, outcome::Reason};

/// The longest product code we send; the vendor's own limit is not public, see U19 of the contract.
pub const LONGEST_CODE: usize = 50;

/// A product of the shop, with its variations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopProduct {
    /// Its id in the shop.
    pub id: String,
    /// Its `updated_at`.
    pub version: Option<String>,
    /// Its own fields; with variations, the fields they inherit.
    pub fields: Fields,
    /// Whose goods it and its variations are.
    pub supplier: Supplier,
    /// Empty for a product without variations.
    pub variations: Vec<Variation>,
}

/// A variation of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variation {
    /// Its id in the shop.
    pub id: String,
    /// What it says of itself.
    pub fields: Fields,
}

/// What either side says of a thing that can lie on a shelf. Empty text is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// The product code, the one name both systems share.
    pub code: Option<String>,
    /// Shown on packing lists.
    pub name: Option<String>,
    /// Barcode.
    pub ean: Option<String>,
    /// The supplier's own code.
    pub supplier_code: Option<String>,
}

/// A product as it should stand at the warehouse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The remembered part: `product:77`, or `product:77/5` for a variation.
    pub part: String,
    /// Its id in the shop.
    pub id: String,
    /// The product code; neither empty nor too long.
    pub code: String,
    /// Name, with the variation's behind it.
    pub name: String,
    /// Sent only where the warehouse has none: an existing EAN is never overwritten there.
    pub ean: Option<String>,
    /// The supplier's own code.
    pub supplier_code: Option<String>,
}

/// An item, or the reason why it is held back.
pub type Shelf = Vec<Result<Item, HeldBack>>;

/// A part of a product that cannot go to the warehouse as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// The part held back.
    pub part: String,
    /// Why.
    pub reason: Reason,
}

/// Whose goods these are, as far as we know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Supplier {
    /// Not read: the connection's rules do not ask.
    #[default]
    NotRead,
    /// The shop names none.
    Nobody,
    /// This one.
    Named {
        /// The supplier's id in the shop.
        id: String,
        /// Its name, where the shop's list has it.
        name: Option<String>,
    },
    /// The shop does not know the product any more.
    Unknown,
}

/// Is a thing stored at the warehouse?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The rules ask for its supplier, whom nobody knows.
    CannotTell,
}

/// The connection's rules for products.
#[derive(Clone, Debug, Default)]
pub struct ProductPolicy {
    /// Names or ids of the suppliers whose goods are at the warehouse; empty is everybody's.
    pub suppliers: Vec<String>,
    /// Codes that are not at the warehouse.
    pub exclude_codes: Vec<String>,
    /// Two letters; what is allowed depends on the warehouse.
    pub language: String,
}

impl ProductPolicy {
    /// Is a thing of this code and supplier stored at the warehouse? The one rule for products, stock and order lines.
    pub fn stores(&self, code: &str, supplier: &Supplier) -> Stored {
        if self.exclude_codes.iter().any(|excluded| excluded == code) {
            return Stored::No;
        }
        let is = |text: &str| self.suppliers.iter().any(|it| it.to_lowercase() == text.to_lowercase());
        match supplier {
            _ if self.suppliers.is_empty() => Stored::Yes,
            Supplier::Named { id, name } if is(id) || name.as_deref().is_some_and(is) => Stored::Yes,
            Supplier::Named { .. } | Supplier::Nobody => Stored::No,
            Supplier::NotRead | Supplier::Unknown => Stored::CannotTell,
        }
    }

    /// Is a line of an order surely the warehouse's to ship?
    pub fn stores_line(&self, line: &ShopLine) -> bool {
        self.stores(line.code.as_deref().unwrap_or_default().trim(), &line.supplier) == Stored::Yes
    }
}

/// What a product of the shop amounts to on the warehouse's shelf; excluded parts are left out.
pub fn shelf(product: &ShopProduct, policy: &ProductPolicy) -> Shelf {
    let part = format!("product:{}", product.id);
    let items: Vec<_> = if product.variations.is_empty() {
        vec![item(part, &product.id, &product.fields, None)]
    } else {
        let parts = product.variations.iter();
        parts.map(|it| item(format!("{part}/{}", it.id), &it.id, &product.fields, Some(&it.fields))).collect()
    };
    hold_back_repeats(items)
        .into_iter()
        .filter(|item| {
            let stored = |item: &Item| policy.stores(&item.code, &product.supplier) == Stored::Yes;
            item.as_ref().map_or(true, stored)
        })
        .collect()
}

fn item(part: String, id: &str, product: &Fields, variation: Option<&Fields>) -> Result<Item, HeldBack> {
    let own = variation.unwrap_or(product);
    let code = own.code.clone().unwrap_or_default();
    if code.is_empty() || code.chars().count() > LONGEST_CODE || code.trim() != code {
        return Err(HeldBack { part, reason: Reason::CodeUnusable });
    }
    let names = [product.name.as_deref(), variation.and_then(|it| it.name.as_deref())];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" - ");
    let inherited =
        |pick: fn(&Fields) -> &Option<String>| pick(own).clone().or_else(|| pick(product).clone());
    Ok(Item {
        part,
        id: id.to_owned(),
        name: if name.is_empty() { code.clone() } else { name },
        code,
        // A barcode is never inherited: two variations under one EAN would be one thing to a scanner.
        ean: own.ean.clone(),
        supplier_code: inherited(|fields| &fields.supplier_code),
    })
}

/// Holds back every part whose code another part of the same product has too: which of them lies on the shelf, only
/// a person knows.
fn hold_back_repeats(items: Vec<Result<Item, HeldBack>>) -> Shelf {
    let mut count: HashMap<String, usize> = HashMap::new();
    for item in items.iter().flatten() {
        *count.entry(item.code.to_lowercase()).or_default() += 1;
    }
    let check = |item: Item| match count[&item.code.to_lowercase()] {
        1 => Ok(item),
        _ => Err(HeldBack { part: item.part, reason: Reason::CodeUnusable }),
    };
    items.into_iter().map(|item| item.and_then(check)).collect()
}

/// The one thing to do next for an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The warehouse has it as it should be.
    Nothing,
    /// The warehouse lacks it.
    Create,
    /// The warehouse has it otherwise.
    Update,
}

/// What to do, given what the warehouse has under the item's code.
pub fn decide(item: &Item, warehouse: Option<&Fields>) -> Next {
    let Some(there) = warehouse else { return Next::Create };
    let ean_missing = there.ean.is_none() && item.ean.is_some();
    let supplier_differs = item.supplier_code.is_some() && item.supplier_code != there.supplier_code;
    let name_differs = there.name.as_deref() != Some(item.name.as_str());
    if name_differs || ean_missing || supplier_differs { Next::Update } else { Next::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(code: &str, name: &str) -> Fields {
        Fields { code: Some(code.into()), name: Some(name.into()), ..Fields::default() }
    }

    fn product(variations: Vec<Variation>) -> ShopProduct {
        let supplier = Supplier::NotRead;
        ShopProduct { id: "77".into(), version: None, fields: fields("CUP", "Cup"), supplier, variations }
    }

    fn variation(id: &str, code: &str, name: &str) -> Variation {
        Variation { id: id.into(), fields: fields(code, name) }
    }

    const ALL: ProductPolicy =
        ProductPolicy { suppliers: Vec::new(), exclude_codes: Vec::new(), language: String::new() };

    #[test]
    fn a_variation_is_a_product_of_its_own_named_after_both() {
        let items =
            shelf(&product(vec![variation("5", "CUP-R", "Red"), variation("6", "CUP-B", "Blue")]), &ALL);
        let names: Vec<_> =
            items.iter().flatten().map(|item| (item.part.as_str(), item.name.as_str())).collect();
        assert_eq!(names, [("product:77/5", "Cup - Red"), ("product:77/6", "Cup - Blue")]);
    }

    #[test]
    fn unusable_codes_are_held_back_one_by_one_while_the_rest_goes_on() {
        let long = "x".repeat(51);
        let parts = vec![
            variation("1", "", "None"),
            variation("2", &long, "Long"),
            variation("3", "Twin", "A"),
            variation("4", "TWIN", "B"),
            variation("5", "GOOD", "C"),
        ];
        let items = shelf(&product(parts), &ALL);
        let good: Vec<_> = items.iter().flatten().map(|item| item.code.as_str()).collect();
        assert_eq!((good, items.iter().filter(|item| item.is_err()).count()), (vec!["GOOD"], 4));
    }

    #[test]
    fn excluded_codes_stay_out_without_a_word() {
        let policy = ProductPolicy { exclude_codes: vec!["CUP".into()], ..ProductPolicy::default() };
        assert_eq!(shelf(&product(vec![]), &policy), []);
    }

    #[test]
    fn each_difference_leads_to_its_one_thing() {
        let item = Item {
            part: "product:77".into(),
            id: "77".into(),
            code: "CUP".into(),
            name: "Cup".into(),
            ean: Some("640".into()),
            supplier_code: None,
        };
        let there =
            Fields { ean: Some("other".into()), supplier_code: Some("S".into()), ..fields("CUP", "Cup") };
        assert_eq!(decide(&item, None), Next::Create);
        assert_eq!(decide(&item, Some(&there)), Next::Nothing, "an existing EAN is never overwritten");
        assert_eq!(decide(&item, Some(&Fields { ean: None, ..there.clone() })), Next::Update);
        assert_eq!(decide(&item, Some(&Fields { name: Some("Old".into()), ..there })), Next::Update);
    }
}
