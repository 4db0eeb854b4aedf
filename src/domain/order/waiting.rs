//! Which goods an order waits for at the warehouse.

use std::collections::BTreeMap;

use rust_decimal::prelude::ToPrimitive;

use super::{ShopOrder, WarehouseLine, WarehouseOrder, WarehouseStatus};

/// The goods of what waits for stock at the warehouse: the order, parts of it, replacements. Which of them are short, the
/// warehouse does not say. `None` where nothing waits.
pub fn awaited_goods(shop: Option<&ShopOrder>, warehouse: &WarehouseOrder) -> Option<Vec<WarehouseLine>> {
    let whole = std::iter::once((&warehouse.status, &warehouse.lines));
    let related = warehouse.related.iter().map(|it| (&it.status, &it.lines));
    let waiting: Vec<_> =
        whole.chain(related).filter(|(status, _)| **status == WarehouseStatus::Pending).collect();
    if waiting.is_empty() {
        return None;
    }
    let listed: Vec<_> = waiting
        .into_iter()
        .flat_map(|(_, lines)| lines)
        .map(|line| (line.code.as_str(), line.quantity))
        .collect();
    // A warehouse that lists no lines leaves those of the shop.
    let ordered = shop.into_iter().flat_map(|shop| &shop.lines).filter(|line| !line.is_download);
    let goods = if listed.is_empty() {
        ordered.map(|line| (line.code(), line.quantity.ceil().to_i64().unwrap_or_default())).collect()
    } else {
        listed
    };
    let mut pieces: BTreeMap<&str, i64> = BTreeMap::new();
    for (code, quantity) in goods {
        *pieces.entry(code).or_default() += quantity;
    }
    let line = |(code, quantity): (&str, i64)| WarehouseLine { code: code.to_owned(), quantity };
    Some(pieces.into_iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::{
        RelatedOrder,
        tests::{at_warehouse, order},
    };

    #[test]
    fn goods_of_everything_that_is_pending_are_awaited() {
        use WarehouseStatus::{New, Pending, Shipped};

        let line = |code: &str, quantity| WarehouseLine { code: code.into(), quantity };
        let with = |status, lines, related| WarehouseOrder { lines, related, ..at_warehouse(status) };
        let part = |status| RelatedOrder {
            reference: "k-1042-2".into(),
            status,
            lines: vec![line("B", 1), line("A", 1)],
            tracking_code: None,
            is_exchange: false,
        };
        let shop = order();
        let awaited = |warehouse: &WarehouseOrder| awaited_goods(Some(&shop), warehouse);
        assert_eq!(awaited(&with(New, vec![line("A", 1)], vec![part(Shipped)])), None);
        let both = with(Pending, vec![line("A", 2)], vec![part(Pending)]);
        assert_eq!(awaited(&both), Some(vec![line("A", 3), line("B", 1)]));
        let rest = with(Shipped, vec![line("A", 2)], vec![part(Pending)]);
        assert_eq!(awaited(&rest), Some(vec![line("A", 1), line("B", 1)]));
        assert_eq!(awaited(&with(Pending, vec![], vec![])), Some(vec![line("A", 1)]), "the shop's own lines");
    }
}
