//! Product codes: unique, usable, and withheld one by one where they are not.

use serde_json::json;
use silta::dev::sandbox::Fault;

use crate::harness::{TestSilta, secs};

#[tokio::test]
async fn code_passed_between_products_never_collides() {
    let silta = TestSilta::start_with_settings(&[("products.rename", "true")]).await;
    silta.shop.add_product(1, "A", "Yksi", 0);
    silta.shop.add_product(2, "B", "Kaksi", 0);
    silta.send_product_update(1).await;
    silta.send_product_update(2).await;
    // Product 2 moves to C and product 1 takes B. The webhook of the second change arrives first.
    silta.shop.change_product_code(2, "C");
    silta.shop.change_product_code(1, "B");
    silta.send_product_update(1).await;
    assert_eq!(
        silta.product_task_state(1).await,
        "dead code_repeated",
        "product 2 still has B as far as Silta knows"
    );
    silta.send_product_update(2).await;
    assert_eq!(silta.product_task_state(1).await, "done", "it was sent without an operator");
    assert_eq!(silta.warehouse_name("B").as_deref(), Some("Yksi"));
    assert_eq!(silta.warehouse_name("C").as_deref(), Some("Kaksi"));
    assert_eq!(silta.warehouse.codes(), ["B", "C"]);
}

#[tokio::test]
async fn swapped_codes_end_dead_and_overwrite_nothing() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "Yksi", 0);
    silta.shop.set_variations(1, &[(11, "A", "a"), (12, "B", "b")]);
    silta.send_product_update(1).await;
    silta.shop.set_variations(1, &[(11, "B", "a"), (12, "A", "b")]);
    silta.send_product_update(1).await;
    assert_eq!(silta.product_task_state(1).await, "dead code_taken");
    assert_eq!(silta.warehouse_name("A").as_deref(), Some("Yksi - a"), "nothing was overwritten");
}

