//! What pages show of an order's lines: who ships each, how much of it has left, and how much came back.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    OrderView, ShopLine, ShopOrder, ShopStatus, WarehouseLine, WarehouseOrder, WarehouseStatus,
    at_warehouse::last_sent,
    parcels::{lines_to_send, returned_pieces},
};
use crate::domain::product::{CodeKey, ProductPolicy, Stored};

/// A line of an order, as pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFacts {
    /// The product code; empty where the line has none.
    pub code: String,
    /// The shop's name of the product.
    pub name: Option<String>,
    /// As the shop counts; below zero for what is taken back.
    pub quantity: Decimal,
    /// Who ships it; `None` where its supplier decides and is unknown.
    pub shipped_by: Option<ShippedBy>,
    /// How much of it has left.
    pub shipped: Option<Decimal>,
    /// How much of it came back.
    pub returned: Option<Decimal>,
}

/// Who ships a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum ShippedBy {
    /// The warehouse.
    Warehouse,
    /// The shop itself, or its supplier.
    Shop,
    /// Nobody: a download, a gift card, a service.
    Nobody,
}

impl ShippedBy {
    /// The spelling in rows.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    fn of(line: &ShopLine, products: &ProductPolicy) -> Option<Self> {
        if line.is_download || products.is_not_packed(line.code()) {
            return Some(Self::Nobody);
        }
        match products.check_line(line.code(), &line.supplier) {
            Stored::Yes => Some(Self::Warehouse),
            Stored::No => Some(Self::Shop),
            Stored::Unknown => None,
        }
    }
}

impl LineFacts {
    /// What the shop says of a line.
    pub(super) fn ordered(line: &ShopLine) -> Self {
        Self {
            code: line.code().to_owned(),
            name: line.name.clone(),
            quantity: line.quantity,
            shipped_by: None,
            shipped: None,
            returned: None,
        }
    }

    /// True for a line that is ordered; others take something back.
    pub(super) fn is_ordered(&self) -> bool {
        self.quantity > Decimal::ZERO
    }
}

/// The lines of an order; `None` where one of them cannot be read: what is left would look like all of it.
pub(super) fn line_facts(
    shop: &ShopOrder,
    ours: Option<&WarehouseOrder>,
    view: &OrderView<'_>,
) -> Option<Vec<LineFacts>> {
    if shop.unreadable.names_content("products") {
        return None;
    }
    let products = &view.policy.products;
    let mut shipped = ours.and_then(|ours| at_warehouse(ours, WarehouseStatus::has_shipped));
    let mut returned = ours.and_then(|ours| returned(shop, ours, view));
    let facts = |line: &ShopLine| {
        let of_line = LineFacts::ordered(line);
        if !of_line.is_ordered() {
            return of_line;
        }
        let shipped_by = ShippedBy::of(line, products);
        let shipped = match shipped_by {
            Some(ShippedBy::Warehouse) if ours.is_some() => {
                shipped.as_mut().map(|pieces| pieces.take(line, products))
            }
            // The warehouse has it, and this search did not show it.
            Some(ShippedBy::Warehouse) if view.known.placed_at.is_some() => None,
            Some(ShippedBy::Warehouse | ShippedBy::Shop) => Some(sent_by_shop(shop, line)),
            Some(ShippedBy::Nobody) | None => None,
        };
        let returned = returned.as_mut().map(|pieces| pieces.take(line, products));
        LineFacts { shipped_by, shipped, returned, ..of_line }
    };
    Some(lines_to_send(shop, view.policy).iter().map(facts).collect())
}

/// How much of a line has left by the shop's books.
fn sent_by_shop(shop: &ShopOrder, line: &ShopLine) -> Decimal {
    let own = shop.shipments.iter().find(|it| line.shipment_id.as_ref() == Some(&it.id));
    let has_left = shop.status == ShopStatus::Completed || own.is_some_and(|it| it.is_completed);
    if has_left { line.quantity } else { Decimal::ZERO }
}

/// How much there is of each product, to be handed out to lines.
#[derive(Debug)]
enum Pieces {
    /// All that was ordered: the warehouse lists no lines.
    Everything,
    /// So much of each code.
    ByCode(BTreeMap<CodeKey, Decimal>),
}

