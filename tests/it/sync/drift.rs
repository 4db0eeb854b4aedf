//! A week of random edits on both sides, with a fifth of the webhooks lost and a twentieth of the calls failing, ends in
//! sync: by Silta's own sync and by the vendors' own data.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;
use silta::{
    dev::sandbox::{Fault, OrderSpec, RandomFaults, Webhook},
    runtime::clock::Entropy,
};

use crate::harness::{TestSilta, secs};

/// Products that are ordered. They keep their codes, since an open order names the code it was placed with.
const ORDERED_PRODUCTS: usize = 10;

/// Products in the catalogue at the beginning.
const INITIAL_PRODUCTS: u64 = 40;

/// Products with variations from the beginning. Adding variations to a product in stock needs an operator.
fn is_varied(id: u64) -> bool {
    id > ORDERED_PRODUCTS as u64 && id.is_multiple_of(4)
}

struct Week {
    silta: TestSilta,
    chance: Arc<Entropy>,
    products: u64,
    orders: Vec<u64>,
    edits: BTreeMap<&'static str, usize>,
    lost_webhooks: usize,
}

impl Week {
    async fn start(seed: u64) -> Self {
        let settings = [("stock.buffer", "1"), ("stock.tracking", "true"), ("products.rename", "true")];
        let silta = TestSilta::start_with_settings(&settings).await;
        let chance = Arc::new(Entropy::seeded(seed));
        let (products, orders) = (INITIAL_PRODUCTS, Vec::new());
        let mut week = Self { silta, chance, products, orders, edits: BTreeMap::new(), lost_webhooks: 0 };
        for id in 1..=INITIAL_PRODUCTS {
            week.add_product_both(id).await;
        }
        week
    }

    /// Sends a webhook, or loses it in one of five cases.
    async fn send_or_lose(&mut self, webhook: Webhook) {
        if self.chance.fraction() < 0.2 {
            self.lost_webhooks += 1;
        } else {
            self.silta.send_webhook(webhook).await;
        }
    }

    async fn add_product_both(&mut self, id: u64) {
        let TestSilta { shop, warehouse, .. } = &self.silta;
        let code = format!("D-{id}");
        shop.add_product(id, &code, &format!("Tuote {id}"), 0);
        if is_varied(id) {
            self.add_variations(id, "Ensimmäinen");
        } else if id <= ORDERED_PRODUCTS as u64 {
            warehouse.receive_goods(&code, 100);
        }
        let (product, stock) = (shop.product_updated(id), warehouse.stock_changed(&code));
        self.send_or_lose(product).await;
        self.send_or_lose(stock).await;
    }

    fn add_variations(&self, id: u64, name: &str) {
        let codes = ["a", "b"].map(|it| format!("V-{id}-{it}"));
        let variations = [(id * 10 + 1, codes[0].as_str(), name), (id * 10 + 2, codes[1].as_str(), "Toinen")];
        self.silta.shop.set_variations(id, &variations);
    }

    /// Makes one random edit on one of the sides.
    async fn make_edit(&mut self) {
        const KINDS: [&str; 10] = [
            "order",
            "order",
            "order",
            "rename",
            "recode",
            "list",
            "vary",
            "count",
            "edit_there",
            "figure_by_hand",
        ];
        let kind = KINDS[self.chance.below(KINDS.len())];
        *self.edits.entry(kind).or_default() += 1;
        let any = 1 + self.chance.below(usize::try_from(self.products).unwrap());
        let ordered = format!("D-{}", 1 + self.chance.below(ORDERED_PRODUCTS));
        let (id, number) = (u64::try_from(any).unwrap(), self.chance.below(10_000));
        let TestSilta { shop, warehouse, .. } = &self.silta;
        match kind {
            "order" => {
                let order = shop.place_order(OrderSpec::of(&ordered, 1 + i64::from(number < 2000)));
                self.orders.push(order);
                let (order, stock) = (shop.order_created(order), warehouse.stock_changed(&ordered));
                self.send_or_lose(order).await;
                self.send_or_lose(stock).await;
            }
            "rename" => {
                shop.rename_product(id, &format!("Tuote {number}"));
                self.send_or_lose(self.silta.shop.product_updated(id)).await;
            }
            "recode" if any > ORDERED_PRODUCTS && !is_varied(id) => {
                shop.change_product_code(id, &format!("R-{id}-{number}"));
                self.send_or_lose(self.silta.shop.product_updated(id)).await;
            }
            "list" => {
                self.products += 1;
                self.add_product_both(self.products).await;
            }
            "vary" if is_varied(id) => {
                self.add_variations(id, &format!("Malli {number}"));
                self.send_or_lose(self.silta.shop.product_updated(id)).await;
            }
            "count" => {
                let codes = warehouse.codes();
                let Some(code) = codes.get(number % codes.len().max(1)) else { return };
                warehouse.count_stock(code, 100 + i64::try_from(number % 50).unwrap());
                self.send_or_lose(self.silta.warehouse.stock_changed(code)).await;
            }
            // No webhook and no list of changes shows these: only a sync can find them.
            "edit_there" => warehouse.rename_product(&ordered, "Muutettu siellä"),
            "figure_by_hand" => shop.set_quantity(&ordered, 7, number % 2 == 0),
            _ => {}
        }
    }

