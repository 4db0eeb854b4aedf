//! What both sides show of a code's stock beside what the shop should show, as people compare them.

use super::stock::{StockPolicy, StockView};

/// The figures of a code, as both sides were last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockFigures {
    /// The product code as the shop spells it.
    pub code: String,
    /// Pieces in the shop.
    pub shop: i64,
    /// `None` where the warehouse does not know the code.
    pub warehouse: Option<WarehouseFigures>,
    /// Pieces that are never shown for sale.
    pub buffer: i64,
}

/// The warehouse's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarehouseFigures {
    /// All pieces.
    pub physical: i64,
    /// Pieces free for orders.
    pub available: i64,
    /// What the shop should show.
    pub target: i64,
}

impl StockFigures {
    /// The figures that were read; `None` where the shop does not know the code, or a value cannot be read: that is no
    /// figure, and not zero.
    pub fn of(view: &StockView<'_>, policy: &StockPolicy) -> Option<Self> {
        let shop = view.shop.filter(|shop| shop.unreadable.is_empty())?;
        if view.warehouse.is_some_and(|warehouse| !warehouse.unreadable.is_empty()) {
            return None;
        }
        let warehouse = view.warehouse.map(|it| WarehouseFigures {
            physical: it.physical,
            available: it.available,
            target: policy.target_quantity(view, it, shop),
        });
        // Of an item whose stock the shop does not track it may show nothing: what was written counts, as in `decide`.
        let written = view.written.filter(|_| !shop.enabled);
        let code = view.code.to_owned();
        Some(Self {
            code,
            shop: written.unwrap_or(shop.quantity),
            warehouse,
            buffer: policy.buffer_of(view.code),
        })
    }

    /// The same after the shop was given this figure.
    #[must_use]
    pub fn after_write(self, quantity: i64) -> Self {
        Self { shop: quantity, ..self }
    }
}
