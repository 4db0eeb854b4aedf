//! Items with their stock on both sides: what is stored of each reading, and the lists that people see.

use std::collections::HashMap;

use chrono::DateTime;
use serde_json::{Value, json};
use silta::{
    dev::sandbox::{Fault, OrderSpec},
    domain::{
        product::Supplier,
        stock::{Basis, ShopStock, StockPolicy, StockView, WarehouseStock},
        stock_figures::StockFigures,
        switch::Switch,
    },
    store::stock_figures::{self, ReadAt},
};

use crate::harness::{TestOptions, TestSilta, secs};

impl TestSilta {
    /// The items of a list, as the API shows them.
    pub async fn items(&self, query: &str) -> Value {
        let answer = self.api.get(&format!("/admin/v1/connections/shop/items{query}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// The codes of a list, in its order.
    async fn codes_of(&self, query: &str) -> Vec<String> {
        let body = self.items(query).await;
        let items = body["items"].as_array().unwrap();
        items.iter().map(|item| item["code"].as_str().unwrap_or("-").to_owned()).collect()
    }

    /// The item with this code.
    async fn item(&self, code: &str) -> Value {
        let body = self.items("").await;
        body["items"].as_array().unwrap().iter().find(|item| item["code"] == code).unwrap().clone()
    }

    /// Adds a product to the shop, and pieces of it to the warehouse.
    async fn stock(&self, id: u64, code: &str, name: &str, pieces: i64) {
        self.shop.add_product(id, code, name, 0);
        self.warehouse.receive_goods(code, pieces);
        self.send_product_update(id).await;
    }
}

fn figures(item: &Value) -> [Option<i64>; 7] {
    ["shop", "target", "difference", "physical", "reserved", "available", "buffer"]
        .map(|it| item[it].as_i64())
}

#[tokio::test]
async fn item_shows_both_sides_and_what_the_shop_should_show() {
    let silta = TestSilta::start_with(TestOptions {
        connection: "[connections.stock]\nbasis = \"compensated\"\nbuffer = 2\n",
        ..TestOptions::default()
    })
    .await;
    silta.stock(1, "A", "Kahvi", 10).await;
    silta.send_stock_update("A").await;
    let item = silta.item("A").await;
    assert_eq!(figures(&item), [8, 8, 0, 10, 0, 10, 2].map(Some));
    assert_eq!((item["item"].as_str(), item["in_flight"].as_i64()), (Some("product:1"), Some(0)));

    // An order at the warehouse reserves pieces there, which the shop still counts.
    silta.place_order(OrderSpec::of("A", 3)).await;
    silta.send_stock_update("A").await;
    let item = silta.item("A").await;
    assert_eq!(figures(&item), [8, 8, 0, 10, 3, 7, 2].map(Some));
    assert_eq!(item["in_flight"], 3);
}

#[tokio::test]
async fn figure_that_waits_for_a_person_differs() {
    let silta = TestSilta::start_with_settings(&[("stock.update", "manual")]).await;
    silta.stock(1, "A", "Kahvi", 9).await;
    silta.stock(2, "B", "Tee", 0).await;
    assert_eq!(figures(&silta.item("A").await)[..3], [0, 9, -9].map(Some));
    assert_eq!(silta.codes_of("?show=differs").await, ["A"]);
    assert_eq!(silta.items("").await["counts"], json!({ "all": 2, "differs": 1, "code": 0, "absent": 0 }));

    assert_eq!(silta.ask_for("stock:A").await, 201);
    assert_eq!(figures(&silta.item("A").await)[..3], [9, 9, 0].map(Some), "what was written is shown");
    assert_eq!(silta.codes_of("?show=differs").await, Vec::<String>::new());
}

#[tokio::test]
async fn failed_read_changes_no_figure() {
    let silta = TestSilta::start().await;
    silta.stock(1, "A", "Kahvi", 9).await;
    let before = silta.item("A").await;
    silta.sandbox.shop_server.faults.script("GET", "/stock", Fault::Status(500));
    silta.send_stock_update("A").await;
    assert_eq!(figures(&silta.item("A").await), figures(&before));
    silta.advance(secs(600)).await;
    assert_eq!(figures(&silta.item("A").await), figures(&before), "as soon as it is read again");
}

#[test]
fn unreadable_value_is_no_figure() {
    let policy = StockPolicy {
        update: Switch::Automatic,
        basis: Basis::Available,
        buffer: 0,
        buffers: HashMap::new(),
        tracking: true,
        brake: 30,
    };
    let warehouse = |unreadable: &[&str]| WarehouseStock {
        physical: 0,
        available: 0,
        modified: None,
        read_at: None,
        version: None,
        unreadable: unreadable.iter().map(ToString::to_string).collect(),
    };
    let shop = |unreadable: &[&str]| ShopStock {
        quantity: 4,
        reserved: None,
        enabled: true,
        supplier: Supplier::NotRead,
        unreadable: unreadable.iter().map(ToString::to_string).collect(),
    };
    let read = |warehouse: &WarehouseStock, shop: &ShopStock| {
        let (warehouse, shop) = (Some(warehouse), Some(shop));
        let (now, written) = (DateTime::UNIX_EPOCH, None);
        let view = StockView { code: "A", warehouse, shop, in_flight: 0, written, acted_on: None, now };
        StockFigures::of(&view, &policy)
    };
    assert!(read(&warehouse(&[]), &shop(&[])).is_some_and(|it| it.shop == 4));
    assert_eq!(read(&warehouse(&["Stock"]), &shop(&[])), None);
    assert_eq!(read(&warehouse(&[]), &shop(&["quantity"])), None);
}

#[tokio::test]
async fn list_never_overwrites_what_an_attempt_has_read_later() {
    let silta = TestSilta::start().await;
    let mut db = silta.pool.acquire().await.unwrap();
    let figure = |shop| StockFigures { code: "A".into(), shop, warehouse: None, buffer: 0 };
    let now = silta.now();
    let rows = async |read_at, shop| {
        let mut db = silta.pool.acquire().await.unwrap();
        stock_figures::record(&mut db, &[("shop", &figure(shop))], read_at).await.unwrap();
        silta.scalar::<i64>("select shop from stock_figure").await
    };
    stock_figures::record(&mut db, &[], ReadAt::Listed(now)).await.unwrap();
    assert_eq!(rows(ReadAt::Fenced(now), 5).await, 5);
    assert_eq!(rows(ReadAt::Listed(now - secs(1)), 7).await, 5, "an older list");
    assert_eq!(rows(ReadAt::Listed(now + secs(1)), 8).await, 8);
    assert_eq!(rows(ReadAt::Fenced(now), 9).await, 9, "whatever the clock of its process says");
}

#[tokio::test]
async fn braked_figure_shows_what_the_shop_would_show() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    for id in 1..=6 {
        silta.stock(id, &format!("C-{id}"), &format!("Tuote {id}"), 10).await;
    }
    for id in 1..=6 {
        silta.warehouse.count_stock(&format!("C-{id}"), 0);
        silta.send_stock_update(&format!("C-{id}")).await;
    }
    let braked = silta.items("?show=differs").await;
    let braked = braked["items"].as_array().unwrap();
    assert!(!braked.is_empty());
    for item in braked {
        assert_eq!(figures(item)[..3], [10, 0, 10].map(Some), "{item}");
        assert_eq!(
            (item["task_state"].as_str(), item["task_reason"].as_str()),
            (Some("pending"), Some("stock_braked"))
        );
    }
}

#[tokio::test]
async fn sync_reads_every_figure_and_drops_what_is_gone() {
    let silta = TestSilta::start().await;
    for (id, code, name) in [(1, "A", "Kahvi"), (2, "B", "Tee"), (3, "C", "Kaakao")] {
        silta.shop.add_product(id, code, name, 4);
    }
    for code in ["A", "B"] {
        silta.warehouse.receive_goods(code, 4);
    }
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    assert_eq!(silta.codes_of("").await, ["C", "A", "B"], "by name");
    assert_eq!(figures(&silta.item("A").await)[..4], [4, 4, 0, 4].map(Some));
    silta.warehouse.remove_product("B");
    silta.shop.remove_product(3);
    silta.clock.advance(secs(2 * 24 * 3600));
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    assert_eq!(silta.codes_of("").await, ["A", "B"]);
    assert_eq!(silta.count("stock_figure").await, 2, "of what the shop has");
}

#[tokio::test]
async fn code_to_fix_and_absent_at_the_warehouse_have_lists() {
    let silta = TestSilta::start_with_settings(&[("products.upload", "manual")]).await;
    silta.stock(1, "CUP", "Kuppi", 5).await;
    silta.stock(2, "cup", "Muki", 0).await;
    silta.shop.add_product(3, "POT", "Pannu", 1);
    silta.send_product_update(3).await;
    assert_eq!(silta.codes_of("?show=code").await, ["CUP", "cup"]);
    let item = silta.item("CUP").await;
    assert_eq!(
        (item["code_problem"].as_str(), &item["same_code"]),
        (Some("code_repeated"), &json!(["Muki"]))
    );
    assert_eq!(silta.codes_of("?show=absent").await, ["POT"]);
    assert_eq!(silta.items("").await["counts"]["code"], 2);
    assert_eq!(silta.items("").await["counts"]["absent"], 1);
}

#[tokio::test]
async fn items_are_found_by_the_start_of_any_word_and_page_by_page() {
    let silta = TestSilta::start().await;
    for (id, code, name) in [
        (1, "TERMOS-075-MUS", "Termospullo 0,75 l, musta"),
        (2, "PAARYNA", "Päärynämehu"),
        (3, "MUKI-1", "Emalimuki, musta"),
        (4, "MUKI-2", "emalimuki, sininen"),
    ] {
        silta.shop.add_product(id, code, name, 0);
        silta.send_product_update(id).await;
    }
    let found = async |q: &str| silta.codes_of(&format!("?q={q}")).await;
    assert_eq!(found("mus").await, ["MUKI-1", "TERMOS-075-MUS"]);
    assert_eq!(found("MUKI-1").await, ["MUKI-1"]);
    assert_eq!(found("must%20emal").await, ["MUKI-1"]);
    assert_eq!(found("p%C3%A4%C3%A4r").await, ["PAARYNA"]);
    assert_eq!(found("ullo").await, Vec::<String>::new(), "not the middle of a word");
    for hostile in ["%27%26%7C%21%28%29%3A%2A%3C", "%25", "%E2%80%99", "mus%3A%2A%7C"] {
        silta.items(&format!("?q={hostile}")).await;
    }
    let first = silta.items("?limit=3").await;
    let next = first["next"].as_str().unwrap().to_owned();
    assert_eq!(first["items"].as_array().unwrap().len(), 3);
    assert_eq!(silta.codes_of(&format!("?limit=3&cursor={next}")).await, ["TERMOS-075-MUS"]);
    assert_eq!(silta.api.get("/admin/v1/connections/shop/items?show=some").await.status, 400);
    assert_eq!(silta.api.get("/admin/v1/connections/other/items").await.status, 404);
}
