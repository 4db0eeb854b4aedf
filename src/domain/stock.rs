//! Stock: the warehouse's figure overwrites the shop's, never the other way.
//!
//! The merchant chooses which figure ([`Basis`]). The shop subtracts its own reservations from `quantity`
//! before it sells; the warehouse subtracts its reservations from `stock` to give `stockAvailable`. An order
//! that is at the warehouse and still open in the shop is in both (docs/contract.md U12, double counting):
//!
//! - `available` counts it twice, which undersells.
//! - `physical` counts it once until it is collected and twice after that. It never counts orders of other
//!   channels, which can oversell.
//! - `compensated` adds back what the shop will subtract again.
//!
//! **A figure has a time.** A task reads both sides itself and takes no figure from a webhook or a list. The
//! lease is checked once more before the write. A figure older than the one last acted on is not written
//! ([`Decision::Stale`]): the warehouse's search may lag. Its clock is believed within bounds only. A time in the
//! future orders nothing, and a figure counts as older for as long as a search may lag: after that the clock, not the
//! answer, has gone back.
//!
//! **The stock brake.** One code that falls to zero is sold out. Every third code falling to zero within an
//! hour is a broken feed, which would close the shop. From then on no figure is set to zero until an operator
//! has released the brake.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{
    Timestamp,
    product::{CodeKey, Supplier},
    switch::Switch,
    task::reason::Reason,
};

/// A stock figure as the warehouse has it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarehouseStock {
    /// All pieces in all warehouses.
    pub physical: i64,
    /// Pieces free for new orders.
    pub available: i64,
    /// When it changed, by the warehouse's clock.
    pub modified: Option<Timestamp>,
    /// When it was read, by the warehouse's clock.
    #[serde(default)]
    pub read_at: Option<Timestamp>,
    /// When it changed and what it says, as the warehouse spells it.
    pub version: Option<String>,
    /// Fields above that decide something and cannot be read; their values stand for nothing.
    #[serde(default)]
    pub unreadable: Vec<String>,
}

/// A stock item as the shop has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopStock {
    /// Pieces, before the shop's own reservations.
    pub quantity: i64,
    /// Pieces that the shop's open orders reserve; `None` where it does not say.
    pub reserved: Option<i64>,
    /// True where the shop keeps stock for this item.
    pub enabled: bool,
    /// Whose goods these are.
    pub supplier: Supplier,
    /// Fields above that decide something and cannot be read; their values stand for nothing.
    pub unreadable: Vec<String>,
}

/// Which of the warehouse's figures the shop shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// All pieces; orders of other channels can then oversell.
    Physical,
    /// Pieces free for orders; counts an open order of the shop twice for a while, which undersells and is
    /// safe.
    Available,
    /// Pieces free for orders, plus those of our orders at the warehouse that the shop itself counts as
    /// reserved.
    Compensated,
}

/// The connection's rules for stock.
#[derive(Clone, Debug)]
pub struct StockPolicy {
    /// Write figures to the shop automatically, only when an operator asks, or never.
    pub update: Switch,
    /// Which figure the shop shows.
    pub basis: Basis,
    /// Pieces of every code that are never shown for sale.
    pub buffer: i64,
    /// The buffer of single codes, instead of `buffer`.
    pub buffers: HashMap<CodeKey, i64>,
    /// Switch stock tracking on in the shop for every item that the warehouse counts. Off: it stays as it is.
    pub tracking: bool,
    /// How many of a hundred codes may fall to zero within an hour.
    pub brake: u32,
}

/// The brake never stops fewer codes than this: a small shop sells out too.
pub const MIN_EMPTIED_TO_BRAKE: i64 = 5;

/// The stretch of time that the brake counts over.
pub const BRAKE_WINDOW: chrono::Duration = chrono::Duration::hours(1);

impl StockPolicy {
    /// True if `emptied` codes falling to zero are too many beside those still in stock.
    pub fn should_brake(&self, emptied: i64, in_stock: i64) -> bool {
        emptied >= MIN_EMPTIED_TO_BRAKE && emptied * 100 > i64::from(self.brake) * (emptied + in_stock)
    }

