//! The lines of a shop's order that are packed at the warehouse.
//!
//! What nobody packs (downloads, gift cards, services) is left out. A line that takes pieces back is set off against the
//! others of its code. A kit is packed as its components.

use super::{DraftError, ShopLine};
use crate::domain::{product::ProductPolicy, task::reason::Reason};

/// The goods of an order, with what is taken back set off. More taken back than ordered is for a person: a line is never
/// dropped.
pub(super) fn goods(lines: &[ShopLine], products: &ProductPolicy) -> Result<Vec<ShopLine>, DraftError> {
    let is_packed = |line: &&ShopLine| !line.is_download && !products.is_not_packed(line.code());
    let (taken_back, mut goods): (Vec<_>, Vec<_>) =
        lines.iter().filter(is_packed).cloned().partition(|line| line.quantity < 0);
    for line in taken_back {
        let left = set_off(&mut goods, &line);
        if left > 0 {
            let detail = format!(
                "{left} of {:?} more are taken back than are ordered: correct the order in the shop",
                line.code()
            );
            return Err(DraftError { reason: Reason::NegativeQuantity, detail });
        }
    }
    goods.retain(|line| line.quantity > 0);
    Ok(goods)
}

/// Takes a negative line off the lines of its code, those of its price first. Returns the pieces that are left.
fn set_off(goods: &mut [ShopLine], taken_back: &ShopLine) -> i64 {
    let mut left = taken_back.quantity.saturating_neg();
    let has_price = |line: &ShopLine| line.unit_price == taken_back.unit_price;
    for is_same_price in [true, false] {
        let of_code = goods.iter_mut().filter(|line| line.code() == taken_back.code());
        for line in of_code.filter(|line| has_price(line) == is_same_price) {
            let pieces = left.min(line.quantity).max(0);
            line.quantity -= pieces;
            left -= pieces;
        }
    }
    left
}

/// The lines as they are packed: a kit's as its components. They have no prices of their own.
pub(super) fn packed(line: ShopLine, products: &ProductPolicy) -> Vec<ShopLine> {
    let Some(components) = products.kits.get(line.code()) else { return vec![line] };
    let component = |(code, pieces): &(String, i64)| ShopLine {
        code: Some(code.clone()),
        quantity: line.quantity.saturating_mul(*pieces),
        unit_price: None,
        vat_rate: None,
        ..line.clone()
    };
    components.iter().map(component).collect()
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::domain::order::tests::line;

    fn products() -> ProductPolicy {
        ProductPolicy {
            not_packed: vec!["LAHJA*".into(), "palvelu".into()],
            kits: [("KIT".to_owned(), vec![("A".to_owned(), 1), ("B".to_owned(), 2)])].into(),
            ..ProductPolicy::default()
        }
    }

    fn goods_of(lines: &[ShopLine]) -> Result<Vec<(String, i64)>, Reason> {
        let goods = goods(lines, &products()).map_err(|error| error.reason)?;
        Ok(goods.iter().map(|line| (line.code().to_owned(), line.quantity)).collect())
    }

    #[test]
    fn what_nobody_packs_is_left_out() {
        let lines = [line("A", 1), line("lahjakortti-50", 1), line("PALVELU", 2), line("PALVELUT", 1)];
        assert_eq!(goods_of(&lines), Ok(vec![("A".into(), 1), ("PALVELUT".into(), 1)]));
    }

    #[test]
    fn negative_line_is_set_off_against_its_code() {
        assert_eq!(
            goods_of(&[line("A", 3), line("A", -1), line("B", 1)]),
            Ok(vec![("A".into(), 2), ("B".into(), 1)])
        );
        assert_eq!(goods_of(&[line("A", 1), line("A", -1)]), Ok(vec![]));
        assert_eq!(goods_of(&[line("A", 1), line("A", -2)]), Err(Reason::NegativeQuantity));
        assert_eq!(goods_of(&[line("A", 1), line("B", -1)]), Err(Reason::NegativeQuantity));
        assert_eq!(goods_of(&[line("A", i64::MIN)]), Err(Reason::NegativeQuantity));
        let at =
            |pieces, price: i64| ShopLine { unit_price: Some(Decimal::from(price)), ..line("A", pieces) };
        let left = goods(&[at(2, 10), at(2, 8), at(-3, 8)], &products()).expect("enough");
        let left: Vec<_> = left.iter().map(|line| (line.quantity, line.unit_price)).collect();
        assert_eq!(left, [(1, Some(Decimal::from(10)))], "those of its price first");
    }

    #[test]
    fn kit_is_packed_as_its_components() {
        let parts = packed(ShopLine { unit_price: Some(Decimal::TEN), ..line("KIT", 3) }, &products());
        let parts: Vec<_> =
            parts.iter().map(|it| (it.code().to_owned(), it.quantity, it.unit_price)).collect();
        assert_eq!(parts, [("A".into(), 3, None), ("B".into(), 6, None)]);
        assert_eq!(packed(line("A", 1), &products()).len(), 1);
    }
}
