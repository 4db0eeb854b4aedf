//! Stock tasks that no webhook opens: they follow from what changed in our own tables.

use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestSilta, secs};

#[tokio::test]
async fn changed_reservation_without_a_status_corrects_the_figure() {
    let silta = TestSilta::start_with_settings(&[("stock.basis", "compensated")]).await;
    silta.shop.add_product(1, "A", "Coffee", 0);
    silta.warehouse.receive_goods("A", 100);
    silta.send_stock_update("A").await;
    let order = silta.place_order(OrderSpec::of("A", 6)).await;
    silta.send_stock_update("A").await;
    assert_eq!(silta.shop.quantity("A"), Some(100));

    // The warehouse frees four pieces of the order. Its status stays New, and the figure is reported first.
    silta.warehouse.change_quantity(&format!("shop-{order}"), 2);
    silta.send_stock_update("A").await;
    assert_eq!(silta.shop.quantity("A"), Some(104), "the order was not read again yet");
    silta.send_order_update(order).await;
    assert_eq!(silta.shop.quantity("A"), Some(100));
}

#[tokio::test]
async fn unchanged_reservation_opens_no_stock_task() {
    let silta = TestSilta::start_with_settings(&[("stock.basis", "compensated")]).await;
    silta.shop.add_product(1, "A", "Coffee", 0);
    silta.warehouse.receive_goods("A", 100);
    silta.send_stock_update("A").await;
    let order = silta.place_order(OrderSpec::of("A", 6)).await;
    silta.run_until_idle().await;
    let tasks = silta.count("task where kind = 'stock'").await;
    silta.warehouse.collect_order(&format!("shop-{order}"));
    silta.send_order_update(order).await;
    assert_eq!(silta.count("task where kind = 'stock'").await, tasks, "another status, the same pieces");
}

#[tokio::test]
async fn new_item_takes_over_the_figure_of_goods_already_stored() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 7);
    silta.send_stock_update("A").await;
    assert_eq!(silta.task_state("stock:A").await, "skipped unknown_in_shop");

    silta.clock.advance(secs(3600));
    silta.shop.add_product(1, "A", "Coffee", 0);
    silta.send_webhook(silta.shop.product_updated(1)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity("A"), Some(7));
    // Once is enough: a later change of the product says nothing about stock.
    let tasks = silta.count("task where kind = 'stock'").await;
    silta.clock.advance(secs(3600));
    silta.shop.rename_product(1, "Coffee, ground");
    silta.send_webhook(silta.shop.product_updated(1)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.count("task where kind = 'stock'").await, tasks);
}

#[tokio::test]
async fn item_that_a_sync_finds_new_gets_its_stock() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 7);
    silta.send_stock_update("A").await;
    silta.shop.add_product(1, "A", "Coffee", 0); // without a webhook
    let report = silta.run_sync("products", true).await;
    assert_eq!(report["state"], "done");
    assert_eq!(silta.shop.quantity("A"), Some(0), "a dry run changes nothing");
    silta.run_sync("products", false).await;
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity("A"), Some(7));
}
