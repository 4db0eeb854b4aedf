//! The books: what should be, counted from both vendors' own state.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{shop::Shop, warehouse::Warehouse};

/// What the two vendors' own state says of the bridge between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// Orders that shoppers placed and that are to be sent: paid or on task, not cancelled.
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

impl Reconciliation {
    /// Nothing is lost, doubled or out of sync.
    pub const fn is_balanced(&self) -> bool {
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
pub fn reconcile(shop: &Shop, warehouse: &Warehouse, prefix: &str) -> Reconciliation {
    let mut by_reference: BTreeMap<String, Vec<super::warehouse::Order>> = BTreeMap::new();
    for order in warehouse.orders() {
        by_reference.entry(order.reference.clone()).or_default().push(order);
    }
    let mut reconciliation = Reconciliation {
        doubled: by_reference.values().map(|orders| orders.len() - 1).sum(),
        ..Reconciliation::default()
    };
    for order in shop.orders() {
        reconciliation.doubled +=
            order.shipments.iter().map(|it| it.completions.saturating_sub(1) as usize).sum::<usize>();
        let is_due = order.status != "CANCELLED" && (order.is_paid || order.cash_on_delivery);
        if !is_due {
            continue;
        }
        reconciliation.placed += 1;
        let Some(warehouse_order) =
            by_reference.get(&format!("{prefix}{}", order.id)).and_then(|orders| orders.first())
        else {
            reconciliation.lost += 1;
            continue;
        };
        reconciliation.at_warehouse += 1;
        if warehouse_order.status == "Shipped" {
            reconciliation.shipped += 1;
            let codes = order.shipments.iter().map(|it| it.tracking_code.as_ref());
            let has_it = order.shipments.len() > 1
                || codes.into_iter().any(|code| code == warehouse_order.tracking.as_ref());
            let is_reported = order.status == "COMPLETED" && has_it;
            reconciliation.tracking_back += usize::from(is_reported);
            reconciliation.lost += usize::from(!is_reported);
        }
    }
    for (code, available) in warehouse.available_by_code() {
        reconciliation.codes += 1;
        reconciliation.products += usize::from(warehouse.product(&code).is_some());
        reconciliation.stock_equal += usize::from(shop.quantity(&code) == Some(available.max(0)));
    }
    reconciliation
}
