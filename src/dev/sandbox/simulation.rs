//! Simulates a day at both vendors: shoppers order and sometimes pay later, the warehouse collects and ships, goods
//! arrive. Webhooks go out, sometimes twice, late or never.

use std::{collections::VecDeque, sync::Arc};

use super::{
    order_spec::OrderSpec, shop::Shop, vendors::Sandbox, warehouse::Warehouse,
    warehouse_state::Order as WarehouseOrder, webhook::Webhook, webhook_sender::WebhookSender,
};
use crate::runtime::clock::Entropy;

/// How many orders come, and how unreliable webhooks are.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    /// The number of orders.
    pub orders: usize,
    /// The share of webhooks that are never sent.
    pub lost: f64,
    /// The share of webhooks sent twice.
    pub doubled: f64,
    /// The share of webhooks sent a few steps late, and so out of order.
    pub late: f64,
}

/// A day at both vendors, step by step.
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
    /// Webhooks sent, and of these answered 200.
    sent: (usize, usize),
    withheld: usize,
}

/// The catalogue: code, name and initial stock.
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
    /// Starts a day: adds the catalogue to the shop and its stock to the warehouse.
    pub fn start(
        sandbox: &Sandbox,
        webhook_sender: WebhookSender,
        entropy: Arc<Entropy>,
        traffic: Traffic,
        prefix: &str,
    ) -> Self {
        let (shop, warehouse) = (sandbox.shop.clone(), sandbox.warehouse.clone());
        for (id, (code, name, pieces)) in (1..).zip(CATALOGUE) {
            shop.add_product(id, code, name, 0);
            warehouse.receive_goods(code, pieces);
        }
        Self {
            shop,
            warehouse,
            webhook_sender,
            entropy,
            traffic,
            prefix: prefix.to_owned(),
            unpaid: Vec::new(),
            late: VecDeque::new(),
            placed: 0,
            sent: (0, 0),
            withheld: 0,
        }
    }

    /// Stops placing orders; those that were placed continue.
    pub const fn stop_orders(&mut self) {
        self.traffic.orders = self.placed;
    }

    /// The number of orders placed so far.
    pub const fn placed(&self) -> usize {
        self.placed
    }

    /// The numbers of webhooks sent, and of these answered 200.
    pub const fn sent(&self) -> (usize, usize) {
        self.sent
    }

    /// The number of webhooks that were never sent.
    pub const fn withheld(&self) -> usize {
        self.withheld
    }

    /// Sends webhooks about all products and all stock.
    pub async fn announce_catalogue(&mut self) {
        for (id, (code, _, _)) in (1..).zip(CATALOGUE) {
            self.dispatch(self.shop.product_updated(id)).await;
            self.dispatch(self.warehouse.stock_changed(code)).await;
        }
    }

    /// Plays one step of the day; false once nothing more happens by itself.
    pub async fn step(&mut self) -> bool {
        if self.placed < self.traffic.orders {
            self.place_random_order().await;
        }
        let all_placed = self.placed == self.traffic.orders;
        if let Some(id) = self.unpaid.first().copied().filter(|_| all_placed || self.entropy.fraction() < 0.3)
        {
            self.unpaid.remove(0);
            self.shop.mark_paid(id); // no webhook is sent about it
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

    /// Moves some orders of the warehouse to their next status; true while any can move.
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