    /// The warehouse collects and ships some orders.
    async fn ship_some(&mut self) {
        for order in self.orders.clone() {
            let reference = format!("shop-{order}");
            let Some(there) = self.silta.warehouse.find(&reference) else { continue };
            match there.status {
                "New" if self.chance.fraction() < 0.3 => {
                    self.silta.warehouse.collect_order(&reference);
                    for (code, _) in there.lines {
                        self.send_or_lose(self.silta.warehouse.stock_changed(&code)).await;
                    }
                }
                "Collecting" if self.chance.fraction() < 0.3 => {
                    self.silta.warehouse.ship_order(&reference);
                    self.send_or_lose(self.silta.warehouse.order_shipped(&reference)).await;
                }
                _ => {}
            }
        }
    }

    async fn advance_hour(&self) {
        for _ in 0..2 {
            self.silta.clock.advance(secs(1800));
            self.silta.poll().await;
            self.silta.syncer.run_due().await.unwrap();
            self.silta.run_until_idle().await;
        }
    }

    fn set_fault_share(&self, share: f64) {
        let kinds = vec![
            Fault::DropBefore,
            Fault::DropAfter,
            Fault::Status(500),
            Fault::StatusAfter(504),
            Fault::Garbage,
            Fault::HalfAnswer,
        ];
        for server in [&self.silta.sandbox.shop_server, &self.silta.sandbox.warehouse_server] {
            let storm = RandomFaults { share, kinds: kinds.clone(), entropy: self.chance.clone() };
            server.faults.set_random((share > 0.0).then_some(storm));
        }
    }

    /// Asserts that the warehouse has every product of the shop once, with the same name and stock.
    fn assert_in_sync(&self) {
        let TestSilta { shop, warehouse, .. } = &self.silta;
        let mut codes = Vec::new();
        for (code, name) in shop.catalogue() {
            let there = warehouse.product(&code).unwrap_or_else(|| panic!("{code} is missing there"));
            assert_eq!(there["name"], json!(name), "{code}");
            let figure = warehouse.available(&code).map(|pieces| (pieces - 1).max(0));
            assert_eq!(shop.quantity(&code), figure, "{code}");
            codes.push(code);
        }
        codes.sort_unstable();
        assert_eq!(warehouse.codes(), codes, "no orphan is left");
        assert_eq!(self.silta.lost_and_doubled(), (0, 0));
    }
}

#[tokio::test]
async fn week_of_edits_and_faults_ends_with_zero_differences() {
    let mut week = Week::start(20_261_124).await;
    week.set_fault_share(0.05);
    for _ in 0..7 * 24 {
        for _ in 0..2 {
            week.make_edit().await;
        }
        week.ship_some().await;
        week.advance_hour().await;
    }
    // The faults end, and a day goes by.
    week.set_fault_share(0.0);
    for _ in 0..25 {
        week.advance_hour().await;
    }
    for what in ["products", "stock", "orders"] {
        let body = json!({ "connection": "shop", "what": what, "dry_run": true });
        let id = week.silta.api.post("/admin/v1/syncs", body).await.text("/id").to_owned();
        week.silta.syncer.run_due().await.unwrap();
        let report = week.silta.api.get(&format!("/admin/v1/syncs/{id}")).await.body;
        assert_eq!((report["state"].as_str(), &report["differences"]), (Some("done"), &json!([])), "{what}");
    }
    week.assert_in_sync();
    let faults = week.silta.sandbox.shop_server.faults.hit_count()
        + week.silta.sandbox.warehouse_server.faults.hit_count();
    assert!(
        week.lost_webhooks > 50 && faults > 100,
        "{} webhooks lost, {faults} faults met",
        week.lost_webhooks
    );
    assert_eq!(week.edits.len(), 8, "every kind of edit occurs: {:?}", week.edits);
}
