//! The lists that are polled, how often, and how a page of each is read.

use std::time::Duration;

use strum::VariantArray;

use crate::{
    domain::{event::routing::VendorEntity, time_window::TimeWindow},
    vendors::{http::error::CallError, mycashflow::MyCashflow, ogoship::Ogoship},
};

/// A list that is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(super) enum PolledList {
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
    /// Whether the list can be read up to a time, and not only from a time on.
    pub(super) const fn is_windowed(self) -> bool {
        matches!(self, Self::Orders | Self::Products)
    }

    /// The name in rows and in `[connections.polls]`.
    pub(super) fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How often each list is polled; zero means never.
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
    /// The lists that are polled, by name, and how often.
    pub fn enabled(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let all = PolledList::VARIANTS.iter().map(|list| (list.as_str(), self.get(*list)));
        all.filter(|(_, interval)| !interval.is_zero())
    }

    pub(super) const fn get(self, list: PolledList) -> Duration {
        match list {
            PolledList::Orders => self.orders,
            PolledList::Statuses => self.statuses,
            PolledList::Stock => self.stock,
            PolledList::Products => self.products,
        }
    }
}

/// A connection whose lists are polled.
pub struct PolledConnection {
    /// Its name.
    pub connection: String,
    /// The shop's client.
    pub shop: MyCashflow,
    /// The warehouse's client.
    pub warehouse: Ogoship,
    /// Distinguishes our orders from others at the warehouse.
    pub reference_prefix: String,
    /// How often.
    pub intervals: Intervals,
}

/// A page of a list: what changed, at which version.
pub(super) struct ListPage {
    pub(super) changes: Vec<(VendorEntity, String)>,
    pub(super) has_more: bool,
}

impl PolledConnection {
    /// Reads a page of a list.
    pub(super) async fn read_page(
        &self,
        list: PolledList,
        window: TimeWindow,
        page: u32,
    ) -> Result<ListPage, CallError> {
        Ok(match list {
            PolledList::Orders => {
                let page = self.shop.list_orders_changed(window, page).await?;
                let changes = page.items.into_iter().map(|it| (VendorEntity::ShopOrder(it.id), it.version));
                ListPage { changes: changes.collect(), has_more: page.has_more }
            }
            PolledList::Products => {
                let page = self.shop.list_products_changed(window, page).await?;
                let changes = page.items.into_iter().map(|it| (VendorEntity::ShopProduct(it.id), it.version));
                ListPage { changes: changes.collect(), has_more: page.has_more }
            }
            PolledList::Statuses => {
                let page = self.warehouse.list_orders_changed(window.from, page).await?;
                let items = page.items.into_iter();
                let changes = items.map(|it| (VendorEntity::WarehouseOrder(it.name), it.version));
                ListPage { changes: changes.collect(), has_more: page.has_more }
            }
            PolledList::Stock => {
                let page = self.warehouse.list_stock_changed(window.from, page).await?;
                let items = page.items.into_iter();
                let changes = items.map(|it| (VendorEntity::WarehouseStock(it.name), it.version));
                ListPage { changes: changes.collect(), has_more: page.has_more }
            }
        })
    }
}
