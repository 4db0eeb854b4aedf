//! The lines of a shop's order that are packed at the warehouse.
//!
//! What nobody packs (downloads, gift cards, services) is left out. A line that takes pieces back is set off against the
//! others of its code. A kit is packed as its components. The warehouse counts whole pieces: half a metre of a code goes
//! only where it is a kit of shorter pieces.

use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::{DraftError, ShopLine};
use crate::domain::{product::ProductPolicy, task::reason::Reason};

/// The goods of an order, with what is taken back set off. More taken back than ordered is for a person: a line is never
/// dropped.
pub(super) fn goods(lines: &[ShopLine], products: &ProductPolicy) -> Result<Vec<ShopLine>, DraftError> {
    let is_packed = |line: &&ShopLine| !line.is_download && !products.is_not_packed(line.code());
    let (taken_back, mut goods): (Vec<_>, Vec<_>) =
        lines.iter().filter(is_packed).cloned().partition(|line| line.quantity < Decimal::ZERO);
    for line in taken_back {
        let left = set_off(&mut goods, &line, products);
        if left > Decimal::ZERO {
            let detail = format!(
                "{} × {:?} more are taken back than are ordered: correct the order in the shop",
                left.normalize(),
                line.code()
            );
            return Err(DraftError { reason: Reason::NegativeQuantity, detail });
        }
    }
    goods.retain(|line| line.quantity > Decimal::ZERO);
    Ok(goods)
}

/// Takes a negative line off the lines of its code, those of its price first. Returns the pieces that are left.
fn set_off(goods: &mut [ShopLine], taken_back: &ShopLine, products: &ProductPolicy) -> Decimal {
    let key = products.product_key(taken_back.code());
    let mut left = -taken_back.quantity;
    let has_price = |line: &ShopLine| line.unit_price == taken_back.unit_price;
    for is_same_price in [true, false] {
        let of_code = goods.iter_mut().filter(|line| products.product_key(line.code()) == key);
        for line in of_code.filter(|line| has_price(line) == is_same_price) {
            let pieces = left.min(line.quantity).max(Decimal::ZERO);
            line.quantity -= pieces;
            left -= pieces;
        }
    }
    left
}

/// A line as it is packed.
pub(super) struct PackedLine {
    /// Its code at the warehouse, or a component's.
    pub(super) code: String,
    /// Whole pieces, more than zero.
    pub(super) pieces: i64,
    /// The shop's price of one piece and its VAT, where they are sent.
    pub(super) price: Option<(Decimal, Decimal)>,
}

/// A line as it is packed, under the codes of the warehouse: a kit's as its components. They have no prices of their own.
pub(super) fn packed(line: &ShopLine, products: &ProductPolicy) -> Result<Vec<PackedLine>, DraftError> {
    let Some(components) = products.kit(line.code()) else {
        let price = line.unit_price.zip(line.vat_rate);
        return Ok(vec![PackedLine {
            price,
            ..packed_pieces(line, products.code_at_warehouse(line.code()), 1)?
        }]);
    };
    let part =
        |(code, pieces): &(String, i64)| packed_pieces(line, products.code_at_warehouse(code), *pieces);
    components.iter().map(part).collect()
}

/// So many pieces of a code for each one of a line.
fn packed_pieces(line: &ShopLine, code: &str, for_each: i64) -> Result<PackedLine, DraftError> {
    let pieces = line.quantity.checked_mul(for_each.into());
    let whole = pieces.filter(Decimal::is_integer).and_then(|pieces| pieces.to_i64());
    let pieces = whole.ok_or_else(|| DraftError {
        reason: Reason::FractionalQuantity,
        detail: format!(
            "{} × {code:?} is no whole number of pieces: name its pieces under [connections.products.kits], or correct \
             the order in the shop",
            pieces.unwrap_or(line.quantity).normalize()
        ),
    })?;
    Ok(PackedLine { code: code.to_owned(), pieces, price: None })
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::domain::{order::tests::line, product::CodeKey};

    fn products() -> ProductPolicy {
        ProductPolicy {
            not_packed: vec!["LAHJA*".into(), "palvelu".into()],
            kits: [
                (CodeKey::of("KIT"), vec![("A".to_owned(), 1), ("B".to_owned(), 2)]),
                (CodeKey::of("CLOTH"), vec![("CLOTH-10CM".to_owned(), 10)]),
            ]
            .into(),
            ..ProductPolicy::default()
        }
    }

    fn goods_of(lines: &[ShopLine]) -> Result<Vec<(String, i64)>, Reason> {
        let goods = goods(lines, &products()).map_err(|error| error.reason)?;
        let pieces = |line: &ShopLine| line.quantity.to_i64().expect("whole");
        Ok(goods.iter().map(|line| (line.code().to_owned(), pieces(line))).collect())
    }

    #[test]
    fn what_nobody_packs_is_left_out() {
        let lines = [line("A", 1), line("lahjakortti-50", 1), line("PALVELU", 2), line("PALVELUT", 1)];
        assert_eq!(goods_of(&lines), Ok(vec![("A".into(), 1), ("PALVELUT".into(), 1)]));
    }

    #[test]
    fn negative_line_is_set_off_against_its_code() {
        assert_eq!(
            goods_of(&[line("A", 3), line(" a", -1), line("B", 1)]),
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
        assert_eq!(left, [(Decimal::ONE, Some(Decimal::from(10)))], "those of its price first");
    }

    fn packed_as(line: &ShopLine) -> Result<Vec<(String, i64, bool)>, Reason> {
        let parts = packed(line, &products()).map_err(|error| error.reason)?;
        Ok(parts.into_iter().map(|it| (it.code, it.pieces, it.price.is_some())).collect())
    }

    #[test]
    fn kit_is_packed_as_its_components() {
        let priced = |line| ShopLine { unit_price: Some(Decimal::TEN), vat_rate: Some(Decimal::TEN), ..line };
        let parts = packed_as(&priced(line("KIT", 3)));
        assert_eq!(parts, Ok(vec![("A".into(), 3, false), ("B".into(), 6, false)]));
        assert_eq!(packed_as(&priced(line("A", 1))), Ok(vec![("A".into(), 1, true)]));
        assert_eq!(packed_as(&line("k it", 3)), packed_as(&line("KIT", 3)), "the same code");
    }

    #[test]
    fn fraction_is_packed_only_where_it_comes_out_in_whole_pieces() {
        let of = |code, quantity: &str| ShopLine {
            quantity: quantity.parse().expect("a number"),
            ..line(code, 1)
        };
        assert_eq!(packed_as(&of("A", "2.5")), Err(Reason::FractionalQuantity));
        assert_eq!(packed_as(&of("A", "2.00")), Ok(vec![("A".into(), 2, false)]));
        assert_eq!(packed_as(&of("CLOTH", "2.5")), Ok(vec![("CLOTH-10CM".into(), 25, false)]));
        assert_eq!(packed_as(&of("CLOTH", "2.55")), Err(Reason::FractionalQuantity));
        assert_eq!(packed_as(&of("CLOTH", "9999999999999999999")), Err(Reason::FractionalQuantity));
        let left = goods(&[of("CLOTH", "2.5"), of("CLOTH", "-0.5")], &products()).expect("enough");
        assert_eq!(packed_as(&left[0]), Ok(vec![("CLOTH-10CM".into(), 20, false)]));
    }
}
