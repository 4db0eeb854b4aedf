//! The lists that are polled, how often, and how a page of each is read.

use std::time::Duration;

use strum::VariantArray;

use crate::{
    domain::{
        event::{
            reference::ReferencePrefixes,
            routing::{VendorEntity, route},
        },
        vendor::Vendor,
    },
    inbox::ingester::PolledChange,
    vendors::{
        changes::{ChangePage, ChangeRequest, ChangedRow},
        http::error::{CallError, Failure},
        mycashflow::{self, MyCashflow},
        ogoship::{self, Ogoship},
    },
};

/// A list that is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum PolledList {
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
    /// Whether the list is sorted by time of change and can be read up to a time. The shop's can. Of the warehouse's
    /// neither an order nor an upper end is public (docs/contract.md §2.2).
    pub(super) const fn is_windowed(self) -> bool {
        match self {
            Self::Orders | Self::Products => true,
            Self::Statuses | Self::Stock => false,
        }
    }

    /// Rows a page.
    pub(super) const fn page_size(self) -> u32 {
        match self {
            Self::Orders | Self::Products => mycashflow::PAGE_SIZE,
            Self::Statuses | Self::Stock => ogoship::PAGE_SIZE,
        }
    }

    /// The error of an answer that cannot be all of it.
    pub(super) const fn unreadable(self) -> CallError {
        let (vendor, call) = match self {
            Self::Orders => (Vendor::MyCashflow, "list_orders"),
            Self::Products => (Vendor::MyCashflow, "list_products"),
            Self::Statuses => (Vendor::Ogoship, "list_orders"),
            Self::Stock => (Vendor::Ogoship, "list_stock"),
        };
        CallError { vendor, call, failure: Failure::Unreadable, retry_after: None, message: None }
    }

    /// What a row of the list names.
    fn entity(self, name: String) -> VendorEntity {
        match self {
            Self::Orders => VendorEntity::ShopOrder(name),
            Self::Products => VendorEntity::ShopProduct(name),
            Self::Statuses => VendorEntity::WarehouseOrder(name),
            Self::Stock => VendorEntity::WarehouseStock(name),
        }
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
    pub references: ReferencePrefixes,
    /// How often.
    pub intervals: Intervals,
}

impl PolledConnection {
    /// Reads a page of a list.
    pub(super) async fn read_page(
        &self,
        list: PolledList,
        request: ChangeRequest,
    ) -> Result<ChangePage, CallError> {
        match list {
            PolledList::Orders => self.shop.list_orders_changed(request).await,
            PolledList::Products => self.shop.list_products_changed(request).await,
            PolledList::Statuses => self.warehouse.list_orders_changed(request).await,
            PolledList::Stock => self.warehouse.list_stock_changed(request).await,
        }
    }

    /// The changes that rows of a list show; other merchants' orders at the warehouse are left out.
    pub(super) fn changes(&self, list: PolledList, rows: &[ChangedRow]) -> Vec<PolledChange> {
        let change = |row: &ChangedRow| {
            let subject = route(&list.entity(row.name.clone()), &self.references)?;
            Some(PolledChange { subject, version: row.version.clone(), times: 1 })
        };
        rows.iter().filter_map(change).collect()
    }
}