#[tokio::test]
async fn unusable_codes_are_listed_and_only_they_are_withheld() {
    let silta = TestSilta::start().await;
    let long = "x".repeat(51);
    silta.shop.add_product(1, "CUP", "Kuppi", 0);
    silta.shop.add_product(2, "cup", "Muki", 0);
    silta.shop.add_product(3, "POT", "Pannu", 0);
    silta
        .shop
        .set_variations(3, &[(31, "C UP", "1 l"), (32, "", "2 l"), (33, &long, "3 l"), (34, "POT-4", "4 l")]);
    silta.shop.add_product(4, "TEE", "Tee", 0);
    silta.syncer.run_due().await.unwrap(); // reads the whole catalogue, sends nothing
    assert_eq!(silta.warehouse.codes(), Vec::<String>::new(), "nothing is created in bulk without a request");

    let expected: Vec<_> = [
        ("product:1", "code_repeated"),
        ("product:2", "code_repeated"),
        ("product:3/31", "code_repeated"),
        ("product:3/32", "code_empty"),
        ("product:3/33", "code_too_long"),
    ]
    .map(|(item, reason)| (item.to_owned(), reason.to_owned()))
    .to_vec();
    assert_eq!(silta.code_problems().await, expected);
    let list = silta.api.get("/admin/v1/connections/shop/codes?limit=1").await;
    let others = &list.items()[0]["others"];
    assert_eq!(
        *others,
        json!([r#""cup" of "Muki" (product:2)"#, r#""C UP" of "Pannu - 1 l" (product:3/31)"#])
    );
    assert_eq!(list.body["next"], "product:1");

    for id in 1..=4 {
        silta.send_product_update(id).await;
    }
    assert_eq!(silta.warehouse.codes(), ["POT-4", "TEE"], "the other items are sent");
    assert_eq!(silta.product_task_state(1).await, "dead code_repeated");
    assert_eq!(silta.product_task_state(3).await, "dead code_repeated");
    let detail: String = silta
        .scalar("select detail from attempt join task on task.id = task_id where subject = 'product:1'")
        .await;
    assert!(detail.contains(r#""CUP" is also "cup" of "Muki" (product:2)"#), "{detail}");
}

#[tokio::test]
async fn products_wait_until_the_catalogue_was_read_once() {
    let silta = TestSilta::start_with_settings(&[("polls.sync", "0s")]).await;
    sqlx::query("update connection set catalogue_read_at = null").execute(&silta.pool).await.unwrap();
    silta.shop.add_product(1, "CUP", "Kuppi", 0);
    silta.shop.add_product(2, "cup", "Muki", 0);
    silta.shop.add_product(3, "TEE", "Tee", 0);
    silta.send_product_update(1).await;
    silta.send_product_update(3).await;
    assert_eq!(silta.product_task_state(1).await, "pending catalogue_unread");
    silta.sandbox.shop_server.faults.script("GET", "/api/v1/products", Fault::Status(401));
    assert_eq!(silta.syncer.run_due().await.unwrap(), 1, "also where no sync is scheduled");
    silta.run_until_idle().await;
    assert!(silta.warehouse.codes().is_empty(), "it could not be read");
    silta.clock.advance(secs(60));
    assert_eq!(silta.syncer.run_due().await.unwrap(), 1, "tried again soon");
    silta.run_until_idle().await;
    assert_eq!(
        (silta.warehouse.codes(), silta.product_task_state(1).await),
        (vec!["TEE".into()], "dead code_repeated".into())
    );
}

#[tokio::test]
async fn freed_code_releases_the_other_product() {
    let silta = TestSilta::start_with_settings(&[("products.rename", "true")]).await;
    silta.shop.add_product(1, "CUP", "Kuppi", 0);
    silta.shop.add_product(2, "CUP", "Muki", 0);
    silta.send_product_update(1).await;
    assert_eq!(silta.warehouse_name("CUP").as_deref(), Some("Kuppi"), "the other product is not known yet");
    silta.send_product_update(2).await;
    assert_eq!(silta.product_task_state(2).await, "dead code_repeated");
    silta.shop.change_product_code(1, "KUPPI");
    silta.send_product_update(1).await;
    assert_eq!(silta.warehouse_name("KUPPI").as_deref(), Some("Kuppi"), "renamed");
    assert_eq!(silta.warehouse_name("CUP").as_deref(), Some("Muki"));
    assert_eq!(silta.product_task_state(2).await, "done");
    assert_eq!(silta.code_problems().await, []);

    // A product that is deleted in the shop frees its code too.
    silta.shop.add_product(3, "kuppi", "Kolmas", 0);
    silta.send_product_update(3).await;
    assert_eq!(silta.product_task_state(3).await, "dead code_repeated");
    silta.shop.remove_product(1);
    silta.send_product_update(1).await;
    assert_eq!(silta.product_task_state(1).await, "skipped unknown_in_shop");
    assert_eq!(silta.product_task_state(3).await, "done");
}

#[tokio::test]
async fn supplier_and_exclusion_rules_cover_products_and_stock() {
    let silta = TestSilta::start_with_settings(&[
        ("products.suppliers", "Kahvila Oy"),
        ("products.exclude_codes", "KORTTI"),
    ])
    .await;
    for (id, code, supplier) in [(1, "KAHVI", 71), (2, "TEE", 72), (3, "KORTTI", 71), (4, "tee", 72)] {
        silta.shop.add_product(id, code, code, 50);
        silta.shop.set_supplier(id, supplier);
        silta.warehouse.receive_goods(code, 7);
    }
    for id in 1..=4 {
        silta.send_product_update(id).await;
    }
    for code in ["KAHVI", "TEE", "KORTTI"] {
        silta.send_webhook(silta.warehouse.stock_changed(code)).await;
    }
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.codes(), ["KAHVI"]);
    let quantities = ["KAHVI", "TEE", "KORTTI"].map(|code| silta.shop.quantity(code).unwrap());
    assert_eq!(quantities, [7, 50, 50]);
    assert_eq!(silta.code_problems().await, [], "equal codes of items that are not stored do not matter");
    silta.shop.add_product(5, "kahvi", "Toinen", 0);
    silta.shop.set_supplier(5, 72);
    silta.send_product_update(5).await;
    assert_eq!(silta.code_problems().await.len(), 2, "one of the two is stored, so the code is ambiguous");
}

#[tokio::test]
async fn code_of_dots_is_never_asked_for() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "..", "Pisteet", 4);
    silta.send_product_update(1).await;
    assert_eq!(silta.product_task_state(1).await, "dead code_dots");
    silta.warehouse.receive_goods("..", 7);
    silta.send_stock_update("..").await;
    assert_eq!(silta.task_state("stock:..").await, "skipped code_dots");
    let report = silta.run_sync("stock", false).await;
    assert_eq!(report["differences"][0]["reason"], "code_dots", "{report}");
    assert_eq!((silta.shop.quantity(".."), silta.stock_writes()), (Some(4), 0));
    assert_eq!(silta.code_problems().await, [("product:1".to_owned(), "code_dots".to_owned())]);
}

#[tokio::test]
async fn missing_eans_and_slashes_are_listed() {
    let silta = TestSilta::start_with_settings(&[("products.exclude_codes", "KORTTI")]).await;
    for (id, code) in [(1, "CUP"), (2, "POT/2L"), (3, "LID\\2L"), (4, "KORTTI")] {
        silta.shop.add_product(id, code, code, 0);
        silta.send_product_update(id).await;
    }
    silta.shop.patch_product(2, &json!({ "barcode": "6400000000002" }));
    silta.send_product_update(2).await;
    let remarks = async || silta.api.get("/admin/v1/connections/shop/remarks").await;
    let expected = json!([
        { "item": "product:1", "code": "CUP", "name": "CUP", "remarks": ["ean_missing"] },
        { "item": "product:2", "code": "POT/2L", "name": "POT/2L", "remarks": ["code_slash"] },
        { "item": "product:3", "code": "LID\\2L", "name": "LID\\2L", "remarks": ["ean_missing", "code_slash"] },
    ]);
    assert_eq!(remarks().await.body["items"], expected);
    assert_eq!(silta.warehouse.codes(), ["CUP", "LID\\2L", "POT/2L"], "they are sent all the same");
    silta.shop.patch_product(1, &json!({ "barcode": "6400000000001" }));
    silta.send_product_update(1).await;
    assert_eq!(remarks().await.items().len(), 2);
    let page = silta.api.get("/admin/v1/connections/shop/remarks?limit=1").await;
    assert_eq!((page.items().len(), page.body["next"].as_str()), (1, Some("product:2")));
}
