//! Stock: every figure of the warehouse is read into rows, then the shop's stock items page by page, and the function that
//! decides about one figure is asked about each.

use super::{Run, SyncError, fix::STILL_AT_WAREHOUSE, products::inconsistent, run::read_with_retries};
use crate::{
    domain::{
        event::subject::Subject,
        product::Stored,
        stock::{Basis, Decision, ShopStock, StockView, WarehouseStock, decide},
        task::outcome::Reason,
    },
    flows::ConnectionClients,
    store::{
        stock::{self, ShopFigure},
        subject_states,
        sync_differences::NewDifference,
        sync_snapshots::{self, SnapshotRow},
    },
};

/// Codes told in one transaction.
const BATCH_SIZE: i64 = 500;

/// A page of the shop, with what we remember of its codes.
struct Page {
    items: Vec<(String, ShopStock)>,
    in_flight: Vec<i64>,
    was_at_warehouse: Vec<bool>,
}

impl Run<'_> {
    /// The warehouse's figures, into rows.
    pub(super) async fn read_stock_figures(&mut self, clients: &ConnectionClients) -> Result<(), SyncError> {
        loop {
            let page = self.page();
            let read = read_with_retries!(clients.warehouse.list_stock_figures(page));
            let reading = |(code, figure): &(String, WarehouseStock)| SnapshotRow {
                name: code.clone(),
                subject: code.clone(),
                body: serde_json::json!(figure),
                matched: false,
            };
            let readings: Vec<_> = read.items.iter().map(reading).collect();
            self.store_readings(page, &readings).await?;
            if !read.has_more {
                return Ok(());
            }
        }
    }

    /// The shop's stock items beside them.
    pub(super) async fn find_stock_differences(
        &mut self,
        clients: &ConnectionClients,
    ) -> Result<(), SyncError> {
        loop {
            let page = self.page();
            let read_at = self.syncer.clock.now();
            let read = read_with_retries!(clients.shop.list_stock_items(page));
            let compared = read.items.len();
            let codes: Vec<_> = read.items.iter().map(|(code, _)| code.clone()).collect();
            let connection = &self.leased.connection;
            let mut tx = self.begin_transaction().await?;
            let in_flight = match clients.stock.basis {
                Basis::Compensated => stock::sum_in_flight(&mut tx, connection, &codes).await?,
                Basis::Physical | Basis::Available => vec![0; codes.len()],
            };
            let was_at_warehouse = subject_states::was_at_warehouse(&mut tx, connection, &codes).await?;
            let matched = sync_snapshots::mark_matched(&mut tx, self.leased.id, &codes).await?;
            let page_read = Page { items: read.items, in_flight, was_at_warehouse };
            let (found, figures) = self.differences(clients, &page_read, &matched)?;
            stock::record_figures(&mut tx, &self.leased.connection, &figures, read_at).await?;
            self.progress.total = read.total;
            self.commit_page(tx, &found, (page + 1).to_string(), compared).await?;
            if !read.has_more {
                return Ok(());
            }
        }
    }

    /// What differs on a page, and what the shop shows on it.
    fn differences(
        &mut self,
        clients: &ConnectionClients,
        page: &Page,
        matched: &[SnapshotRow],
    ) -> Result<(Vec<NewDifference>, Vec<ShopFigure>), SyncError> {
        let (mut found, mut figures) = (Vec::new(), Vec::new());
        let states = page.in_flight.iter().zip(&page.was_at_warehouse);
        for ((code, shop), (in_flight, was_at_warehouse)) in page.items.iter().zip(states) {
            match clients.products.check_stored(code, &shop.supplier) {
                Stored::Yes => {}
                Stored::No => {
                    self.count("excluded", 1);
                    continue;
                }
                Stored::Unknown => {
                    self.count("supplier_unknown", 1);
                    continue;
                }
            }
            let body =
                matched.iter().find(|reading| reading.name == *code).map(|reading| reading.body.clone());
            let warehouse: Option<WarehouseStock> =
                body.map(serde_json::from_value).transpose().map_err(|_| inconsistent("sync_snapshot"))?;
            self.count(STILL_AT_WAREHOUSE, i64::from(*was_at_warehouse && warehouse.is_some()));
            let warehouse = warehouse.as_ref();
            let view = StockView { code, warehouse, shop: Some(shop), in_flight: *in_flight, acted_on: None };
            let (mut falls_to_zero, mut in_sync_version) = (false, None);
            match decide(&view, &clients.stock) {
                Decision::Patch { quantity, falls_to_zero: to_zero } => {
                    falls_to_zero = to_zero;
                    found.push(self.figure_difference(code, shop, quantity, to_zero));
                }
                Decision::Skip(_) => found.push(Self::missing_difference(code, *was_at_warehouse)),
                Decision::Nothing | Decision::Stale => {
                    in_sync_version = warehouse.and_then(|stock| stock.version.clone());
                    self.count("same", 1);
                }
            }
            self.count("in_stock", i64::from(shop.quantity > 0 && !falls_to_zero));
            figures.push(ShopFigure { code: code.clone(), quantity: shop.quantity, in_sync_version });
        }
        Ok((found, figures))
    }

    fn figure_difference(
        &self,
        code: &str,
        shop: &ShopStock,
        quantity: i64,
        falls_to_zero: bool,
    ) -> NewDifference {
        let class = if falls_to_zero { "falls_to_zero" } else { "figure_differs" };
        let found = self.fixable_difference(
            Subject::stock(code).to_string(),
            class,
            "the warehouse's figure is written to the shop",
        );
        let kept = if shop.enabled { "" } else { ", where no stock is kept" };
        NewDifference {
            detail: Some(format!("the shop shows {}{kept}, should show {quantity}", shop.quantity)),
            ..found
        }
    }

    fn missing_difference(code: &str, was_at_warehouse: bool) -> NewDifference {
        let class = if was_at_warehouse { "vanished_at_warehouse" } else { "missing_at_warehouse" };
        let remedy = "sync the products, or exclude the code, if it is not stored at the warehouse";
        let found = Self::reported_difference(Subject::stock(code).to_string(), class, remedy);
        NewDifference { reason: Some(Reason::UnknownAtWarehouse), ..found }
    }

    /// What the warehouse counts and the shop does not know: told, and never tried again and again.
    pub(super) async fn report_unknown_codes(
        &mut self,
        clients: &ConnectionClients,
    ) -> Result<(), SyncError> {
        loop {
            let mut tx = self.begin_transaction().await?;
            let unmatched =
                sync_snapshots::list_unmatched(&mut tx, self.leased.id, &self.progress.cursor, BATCH_SIZE)
                    .await?;
            let Some(last) = unmatched.last().map(|reading| reading.name.clone()) else { return Ok(()) };
            let found: Vec<_> = unmatched
                .iter()
                .filter(|reading| !clients.products.exclude_codes.contains(&reading.name))
                .map(|reading| {
                    let remedy = "add it to the shop, or exclude the code, if it is this shop's";
                    let found = Self::reported_difference(
                        Subject::stock(&reading.name).to_string(),
                        "unknown_in_shop",
                        remedy,
                    );
                    NewDifference { reason: Some(Reason::UnknownInShop), ..found }
                })
                .collect();
            self.commit_page(tx, &found, last, 0).await?;
        }
    }
}
