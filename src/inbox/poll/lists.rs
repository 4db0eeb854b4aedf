//! The lists that are polled, how often, and how a page of each is read.

use std::time::Duration;

use crate::{
    domain::{event::routing::VendorEntity, time_window::TimeWindow},
    vendors::{http::error::CallError, mycashflow::MyCashflow, ogoship::Ogoship},
};

/// What is polled: the word in rows, and in `[connections.polls]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::inbox) enum PolledList {
    /// The shop's orders.
    Orders,
    /// The warehouse's orders.
    Statuses,
    /// The warehouse's stock figures.
    Stock,
    /// The shop's products.
    Products,
}

impl PolledList {
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

/// How often each list is polled; zero is never.
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
    /// Each list that is polled at all, by its word in rows, and how often.
    pub fn enabled(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let all = PolledList::ALL.map(|what| (what.as_str(), self.get(what)));
        all.into_iter().filter(|(_, every)| !every.is_zero())
    }

    pub(in crate::inbox) const fn get(self, what: PolledList) -> Duration {
        match what {
            PolledList::Orders => self.orders,
            PolledList::Statuses => self.statuses,
            PolledList::Stock => self.stock,
            PolledList::Products => self.products,
        }
    }
}

/// One connection to poll.
pub struct PolledConnection {
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
    polled: &PolledConnection,
    what: PolledList,
    window: TimeWindow,
    page: u32,
) -> Result<(Vec<(VendorEntity, String)>, bool), CallError> {
    Ok(match what {
        PolledList::Orders => {
            let page = polled.shop.list_orders_changed(window, page).await?;
            (
                page.items.into_iter().map(|it| (VendorEntity::ShopOrder(it.id), it.version)).collect(),
                page.has_more,
            )
        }
        PolledList::Products => {
            let page = polled.shop.list_products_changed(window, page).await?;
            (
                page.items.into_iter().map(|it| (VendorEntity::ShopProduct(it.id), it.version)).collect(),
                page.has_more,
            )
        }
        PolledList::Statuses => {
            let page = polled.warehouse.list_orders_changed(window.from, page).await?;
            (
                page.items
                    .into_iter()
                    .map(|it| (VendorEntity::WarehouseOrder(it.name), it.version))
                    .collect(),
                page.has_more,
            )
        }
        PolledList::Stock => {
            let page = polled.warehouse.list_stock_changed(window.from, page).await?;
            (
                page.items
                    .into_iter()
                    .map(|it| (VendorEntity::WarehouseStock(it.name), it.version))
                    .collect(),
                page.has_more,
            )
        }
    })
}
