//! The lists that are swept, how often, and how a page of each is read.

use std::time::Duration;

use crate::{
    domain::{event::routing::About, time_window::Window},
    vendors::{http::error::CallError, mycashflow::MyCashflow, ogoship::Ogoship},
};

/// What is swept: the word in rows, and in `[connections.sweeps]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::inbox) enum What {
    /// The shop's orders.
    Orders,
    /// The warehouse's orders.
    Statuses,
    /// The warehouse's stock figures.
    Stock,
    /// The shop's products.
    Products,
}

impl What {
    pub(in crate::inbox) const ALL: [Self; 4] = [Self::Orders, Self::Statuses, Self::Stock, Self::Products];

    /// Can the list be asked for a window, and not only from a time on?
    pub(in crate::inbox) const fn is_windowed(self) -> bool {
        matches!(self, Self::Orders | Self::Products)
    }

    pub(in crate::inbox) const fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Statuses => "statuses",
            Self::Stock => "stock",
            Self::Products => "products",
        }
    }
}

/// How often each list is swept; zero is never.
#[derive(Clone, Copy, Debug)]
pub struct Intervals {
    /// The shop's orders.
    pub orders: Duration,
    /// The warehouse's orders.
    pub statuses: Duration,
    /// The warehouse's stock figures.
    pub stock: Duration,
    /// The shop's products.
    pub products: Duration,
}

impl Intervals {
    /// Each list that is swept at all, by its word in rows, and how often.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let all = What::ALL.map(|what| (what.as_str(), self.of(what)));
        all.into_iter().filter(|(_, every)| !every.is_zero())
    }

    pub(in crate::inbox) const fn of(self, what: What) -> Duration {
        match what {
            What::Orders => self.orders,
            What::Statuses => self.statuses,
            What::Stock => self.stock,
            What::Products => self.products,
        }
    }
}

/// One connection to sweep.
pub struct SweptConnection {
    /// Its name.
    pub connection: String,
    /// The shop.
    pub shop: MyCashflow,
    /// The warehouse.
    pub warehouse: Ogoship,
    /// Tells our orders from others at the warehouse.
    pub reference_prefix: String,
    /// How often.
    pub intervals: Intervals,
}

/// One page of a list, as what it speaks of at which version; and whether there may be another.
pub(in crate::inbox) async fn read_page(
    swept: &SweptConnection,
    what: What,
    window: Window,
    page: u32,
) -> Result<(Vec<(About, String)>, bool), CallError> {
    Ok(match what {
        What::Orders => {
            let page = swept.shop.orders_changed(window, page).await?;
            (page.items.into_iter().map(|it| (About::ShopOrder(it.id), it.version)).collect(), page.more)
        }
        What::Products => {
            let page = swept.shop.products_changed(window, page).await?;
            (page.items.into_iter().map(|it| (About::ShopProduct(it.id), it.version)).collect(), page.more)
        }
        What::Statuses => {
            let page = swept.warehouse.orders_changed(window.from, page).await?;
            (
                page.items.into_iter().map(|it| (About::WarehouseOrder(it.name), it.version)).collect(),
                page.more,
            )
        }
        What::Stock => {
            let page = swept.warehouse.stock_changed(window.from, page).await?;
            (
                page.items.into_iter().map(|it| (About::WarehouseStock(it.name), it.version)).collect(),
                page.more,
            )
        }
    })
}
