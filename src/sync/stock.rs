//! Stock: every figure of the warehouse is read into rows, then the shop's stock items page by page, and the function that
//! decides about one figure is asked about each.

use super::{Broken, Run, fix::STILL_THERE, products::inconsistent, run::patiently};
use crate::{
    domain::{
        event::subject::Subject,
        product::Stored,
        stock::{Basis, Next, ShopStock, View, WarehouseStock, decide},
        task::outcome::Reason,
    },
    flows::Tied,
    store::{
        stock::{self, Figure},
        subject_states,
        sync_differences::Found,
        sync_snapshots::{self, Reading},
    },
};

/// Codes told in one transaction.
const AT_ONCE: i64 = 500;

/// A page of the shop, with what we remember of its codes.
struct Page {
    items: Vec<(String, ShopStock)>,
    in_flight: Vec<i64>,
    once_there: Vec<bool>,
}

impl Run<'_> {
    /// The warehouse's figures, into rows.
    pub(super) async fn read_figures(&mut self, tied: &Tied) -> Result<(), Broken> {
        loop {
            let page = self.page();
            let read = patiently!(tied.warehouse.stock_figures(page));
            let reading = |(code, figure): &(String, WarehouseStock)| Reading {
                name: code.clone(),
                subject: code.clone(),
                body: serde_json::json!(figure),
                met: false,
            };
            let readings: Vec<_> = read.items.iter().map(reading).collect();
            self.keep_readings(page, &readings).await?;
            if !read.more {
                return Ok(());
            }
        }
    }

    /// The shop's stock items beside them.
    pub(super) async fn compare_stock(&mut self, tied: &Tied) -> Result<(), Broken> {
        loop {
            let page = self.page();
            let read_at = self.syncer.clock.now();
            let read = patiently!(tied.shop.stock_items(page));
            let compared = read.items.len();
            let codes: Vec<_> = read.items.iter().map(|(code, _)| code.clone()).collect();
            let connection = &self.held.connection;
            let mut tx = self.open().await?;
            let in_flight = match tied.stock.basis {
                Basis::Compensated => stock::in_flight(&mut tx, connection, &codes).await?,
                Basis::Physical | Basis::Available => vec![0; codes.len()],
            };
            let once_there = subject_states::once_there(&mut tx, connection, &codes).await?;
            let met = sync_snapshots::meet(&mut tx, self.held.id, &codes).await?;
            let page_read = Page { items: read.items, in_flight, once_there };
            let (found, figures) = self.differences(tied, &page_read, &met)?;
            stock::note_figures(&mut tx, &self.held.connection, &figures, read_at).await?;
            self.progress.total = read.total;
            self.turn(tx, &found, (page + 1).to_string(), compared).await?;
            if !read.more {
                return Ok(());
            }
        }
    }

    /// What differs on a page, and what the shop shows on it.
    fn differences(
        &mut self,
        tied: &Tied,
        page: &Page,
        met: &[Reading],
    ) -> Result<(Vec<Found>, Vec<Figure>), Broken> {
        let (mut found, mut figures) = (Vec::new(), Vec::new());
        let memory = page.in_flight.iter().zip(&page.once_there);
        for ((code, shop), (in_flight, once_there)) in page.items.iter().zip(memory) {
            match tied.products.stores(code, &shop.supplier) {
                Stored::Yes => {}
                Stored::No => {
                    self.count("excluded", 1);
                    continue;
                }
                Stored::CannotTell => {
                    self.count("supplier_unknown", 1);
                    continue;
                }
            }
            let body = met.iter().find(|reading| reading.name == *code).map(|reading| reading.body.clone());
            let warehouse: Option<WarehouseStock> =
                body.map(serde_json::from_value).transpose().map_err(|_| inconsistent("sync_reading"))?;
            self.count(STILL_THERE, i64::from(*once_there && warehouse.is_some()));
            let warehouse = warehouse.as_ref();
            let view = View { code, warehouse, shop: Some(shop), in_flight: *in_flight, acted_on: None };
            let (mut empties, mut in_step_at) = (false, None);
            match decide(&view, &tied.stock) {
                Next::Patch { quantity, empties: to_zero } => {
                    empties = to_zero;
                    found.push(self.figure_differs(code, shop, quantity, to_zero));
                }
                Next::Skip(_) => found.push(Self::not_there(code, *once_there)),
                Next::Nothing | Next::Stale => {
                    in_step_at = warehouse.and_then(|stock| stock.version.clone());
                    self.count("same", 1);
                }
            }
            self.count("in_stock", i64::from(shop.quantity > 0 && !empties));
            figures.push(Figure { code: code.clone(), quantity: shop.quantity, in_step_at });
        }
        Ok((found, figures))
    }

    fn figure_differs(&self, code: &str, shop: &ShopStock, quantity: i64, empties: bool) -> Found {
        let word = if empties { "falls_to_zero" } else { "figure_differs" };
        let found = self.mends(
            Subject::stock(code).to_string(),
            word,
            "the warehouse's figure is written to the shop",
        );
        let kept = if shop.enabled { "" } else { ", where no stock is kept" };
        Found {
            detail: Some(format!("the shop shows {}{kept}, should show {quantity}", shop.quantity)),
            ..found
        }
    }

    fn not_there(code: &str, once_there: bool) -> Found {
        let word = if once_there { "vanished_at_warehouse" } else { "missing_at_warehouse" };
        let remedy = "sync the products, or exclude the code, if it is not stored at the warehouse";
        let found = Self::told(Subject::stock(code).to_string(), word, remedy);
        Found { reason: Some(Reason::UnknownAtWarehouse), ..found }
    }

    /// What the warehouse counts and the shop does not know: told, and never tried again and again.
    pub(super) async fn tell_unknown_codes(&mut self, tied: &Tied) -> Result<(), Broken> {
        loop {
            let mut tx = self.open().await?;
            let unmet = sync_snapshots::unmet(&mut tx, self.held.id, &self.progress.cursor, AT_ONCE).await?;
            let Some(last) = unmet.last().map(|reading| reading.name.clone()) else { return Ok(()) };
            let found: Vec<_> = unmet
                .iter()
                .filter(|reading| !tied.products.exclude_codes.contains(&reading.name))
                .map(|reading| {
                    let remedy = "add it to the shop, or exclude the code, if it is this shop's";
                    let found =
                        Self::told(Subject::stock(&reading.name).to_string(), "unknown_in_shop", remedy);
                    Found { reason: Some(Reason::UnknownInShop), ..found }
                })
                .collect();
            self.turn(tx, &found, last, 0).await?;
        }
    }
}
