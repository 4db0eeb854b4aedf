//! Stock: the warehouse's figure overwrites the shop's, and never the other way.

use super::{outcome::Reason, product::Supplier};

/// A stock figure as the warehouse has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarehouseStock {
    /// All pieces in all warehouses.
    pub physical: i64,
    /// Pieces free for new orders.
    pub available: i64,
    /// When it changed and what it says, as told.
    pub version: Option<String>,
}

/// A stock item as the shop has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopStock {
    /// Pieces, before the shop's own reservations.
    pub quantity: i64,
    /// Is stock kept for this item at all?
    pub enabled: bool,
    /// Whose goods these are.
    pub supplier: Supplier,
}

/// Which of the warehouse's figures the shop shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// All pieces in the house; orders of other channels can then oversell.
    Physical,
    /// Pieces free for orders; counts an open order of the shop twice for a while, which undersells and is safe.
    Available,
}

/// The connection's rules for stock.
#[derive(Clone, Debug)]
pub struct StockPolicy {
    /// Which figure.
    pub basis: Basis,
    /// Pieces never shown for sale.
    pub buffer: i64,
}

/// The one thing to do next for a stock figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The shop shows what it should.
    Nothing,
    /// Nothing can be done, and nothing is wrong.
    Skip(Reason),
    /// Write this figure to the shop.
    Patch {
        /// Pieces, never negative.
        quantity: i64,
    },
}

/// What to do, given both sides as they are now.
pub fn decide(warehouse: Option<&WarehouseStock>, shop: Option<&ShopStock>, policy: &StockPolicy) -> Next {
    let Some(shop) = shop else { return Next::Skip(Reason::UnknownInShop) };
    let Some(warehouse) = warehouse else { return Next::Skip(Reason::UnknownAtWarehouse) };

    let figure = match policy.basis {
        Basis::Physical => warehouse.physical,
        Basis::Available => warehouse.available,
    };
    let quantity = figure.saturating_sub(policy.buffer).max(0);
    if shop.enabled && shop.quantity == quantity { Next::Nothing } else { Next::Patch { quantity } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop(quantity: i64, enabled: bool) -> ShopStock {
        ShopStock { quantity, enabled, supplier: Supplier::NotRead }
    }

    #[test]
    fn each_pair_of_figures_leads_to_its_one_thing() {
        let house = WarehouseStock { physical: 10, available: 7, version: None };
        let available = |buffer| StockPolicy { basis: Basis::Available, buffer };
        let physical = StockPolicy { basis: Basis::Physical, buffer: 0 };

        assert_eq!(decide(Some(&house), Some(&shop(7, true)), &available(0)), Next::Nothing);
        assert_eq!(decide(Some(&house), Some(&shop(7, false)), &available(0)), Next::Patch { quantity: 7 });
        assert_eq!(decide(Some(&house), Some(&shop(9, true)), &available(0)), Next::Patch { quantity: 7 });
        assert_eq!(decide(Some(&house), Some(&shop(7, true)), &physical), Next::Patch { quantity: 10 });
        assert_eq!(decide(Some(&house), Some(&shop(7, true)), &available(2)), Next::Patch { quantity: 5 });
        assert_eq!(decide(Some(&house), Some(&shop(7, true)), &available(50)), Next::Patch { quantity: 0 });
        assert_eq!(decide(Some(&house), None, &physical), Next::Skip(Reason::UnknownInShop));
        assert_eq!(decide(None, Some(&shop(1, true)), &physical), Next::Skip(Reason::UnknownAtWarehouse));
    }
}
