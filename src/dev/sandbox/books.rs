//! The books: what should be, counted from both systems' own state.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{shop::Shop, warehouse::Warehouse};

/// What the two systems' own state says of the bridge between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Books {
    /// Orders that shoppers placed and that are to be sent: paid or on delivery, not cancelled.
    pub placed: usize,
    /// Of these at the warehouse.
    pub at_warehouse: usize,
    /// Of these shipped.
    pub shipped: usize,
    /// Of these completed in the shop with their tracking code.
    pub tracking_back: usize,
    /// Product codes in all.
    pub codes: usize,
    /// Of these with the shop's product at the warehouse.
    pub products: usize,
    /// Of these with the same figure on both sides.
    pub stock_equal: usize,
    /// Orders that never came, and shipments of which the shop never heard.
    pub lost: usize,
    /// Second orders of one reference, and second completions of one shipment.
    pub doubled: usize,
}

impl Books {
    /// Nothing is lost, doubled or out of step.
    pub const fn are_balanced(&self) -> bool {
        let Self { codes, products, stock_equal, lost, doubled, .. } = *self;
        lost == 0 && doubled == 0 && products == codes && stock_equal == codes
    }

    /// What every verdict prints of them: the orders placed and at the warehouse, products, stock, lost and doubled. How
    /// shipments are told is each verdict's own.
    pub fn rows(&self) -> [(&'static str, String); 6] {
        let Self {
            placed,
            at_warehouse,
            codes,
            products,
            stock_equal,
            lost,
            doubled,
            shipped: _,
            tracking_back: _,
        } = self;
        [
            ("orders placed", placed.to_string()),
            ("at the warehouse", at_warehouse.to_string()),
            ("products at the warehouse", format!("{products} of {codes}")),
            ("stock equal on both sides", format!("{stock_equal} of {codes}")),
            ("lost", lost.to_string()),
            ("doubled", doubled.to_string()),
        ]
    }
}

/// Counts. `prefix` is put in front of order numbers at the warehouse.
pub fn audit(shop: &Shop, warehouse: &Warehouse, prefix: &str) -> Books {
    let mut by_reference: BTreeMap<String, Vec<super::warehouse::Order>> = BTreeMap::new();
    for order in warehouse.orders() {
        by_reference.entry(order.reference.clone()).or_default().push(order);
    }
    let mut books =
        Books { doubled: by_reference.values().map(|orders| orders.len() - 1).sum(), ..Books::default() };
    for order in shop.orders() {
        books.doubled +=
            order.shipments.iter().map(|it| it.completions.saturating_sub(1) as usize).sum::<usize>();
        let is_due = order.status != "CANCELLED" && (order.is_paid || order.cash_on_delivery);
        if !is_due {
            continue;
        }
        books.placed += 1;
        let Some(there) =
            by_reference.get(&format!("{prefix}{}", order.id)).and_then(|orders| orders.first())
        else {
            books.lost += 1;
            continue;
        };
        books.at_warehouse += 1;
        if there.status == "Shipped" {
            books.shipped += 1;
            let codes = order.shipments.iter().map(|it| it.tracking_code.as_ref());
            let has_it =
                order.shipments.len() > 1 || codes.into_iter().any(|code| code == there.tracking.as_ref());
            let told = order.status == "COMPLETED" && has_it;
            books.tracking_back += usize::from(told);
            books.lost += usize::from(!told);
        }
    }
    for (code, available) in warehouse.shelf() {
        books.codes += 1;
        books.products += usize::from(warehouse.product(&code).is_some());
        books.stock_equal += usize::from(shop.quantity(&code) == Some(available.max(0)));
    }
    books
}
