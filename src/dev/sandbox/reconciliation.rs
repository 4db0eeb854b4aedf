//! Reconciles the two fake vendors order by order: what should have arrived, from their own state alone.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    shop::Shop, shop_state::Order as ShopOrder, warehouse::Warehouse,
    warehouse_state::Order as WarehouseOrder,
};

/// The counts of a reconciliation of both vendors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// Orders that should be sent: paid or cash on delivery, not cancelled.
    pub placed: usize,
    /// Of these at the warehouse.
    pub at_warehouse: usize,
    /// Of these shipped.
    pub shipped: usize,
    /// Of these completed in the shop with the tracking code of their own parcel.
    pub tracking_back: usize,
    /// All product codes.
    pub codes: usize,
    /// Of these with the shop's product at the warehouse.
    pub products: usize,
    /// Of these with the same figure on both sides.
    pub stock_equal: usize,
    /// Orders that have not arrived, shipments that have not reached the shop, and tracking codes on the wrong order.
    pub lost: usize,
    /// The numbers of the orders among these whose next step may only be late.
    #[serde(skip)]
    pub missing: Vec<u64>,
    /// Second orders with one reference, and second completions of one shipment.
    pub doubled: usize,
}

impl Reconciliation {
    /// True where nothing is lost, doubled or out of sync.
    pub const fn is_balanced(&self) -> bool {
        let Self { codes, products, stock_equal, lost, doubled, .. } = *self;
        lost == 0 && doubled == 0 && products == codes && stock_equal == codes
    }

    /// The rows that every verdict prints. Each verdict prints shipments in its own way.
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
            missing: _,
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

    fn count_order(&mut self, order: &ShopOrder, at_warehouse: Option<&WarehouseOrder>) {
        self.doubled +=
            order.shipments.iter().map(|it| it.completions.saturating_sub(1) as usize).sum::<usize>();
        let parcel = at_warehouse.and_then(|order| order.tracking.as_deref());
        let codes: Vec<_> = order.shipments.iter().filter_map(|it| it.tracking_code.as_deref()).collect();
        let has_wrong_code = codes.iter().any(|code| Some(*code) != parcel);
        let is_due = order.status != "CANCELLED" && (order.is_paid || order.cash_on_delivery);
        if !is_due {
            self.lost += usize::from(has_wrong_code);
            return;
        }
        self.placed += 1;
        let Some(at_warehouse) = at_warehouse else {
            self.lost += 1;
            self.missing.push(order.id);
            return;
        };
        self.at_warehouse += 1;
        if at_warehouse.status != "Shipped" {
            self.lost += usize::from(has_wrong_code);
            return;
        }
        self.shipped += 1;
        // The shop may refuse the code of one of several shipments; a single one must have it.
        let has_code = order.shipments.len() > 1 || !codes.is_empty();
        let is_back = order.status == "COMPLETED" && has_code && !has_wrong_code;
        self.tracking_back += usize::from(is_back);
        self.lost += usize::from(!is_back);
        if !is_back && !has_wrong_code {
            self.missing.push(order.id);
        }
    }
}

/// Compares both vendors. `prefix` precedes the order numbers at the warehouse.
pub fn reconcile(shop: &Shop, warehouse: &Warehouse, prefix: &str) -> Reconciliation {
    let mut by_reference: BTreeMap<String, Vec<WarehouseOrder>> = BTreeMap::new();
    for order in warehouse.orders() {
        by_reference.entry(order.reference.clone()).or_default().push(order);
    }
    let mut counts = Reconciliation {
        doubled: by_reference.values().map(|orders| orders.len() - 1).sum(),
        ..Reconciliation::default()
    };
    for order in shop.orders() {
        let at_warehouse = by_reference.get(&format!("{prefix}{}", order.id));
        counts.count_order(&order, at_warehouse.and_then(|orders| orders.first()));
    }
    for (code, available) in warehouse.available_by_code() {
        counts.codes += 1;
        counts.products += usize::from(warehouse.product(&code).is_some());
        counts.stock_equal += usize::from(shop.quantity(&code) == Some(available.max(0)));
    }
    counts
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        dev::sandbox::OrderSpec,
        runtime::clock::{Entropy, SystemClock},
    };

    fn shipped_orders(count: u64) -> (Shop, Warehouse) {
        let shop = Shop::new(Arc::new(SystemClock));
        let warehouse = Warehouse::new(Arc::new(SystemClock), Arc::new(Entropy::seeded(1)));
        warehouse.receive_goods("A", 200);
        for _ in 0..count {
            let id = shop.place_order(OrderSpec::of("A", 1));
            warehouse.add_foreign_order(&format!("t-{id}"), "A", 1);
            warehouse.ship_order(&format!("t-{id}"));
        }
        (shop, warehouse)
    }

    #[test]
    fn each_parcel_has_its_own_tracking_code() {
        let (_, warehouse) = shipped_orders(200);
        let mut codes: Vec<_> = warehouse.orders().into_iter().filter_map(|order| order.tracking).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), 200);
    }

    #[test]
    fn tracking_code_of_another_order_counts_as_lost() {
        let (shop, warehouse) = shipped_orders(2);
        let code = |id: u64| warehouse.find(&format!("t-{id}")).and_then(|order| order.tracking);
        assert!(shop.complete(1001, None, code(1001).as_deref()));
        assert!(shop.complete(1002, None, code(1001).as_deref()));
        let counts = reconcile(&shop, &warehouse, "t-");
        assert_eq!((counts.shipped, counts.tracking_back, counts.lost), (2, 1, 1));
    }
}
