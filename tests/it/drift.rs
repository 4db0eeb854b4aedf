//! A week of random edits on both sides, with a fifth of the webhooks lost and a twentieth of the calls failing, ends with
//! both sides in sync: by Silta's own sync, and by the two vendors' own books.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;
use silta::{
    dev::sandbox::{Fault, OrderSpec, RandomFaults, Webhook},
    runtime::clock::Entropy,
};

use crate::harness::{TestSilta, secs};

/// Products that are ordered and never get another code: an order on its way names the code of its day.
const ORDERED_PRODUCTS: usize = 10;

/// Products in the catalogue at first.
const INITIAL_PRODUCTS: u64 = 40;

/// Products that have variations from their first day: what lay on a shelf before it had some, only a person can sort.
fn is_varied(id: u64) -> bool {
    id > ORDERED_PRODUCTS as u64 && id.is_multiple_of(4)
}

struct Week {
    silta: TestSilta,
    chance: Arc<Entropy>,
    products: u64,
    orders: Vec<u64>,
    edits: BTreeMap<&'static str, usize>,
    lost: usize,
}

impl Week {
    async fn begin(seed: u64) -> Self {
        let silta = TestSilta::start_with_settings(&[("stock.buffer", "1")]).await;
        let chance = Arc::new(Entropy::seeded(seed));
        let (products, orders) = (INITIAL_PRODUCTS, Vec::new());
        let mut week = Self { silta, chance, products, orders, edits: BTreeMap::new(), lost: 0 };
        for id in 1..=INITIAL_PRODUCTS {
            week.lists(id).await;
        }
        week
    }

    /// A fifth of all webhooks is never sent.
    async fn tells(&mut self, webhook: Webhook) {
        if self.chance.fraction() < 0.2 {
            self.lost += 1;
        } else {
            self.silta.send_webhook(webhook).await;
        }
    }

    async fn lists(&mut self, id: u64) {
        let TestSilta { shop, warehouse, .. } = &self.silta;
        let code = format!("D-{id}");
        shop.add_product(id, &code, &format!("Tuote {id}"), 0);
        if is_varied(id) {
            self.varies(id, "Ensimmäinen");
        } else if id <= ORDERED_PRODUCTS as u64 {
            warehouse.receive_goods(&code, 100);
        }
        let (product, stock) = (shop.product_updated(id), warehouse.stock_changed(&code));
        self.tells(product).await;
        self.tells(stock).await;
    }

    fn varies(&self, id: u64, name: &str) {
        let codes = ["a", "b"].map(|it| format!("V-{id}-{it}"));
        let variations = [(id * 10 + 1, codes[0].as_str(), name), (id * 10 + 2, codes[1].as_str(), "Toinen")];
        self.silta.shop.set_variations(id, &variations);
    }

    /// Somebody does something on one of the sides.
    async fn edits(&mut self) {
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
        let (id, word) = (u64::try_from(any).unwrap(), self.chance.below(10_000));
        let TestSilta { shop, warehouse, .. } = &self.silta;
        match kind {
            "order" => {
                let order = shop.place_order(OrderSpec::of(&ordered, 1 + i64::from(word < 2000)));
                self.orders.push(order);
                let (order, stock) = (shop.order_created(order), warehouse.stock_changed(&ordered));
                self.tells(order).await;
                self.tells(stock).await;
            }
            "rename" => {
                shop.rename_product(id, &format!("Tuote {word}"));
                self.tells(self.silta.shop.product_updated(id)).await;
            }
            "recode" if any > ORDERED_PRODUCTS && !is_varied(id) => {
                shop.change_product_code(id, &format!("R-{id}-{word}"));
                self.tells(self.silta.shop.product_updated(id)).await;
            }
            "list" => {
                self.products += 1;
                self.lists(self.products).await;
            }
            "vary" if is_varied(id) => {
                self.varies(id, &format!("Malli {word}"));
                self.tells(self.silta.shop.product_updated(id)).await;
            }
            "count" => {
                let codes = warehouse.codes();
                let Some(code) = codes.get(word % codes.len().max(1)) else { return };
                warehouse.count_stock(code, 100 + i64::try_from(word % 50).unwrap());
                self.tells(self.silta.warehouse.stock_changed(code)).await;
            }
            // Neither tells of these, nor do its lists of changes: only a sync can find them.
            "edit_there" => warehouse.rename_product(&ordered, "Muutettu siellä"),
            "figure_by_hand" => shop.set_quantity(&ordered, 7, word % 2 == 0),
            _ => {}
        }
    }

    /// The warehouse collects and ships what it has.
    async fn ships(&mut self) {
        for order in self.orders.clone() {
            let reference = format!("shop-{order}");
            let Some(there) = self.silta.warehouse.find(&reference) else { continue };
            match there.status {
                "New" if self.chance.fraction() < 0.3 => {
                    self.silta.warehouse.collect_order(&reference);
                    for (code, _) in there.lines {
                        self.tells(self.silta.warehouse.stock_changed(&code)).await;
                    }
                }
                "Collecting" if self.chance.fraction() < 0.3 => {
                    self.silta.warehouse.ship_order(&reference);
                    self.tells(self.silta.warehouse.order_shipped(&reference)).await;
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

    fn fails(&self, share: f64) {
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

    /// Everything that the shop sells stands at the warehouse under its name, with the same figure, once.
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
        assert_eq!(warehouse.codes(), codes, "no orphan is left behind");
        assert_eq!(self.silta.lost_and_doubled(), (0, 0));
    }
}

#[tokio::test]
async fn week_of_edits_and_faults_ends_with_zero_differences() {
    let mut week = Week::begin(20_261_124).await;
    week.fails(0.05);
    for _ in 0..7 * 24 {
        for _ in 0..2 {
            week.edits().await;
        }
        week.ships().await;
        week.advance_hour().await;
    }
    // The storm ends, and a day goes by.
    week.fails(0.0);
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
    assert!(week.lost > 50 && faults > 100, "{} webhooks lost, {faults} faults met", week.lost);
    assert_eq!(week.edits.len(), 8, "every kind of edit was made: {:?}", week.edits);
}