impl Pieces {
    fn of<'a>(lines: impl IntoIterator<Item = &'a WarehouseLine>) -> Self {
        let mut by_code = BTreeMap::<_, Decimal>::new();
        for WarehouseLine { code, quantity } in lines {
            *by_code.entry(CodeKey::of(code)).or_default() += Decimal::from(*quantity);
        }
        Self::ByCode(by_code)
    }

    /// Takes what belongs to a line, at most what it ordered. A kit is there as far as all of its components are.
    fn take(&mut self, line: &ShopLine, products: &ProductPolicy) -> Decimal {
        let Self::ByCode(by_code) = self else { return line.quantity };
        let parts: Vec<_> = match products.kit(line.code()) {
            Some(parts) => parts.iter().map(|(code, each)| (products.product_key(code), *each)).collect(),
            None => vec![(products.product_key(line.code()), 1)],
        };
        let parts: Vec<_> = parts.into_iter().map(|(key, each)| (key, Decimal::from(each.max(1)))).collect();
        let left = |(key, each): &(CodeKey, Decimal)| by_code.get(key).copied().unwrap_or_default() / each;
        let there = parts.iter().map(left).min().unwrap_or_default().clamp(Decimal::ZERO, line.quantity);
        let taken = if line.quantity.is_integer() { there.trunc() } else { there };
        for (key, each) in parts {
            by_code.entry(key).and_modify(|left| *left -= taken * each);
        }
        taken
    }

    /// As much of each as the one or the other has: two books of the same pieces.
    fn or_more(self, code: CodeKey, pieces: Decimal) -> Self {
        let Self::ByCode(mut by_code) = self else { return self };
        let known = by_code.entry(code).or_default();
        *known = pieces.max(*known);
        Self::ByCode(by_code)
    }
}

/// The pieces of the warehouse's orders in such a status; `None` where one of several lists no lines.
fn at_warehouse(ours: &WarehouseOrder, is_counted: fn(&WarehouseStatus) -> bool) -> Option<Pieces> {
    let related = ours.related.iter().filter(|it| !it.is_exchange).map(|it| (&it.status, &it.lines));
    let all: Vec<_> = std::iter::once((&ours.status, &ours.lines)).chain(related).collect();
    let counted: Vec<_> =
        all.iter().filter(|(status, _)| is_counted(status)).map(|(_, lines)| *lines).collect();
    if counted.iter().any(|lines| lines.is_empty()) {
        return (all.len() == 1).then_some(Pieces::Everything);
    }
    Some(Pieces::of(counted.into_iter().flatten()))
}

/// What came back, by the shop's books or by the warehouse's.
fn returned(shop: &ShopOrder, ours: &WarehouseOrder, view: &OrderView<'_>) -> Option<Pieces> {
    let there = at_warehouse(ours, |status| *status == WarehouseStatus::Returned)?;
    if !ours.status.has_shipped() {
        return Some(there); // what the shop takes back before it is sent never left
    }
    let in_shop = returned_pieces(shop, last_sent(view), view.policy).into_iter();
    let add = |pieces: Pieces, (code, count): (String, Decimal)| {
        pieces.or_more(view.policy.products.product_key(&code), count)
    };
    Some(in_shop.fold(there, add))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::tests::line;

    fn products() -> ProductPolicy {
        ProductPolicy {
            kits: [(CodeKey::of("KIT"), vec![("A".to_owned(), 1), ("B".to_owned(), 2)])].into(),
            ..ProductPolicy::default()
        }
    }

    fn pieces(of: &[(&str, i64)]) -> Pieces {
        let lines: Vec<_> = of
            .iter()
            .map(|(code, quantity)| WarehouseLine { code: (*code).into(), quantity: *quantity })
            .collect();
        Pieces::of(&lines)
    }

    fn take(pieces: &mut Pieces, code: &str, ordered: i64) -> i64 {
        use rust_decimal::prelude::ToPrimitive;

        pieces.take(&line(code, ordered), &products()).to_i64().expect("whole")
    }

    #[test]
    fn pieces_are_handed_out_once_and_never_more_than_ordered() {
        let mut there = pieces(&[("a", 3), ("B", 5)]);
        assert_eq!(take(&mut there, "A", 2), 2);
        assert_eq!((take(&mut there, "A", 2), take(&mut there, "C", 1)), (1, 0));
        assert_eq!(take(&mut Pieces::Everything, "C", 7), 7);
    }

    #[test]
    fn kit_has_left_as_far_as_all_of_its_components_have() {
        let mut there = pieces(&[("A", 2), ("B", 3)]);
        assert_eq!(take(&mut there, "KIT", 2), 1);
        assert_eq!((take(&mut there, "A", 9), take(&mut there, "B", 9)), (1, 1));
    }

    #[test]
    fn more_of_two_books_counts() {
        let both =
            pieces(&[("A", 1)]).or_more(CodeKey::of("A"), 2.into()).or_more(CodeKey::of("B"), 1.into());
        let Pieces::ByCode(by_code) = both else { panic!("by code") };
        assert_eq!(by_code.into_values().collect::<Vec<_>>(), [Decimal::TWO, Decimal::ONE]);
    }
}
