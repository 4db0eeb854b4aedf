//! Lists whose rows move while a sync reads them.

use serde_json::json;

use crate::{harness::TestSilta, sync::report::differences};

/// Products in the shop and at the warehouse that do not differ; more than a page of either list.
const PRODUCTS: u64 = 300;

#[tokio::test]
async fn rows_that_move_between_pages_are_neither_missing_nor_doubled() {
    let silta = TestSilta::start().await;
    for id in 1..=PRODUCTS {
        let code = format!("P-{id:03}");
        silta.shop.add_product(id, &code, "Tuote", 5);
        silta.warehouse.add_product(&code, json!({ "code": code, "name": "Tuote" }));
        silta.warehouse.receive_goods(&code, 5);
    }
    // After the first page of each list a row of it goes: all rows behind it move forward.
    let (shop, warehouse) = (silta.shop.clone(), silta.warehouse.clone());
    silta.sandbox.warehouse_server.after_each("/products", move |count| {
        if count == 1 {
            warehouse.remove_product("P-001");
        }
    });
    silta.sandbox.shop_server.after_each("/api/v1/products", move |count| {
        if count == 1 {
            shop.remove_product(1);
        }
    });
    let report = silta.run_sync("products", true).await;
    assert_eq!(differences(&report), []);
    assert_eq!(silta.count("item").await, 300);
    silta.run_until_idle().await;
}

#[tokio::test]
async fn stock_that_moves_between_pages_is_not_reported_missing() {
    let silta = TestSilta::start().await;
    silta.warehouse.sort_lists_by_time();
    for id in 1..=PRODUCTS {
        let code = format!("P-{id:03}");
        silta.shop.add_product(id, &code, "Tuote", 5);
        silta.warehouse.receive_goods(&code, 5);
    }
    let (warehouse, clock) = (silta.warehouse.clone(), silta.clock.clone());
    silta.sandbox.warehouse_server.after_each("/stock", move |count| {
        clock.advance(crate::harness::secs(1));
        warehouse.count_stock(&format!("P-{count:03}"), 5); // it moves to the end
    });
    let report = silta.run_sync("stock", true).await;
    assert_eq!(differences(&report), []);
    assert_eq!(report["counts"]["same"], 300);
    silta.run_until_idle().await;
}
