//! A life of their own: shoppers order and sometimes pay later, the warehouse collects and ships, goods arrive; and
//! webhooks go out, sometimes twice, late or never.

use std::{collections::VecDeque, sync::Arc};

use super::{OrderSpec, Shop, Warehouse, Webhook, WebhookSender, warehouse::Order as WarehouseOrder};
use crate::runtime::clock::Entropy;

/// How lively and how unruly it is.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    /// Orders in all.
    pub orders: usize,
    /// Share of webhooks that are never sent.
    pub lost: f64,
    /// Share of webhooks sent twice.
    pub doubled: f64,
    /// Share of webhooks sent a few steps late, and so out of order.
    pub late: f64,
}

/// A day in the life of both, step by step.
pub struct Simulation {
    shop: Shop,
    warehouse: Warehouse,
    webhook_sender: WebhookSender,
    entropy: Arc<Entropy>,
    traffic: Traffic,
    prefix: String,
    unpaid: Vec<u64>,
    late: VecDeque<Webhook>,
    placed: usize,
    /// Webhooks sent, and of these answered with 2xx.
    sent: (usize, usize),
    withheld: usize,
}

/// What the catalogue is made of: code, name and the pieces to begin with.
const CATALOGUE: [(&str, &str, i64); 8] = [
    ("KAHVI-500", "Kahvi 500 g", 400),
    ("KAHVI-1000", "Kahvi 1 kg", 300),
    ("TEE-VIHREA", "Vihreä tee", 250),
    ("KUPPI-SIN", "Kuppi, sininen", 120),
    ("KUPPI-PUN", "Kuppi, punainen", 120),
    ("SUKLAA-70", "Suklaa 70 %", 500),
    ("LAHJAKORTTI", "Lahjakortti", 90),
    ("PANNU/2L", "Pannu 2 l", 60),
];

impl Simulation {
    /// A new day: the catalogue stands in the shop, its goods at the warehouse.
    pub fn start(
        shop: Shop,
        warehouse: Warehouse,
        webhook_sender: WebhookSender,
        entropy: Arc<Entropy>,
        traffic: Traffic,
        prefix: &str,
    ) -> Self {
        for (id, (code, name, pieces)) in (1..).zip(CATALOGUE) {
            shop.add_product(id, code, name, 0);
            warehouse.receive_goods(code, pieces);
        }
        let (unpaid, late) = (Vec::new(), VecDeque::new());
        let prefix = prefix.to_owned();
        Self {
            shop,
            warehouse,
            webhook_sender,
            entropy,
            traffic,
            prefix,
            unpaid,
            late,
            placed: 0,
            sent: (0, 0),
            withheld: 0,
        }
    }

    /// Shoppers place no more orders; what was begun goes on to its end.
    pub const fn stop_orders(&mut self) {
        self.traffic.orders = self.placed;
    }

    /// Orders placed so far.
    pub const fn placed(&self) -> usize {
        self.placed
    }

    /// Webhooks sent, and of these answered with 2xx.
    pub const fn sent(&self) -> (usize, usize) {
        self.sent
    }

    /// Webhooks never sent.
    pub const fn withheld(&self) -> usize {
        self.withheld
    }

    /// Tells of the whole catalogue: its products and its stock.
    pub async fn announce_catalogue(&mut self) {
        for (id, (code, _, _)) in (1..).zip(CATALOGUE) {
            self.dispatch(self.shop.product_updated(id)).await;
            self.dispatch(self.warehouse.stock_changed(code)).await;
        }
    }

    /// One step of the day. Answers false once nothing more will happen by itself.
    pub async fn step(&mut self) -> bool {
        if self.placed < self.traffic.orders {
            self.place_random_order().await;
        }
        let all_placed = self.placed == self.traffic.orders;
        if let Some(id) = self.unpaid.first().copied().filter(|_| all_placed || self.entropy.fraction() < 0.3)
        {
            self.unpaid.remove(0);
            self.shop.mark_paid(id); // and no webhook tells
        }
        let moved = self.advance_warehouse().await;
        if self.entropy.fraction() < 0.1 && !all_placed {
            let (code, _, _) = CATALOGUE[self.entropy.below(CATALOGUE.len())];
            self.warehouse.receive_goods(code, 10);
            self.dispatch(self.warehouse.stock_changed(code)).await;
        }
        if let Some(webhook) = self.late.pop_front() {
            self.send(&webhook).await;
        }
        !all_placed || !self.unpaid.is_empty() || moved || !self.late.is_empty()
    }

    async fn place_random_order(&mut self) {
        let pick = |simulation: &Self| CATALOGUE[simulation.entropy.below(CATALOGUE.len())].0;
        let mut spec = OrderSpec::of(pick(self), 1 + i64::from(self.entropy.fraction() < 0.3));
        if self.entropy.fraction() < 0.4 {
            spec = spec.with_line(pick(self), 1);
        }
        let draw = self.entropy.fraction();
        spec = match draw {
            draw if draw < 0.2 => spec.unpaid(),
            draw if draw < 0.3 => spec.cash_on_delivery(),
            draw if draw < 0.4 => spec.with_shipping_method(2, Some("00199")),
            _ => spec,
        };
        let id = self.shop.place_order(spec);
        self.placed += 1;
        if draw < 0.2 {
            self.unpaid.push(id);
        }
        self.dispatch(self.shop.order_created(id)).await;
    }

    /// The warehouse moves some of its orders one state on; true while there is any to move.
    async fn advance_warehouse(&mut self) -> bool {
        let open = |order: &WarehouseOrder| matches!(order.status, "New" | "Collecting" | "Pending");
        let orders: Vec<_> = self.warehouse.orders().into_iter().filter(open).collect();
        for WarehouseOrder { reference, status, lines, .. } in &orders {
            if !reference.starts_with(&self.prefix) || self.entropy.fraction() < 0.5 {
                continue;
            }
            match *status {
                "New" => {
                    self.warehouse.collect_order(reference);
                    for (code, _) in lines {
                        self.dispatch(self.warehouse.stock_changed(code)).await;
                    }
                }
                "Collecting" => {
                    self.warehouse.ship_order(reference);
                    self.dispatch(self.warehouse.order_shipped(reference)).await;
                }
                _ => {
                    for (code, _) in lines {
                        self.warehouse.receive_goods(code, 50);
                    }
                }
            }
        }
        !orders.is_empty()
    }

    /// Sends a webhook once, twice, later or never.
    async fn dispatch(&mut self, webhook: Webhook) {
        let draw = self.entropy.fraction();
        let Traffic { lost, doubled, late, .. } = self.traffic;
        if draw < lost {
            self.withheld += 1;
        } else if draw < lost + late {
            self.late.push_back(webhook);
        } else {
            self.send(&webhook).await;
            if draw < lost + late + doubled {
                self.send(&webhook).await;
            }
        }
    }

    async fn send(&mut self, webhook: &Webhook) {
        self.sent.0 += 1;
        let answer = self.webhook_sender.send(webhook).await;
        self.sent.1 += usize::from(answer.is_some_and(|(status, _)| status == 200));
    }
}
