//! Extra data of products by code: the merchant's CSV file.

use std::io::Write;

use serde_json::json;
use silta::{
    app::config::{Config, Environment},
    dev::sandbox::OrderSpec,
};
use tempfile::NamedTempFile;

use crate::harness::{TestSilta, secs};

/// A file with this text.
fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// Starts Silta with this file and further settings.
async fn start_with_file(text: &str, settings: &[(&str, &str)]) -> TestSilta {
    let file = file(text);
    let path = file.path().to_str().unwrap();
    let mut settings = settings.to_vec();
    settings.push(("products.extra_file", path));
    TestSilta::start_with_settings(&settings).await
}

#[tokio::test]
async fn customs_data_of_the_file_are_sent() {
    let text = "code,hs_code,country_of_origin,customs_description\ncup,6912 00 23,ee,Ceramic cup\nPOT,,,\n";
    let silta = start_with_file(text, &[("products.country_of_origin", "FI")]).await;
    for (id, code) in [(1, "CUP"), (2, "POT")] {
        silta.shop.add_product(id, code, code, 0);
        silta.send_product_update(id).await;
    }
    let cup = silta.warehouse.product("CUP").unwrap();
    let fields = ["hsCode", "countryOfOrigin", "customsDescription"].map(|field| cup[field].clone());
    assert_eq!(fields, [json!("69120023"), json!("EE"), json!("Ceramic cup")]);
    let pot = silta.warehouse.product("POT").unwrap();
    assert_eq!((&pot["countryOfOrigin"], pot.get("hsCode")), (&json!("FI"), None), "the general setting");

    // What somebody changes there is a difference.
    silta.warehouse.add_product("CUP", json!({ "code": "CUP", "name": "CUP", "countryOfOrigin": "EE" }));
    silta.run_sync("products", false).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.product("CUP").unwrap()["hsCode"], "69120023");
}

#[tokio::test]
async fn kit_and_buffer_of_the_file_go_before_the_settings() {
    let text = "code;kit;buffer\nSETTI;CUP*2 | POT*1;\ncup;;4\n";
    let silta = start_with_file(text, &[("stock.buffer", "1")]).await;
    for (id, code) in [(1, "CUP"), (2, "POT"), (3, "SETTI")] {
        silta.shop.add_product(id, code, code, 0);
        silta.send_product_update(id).await;
        silta.warehouse.receive_goods(code, 10);
        silta.send_stock_update(code).await;
    }
    assert_eq!(["CUP", "POT", "SETTI"].map(|code| silta.shop.quantity(code)), [Some(6), Some(9), Some(0)]);
    assert_eq!(silta.warehouse.codes(), ["CUP", "POT"], "a kit is no product of the warehouse");
    let order = silta.place_order(OrderSpec::of("setti", 2)).await;
    let sent = silta.warehouse.find(&format!("shop-{order}")).expect("sent");
    assert_eq!(sent.lines, [("CUP".to_owned(), 4), ("POT".to_owned(), 2)]);
}

#[tokio::test]
async fn alias_is_the_product_of_its_code() {
    let silta = start_with_file("code,alias,buffer\nCUP,MUKI | muki 2,1\n", &[]).await;
    silta.warehouse.add_product("CUP", json!({ "code": "CUP", "name": "Kuppi" }));
    silta.warehouse.receive_goods("CUP", 10);
    silta.shop.add_product(7, "muki", "Muki", 0);
    silta.run_sync("products", false).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.codes(), ["CUP"], "the product is there, under its own code");
    assert_eq!(silta.warehouse_name("CUP").as_deref(), Some("Muki"));
    assert_eq!(silta.shop.quantity("muki"), Some(9), "the figure of the code, less its buffer");
    silta.warehouse.count_stock("CUP", 6);
    silta.send_stock_update("CUP").await;
    assert_eq!(silta.shop.quantity("muki"), Some(5));

    let order =
        silta.place_order(OrderSpec::of("muki", 1).with_line("MUKI-2", 1).with_line("Muki2", 1)).await;
    let sent = silta.warehouse.find(&format!("shop-{order}")).expect("sent");
    assert_eq!(sent.lines, [("CUP".to_owned(), 2), ("MUKI-2".to_owned(), 1)]);
    silta.warehouse.receive_goods("MUKI-2", 1);
    silta.warehouse.ship_order(&format!("shop-{order}"));
    silta.send_webhook(silta.warehouse.order_shipped(&format!("shop-{order}"))).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.order(order).unwrap().status, "COMPLETED", "all of it was shipped");
    let again = silta.run_sync("products", false).await;
    assert_eq!(again["difference_count"], 0, "{again}");
}

#[tokio::test]
async fn alias_beside_its_code_creates_and_overwrites_nothing() {
    let silta = start_with_file("code,alias\nCUP,MUKI\n", &[]).await;
    silta.shop.add_product(1, "CUP", "Kuppi", 0);
    silta.shop.add_product(2, "MUKI", "Sama kuppi", 0);
    silta.send_product_update(1).await;
    silta.send_product_update(2).await;
    assert_eq!(
        (silta.warehouse.codes(), silta.warehouse_name("CUP")),
        (vec!["CUP".into()], Some("Kuppi".into()))
    );
    assert_eq!(silta.product_task_state(2).await, "skipped excluded");
    assert_eq!(silta.code_problems().await, []);
    silta.warehouse.receive_goods("CUP", 5);
    silta.send_stock_update("CUP").await;
    assert_eq!(["CUP", "MUKI"].map(|code| silta.shop.quantity(code)), [Some(5), Some(5)]);
    silta.clock.advance(secs(3600));
    let report = silta.run_sync("stock", false).await;
    assert_eq!(report["difference_count"], 0, "{report}");
}

#[tokio::test]
async fn wrong_file_is_refused_with_every_line() {
    let text = "code,hs_code,kit,alias\nCUP,123,,\nPOT,,CUP,\nLID,,,CUP\ncup,,,\n";
    let file = file(text);
    let silta = TestSilta::start().await;
    let config = crate::harness::configuration(&silta.sandbox, &crate::harness::TestOptions::default());
    let config = format!("{config}\n[connections.products]\nextra_file = {:?}\n", file.path());
    let errors = Config::load(&config, &Environment::new()).unwrap_err();
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    let wanted =
        ["line 2: hs_code", "line 3: the component \"CUP\"", "line 4: the alias \"CUP\"", "line 5: \"cup\""];
    assert_eq!(errors.len(), wanted.len(), "{errors:?}");
    for (error, wanted) in errors.iter().zip(wanted) {
        assert!(error.contains("connections.shop.products.extra_file") && error.contains(wanted), "{error}");
    }
    let missing = config.replace(file.path().to_str().unwrap(), "/nowhere/extra.csv");
    let errors = Config::load(&missing, &Environment::new()).unwrap_err();
    assert!(
        errors[0].to_string().contains("/nowhere/extra.csv: cannot be read"),
        "{:?}",
        errors[0].to_string()
    );
}