    /// The quantity that the shop should show.
    pub fn target_quantity(&self, view: &StockView<'_>, warehouse: &WarehouseStock, shop: &ShopStock) -> i64 {
        let figure = match self.basis {
            Basis::Physical => warehouse.physical,
            Basis::Available => warehouse.available,
            // Never more than the shop reserves: what it has released must not be added back.
            Basis::Compensated => {
                warehouse.available + view.in_flight.clamp(0, shop.reserved.unwrap_or_default().max(0))
            }
        };
        figure.saturating_sub(self.buffer_of(view.code)).max(0)
    }

    /// Pieces of this code that are never shown for sale.
    pub fn buffer_of(&self, code: &str) -> i64 {
        self.buffers.get(&CodeKey::of(code)).copied().unwrap_or(self.buffer)
    }
}

/// How far the time of a figure may be ahead of the clock that it is compared with.
const MAX_CLOCK_SKEW: chrono::Duration = chrono::Duration::minutes(10);

/// How long the warehouse's answers may lag behind a figure that it has shown.
const MAX_LAG: chrono::Duration = chrono::Duration::minutes(15);

impl WarehouseStock {
    /// When the figure changed, where that can be true.
    pub fn credible_time(&self, now: Timestamp) -> Option<Timestamp> {
        self.modified.filter(|modified| *modified <= now + MAX_CLOCK_SKEW)
    }

    /// True where the warehouse has shown a later figure a short while ago.
    fn is_stale(&self, view: &StockView<'_>) -> bool {
        let now = view.read_at();
        let latest = view.acted_on.filter(|at| *at <= now + MAX_CLOCK_SKEW && now < *at + MAX_LAG);
        self.credible_time(now).zip(latest).is_some_and(|(read, acted_on)| read < acted_on)
    }
}

/// What to do next for a stock figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The shop shows the right quantity.
    Nothing,
    /// There is nothing to do, and nothing is wrong.
    Skip(Reason),
    /// The warehouse's answer is older than the one last acted on: read again.
    Stale,
    /// An operator must look: these fields cannot be read.
    AskOperator {
        /// Names them.
        detail: String,
    },
    /// Write this quantity to the shop.
    Patch {
        /// Pieces, never negative.
        quantity: i64,
        /// The shop has some for sale now and would have none.
        falls_to_zero: bool,
    },
}

/// What [`decide`] looks at.
#[derive(Clone, Copy, Debug)]
pub struct StockView<'a> {
    /// The product code.
    pub code: &'a str,
    /// The warehouse's figure.
    pub warehouse: Option<&'a WarehouseStock>,
    /// The shop's figure.
    pub shop: Option<&'a ShopStock>,
    /// Pieces of our orders at the warehouse that are still open in the shop.
    pub in_flight: i64,
    /// The figure that the shop showed or was given last.
    pub written: Option<i64>,
    /// The warehouse's time of the figure that was last acted on.
    pub acted_on: Option<Timestamp>,
    /// When both sides were read, by our clock.
    pub now: Timestamp,
}

impl StockView<'_> {
    /// When the figure was read. It is compared with the warehouse's times, so its own clock goes before ours.
    pub fn read_at(&self) -> Timestamp {
        self.warehouse.and_then(|warehouse| warehouse.read_at).unwrap_or(self.now)
    }
}

/// Decides what to do next, given both sides as they are now.
pub fn decide(view: &StockView<'_>, policy: &StockPolicy) -> Decision {
    let Some(shop) = view.shop else { return Decision::Skip(Reason::UnknownInShop) };
    let Some(warehouse) = view.warehouse else { return Decision::Skip(Reason::UnknownAtWarehouse) };
    for (side, unreadable) in [("warehouse", &warehouse.unreadable), ("shop", &shop.unreadable)] {
        if !unreadable.is_empty() {
            let names = unreadable.join(", ");
            let detail = format!("the {side}'s figure has values that cannot be read: {names}");
            return Decision::AskOperator { detail };
        }
    }
    if warehouse.is_stale(view) {
        return Decision::Stale;
    }
    let quantity = policy.target_quantity(view, warehouse, shop);
    let is_as_wanted = shop.enabled || !policy.tracking;
    // An item whose stock the shop does not track may keep no figure: it is written once.
    let is_written = !shop.enabled && view.written == Some(quantity);
    if is_as_wanted && (shop.quantity == quantity || is_written) {
        return Decision::Nothing;
    }
    Decision::Patch { quantity, falls_to_zero: quantity == 0 && shop.quantity > 0 }
}

#[cfg(test)]
mod tests;
