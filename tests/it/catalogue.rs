//! Products: from the shop's catalogue to the warehouse's, under codes that are one thing's each.

use serde_json::{Value, json};
use silta::dev::sandbox::Fault;

use crate::harness::{CONNECTION, TestSilta, secs};

impl TestSilta {
    /// The shop tells that a product has changed, a minute later, and everything due is done.
    pub async fn send_product_update(&self, id: u64) {
        self.clock.advance(secs(61));
        self.send_webhook(self.shop.product_updated(id)).await;
        self.run_until_idle().await;
    }

    /// The name that the warehouse has for a code.
    pub fn warehouse_name(&self, code: &str) -> Option<String> {
        self.warehouse.product(code).map(|product| product["name"].as_str().unwrap().to_owned())
    }

    /// State and reason of a product's newest task, in one word.
    pub async fn product_task_state(&self, id: u64) -> String {
        let (state, reason) = self.task_state(&format!("product:{id}")).await;
        reason.map_or_else(|| state.clone(), |reason| format!("{state} {reason}"))
    }

    /// The list of codes that cannot be sent, as item and reason.
    pub async fn code_problems(&self) -> Vec<(String, String)> {
        let list = self.api.get(&format!("/admin/v1/connections/{CONNECTION}/codes")).await;
        let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
        list.items().iter().map(|it| (text(it, "item"), text(it, "reason"))).collect()
    }

    /// Calls to the warehouse's products so far: reads, creations, updates.
    fn product_calls(&self) -> [usize; 3] {
        ["GET", "POST", "PUT"].map(|it| self.sandbox.warehouse_server.calls.count(it, "/api/v1/products"))
    }
}

#[tokio::test]
async fn product_fields_are_sent_and_an_existing_ean_is_kept() {
    let silta = TestSilta::start_with_settings(&[
        ("products.suppliers", "Kahvila Oy"),
        ("products.prices", "true"),
        ("products.descriptions", "true"),
        ("products.country_of_origin", "FI"),
        ("products.info_url", "https://kauppa.example/product/{id}"),
        ("products.picture_url", "https://kauppa.example/tuotekuvat/{file}"),
    ])
    .await;
    silta.shop.add_product(7, "CUP", "Kuppi", 0);
    silta.shop.set_supplier(7, 71);
    silta.shop.patch_product(
        7,
        &json!({
            "supplier_code": "S-1", "barcode": "6400000000001", "description": "Sininen", "price": "9.90",
            "purchase_price": 4, "image_links": [{ "filename": "kuppi.jpg" }, { "filename": "toinen.jpg" }],
        }),
    );
    silta.send_product_update(7).await;
    let mut there = silta.warehouse.product("CUP").unwrap();
    there.as_object_mut().unwrap().remove("id");
    let expected = json!({
        "code": "CUP", "languageCode": "fi", "name": "Kuppi", "description": "Sininen", "supplierCode": "S-1",
        "supplier": "Kahvila Oy", "eanCode": "6400000000001", "supplyPrice": 4.0, "salesPrice": 9.9,
        "currencyCode": "EUR", "countryOfOrigin": "FI", "infoUrl": "https://kauppa.example/product/7",
        "pictureUrl": "https://kauppa.example/tuotekuvat/kuppi.jpg",
    });
    assert_eq!(there, expected);

    silta.shop.patch_product(7, &json!({ "barcode": "6400000000002", "price": "10.90" }));
    silta.send_product_update(7).await;
    let there = silta.warehouse.product("CUP").unwrap();
    assert_eq!(
        (there["eanCode"].as_str(), there["salesPrice"].as_f64()),
        (Some("6400000000001"), Some(10.9))
    );
    let sent: Value = silta
        .scalar("select calls -> -1 -> 'request' from attempt where action = 'update' order by ended_at desc limit 1")
        .await;
    assert!(sent.get("eanCode").is_none(), "not even sent: {sent}");
}

#[tokio::test]
async fn unchanged_product_makes_no_warehouse_call() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(7, "CUP", "Kuppi", 0);
    silta.shop.set_variations(7, &[(71, "CUP-R", "Punainen"), (72, "CUP-S", "Sininen")]);
    silta.send_product_update(7).await;
    let before = silta.product_calls();
    silta.shop.rename_product(7, "Kuppi"); // only its updated_at is new
    silta.send_product_update(7).await;
    assert_eq!(silta.product_calls(), before);
    silta.shop.set_variations(7, &[(71, "CUP-R", "Punainen"), (72, "CUP-S", "Taivaansininen")]);
    silta.send_product_update(7).await;
    let after = silta.product_calls();
    assert_eq!((after[0] - before[0], after[2] - before[2]), (1, 1), "the changed one is read and updated");
    assert_eq!(silta.warehouse_name("CUP-S").as_deref(), Some("Kuppi - Taivaansininen"));
}

#[tokio::test]
async fn product_replay_reads_the_warehouse_again() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(7, "CUP", "Kuppi", 0);
    silta.send_product_update(7).await;
    silta.warehouse.rename_product("CUP", "Muokattu");
    let id: uuid::Uuid = silta.scalar("select id from task where subject = 'product:7'").await;
    assert_eq!(silta.api.post(&format!("/admin/v1/tasks/{id}/replay"), json!({})).await.status, 201);
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_name("CUP").as_deref(), Some("Kuppi"));
}

#[tokio::test]
async fn changed_code_renames_the_product_and_leaves_no_orphan() {
    for fault in [None, Some(Fault::DropAfter), Some(Fault::StatusAfter(504)), Some(Fault::DropBefore)] {
        let silta = TestSilta::start().await;
        silta.shop.add_product(7, "CUP/1", "Kuppi", 0);
        silta.shop.add_product(8, "POT", "Pannu", 0);
        silta.shop.set_variations(8, &[(81, "POT-1", "1 l"), (82, "POT-2", "2 l")]);
        silta.send_product_update(7).await;
        silta.send_product_update(8).await;
        silta.warehouse.count_stock("CUP/1", 12);

        silta.shop.change_product_code(7, "MUKI");
        silta.shop.set_variations(8, &[(81, "POT-1", "1 l"), (82, "PANNU-2", "2 l")]);
        if let Some(fault) = fault {
            silta.sandbox.warehouse_server.faults.script("PUT", "/api/v1/products", fault);
        }
        silta.send_product_update(7).await;
        silta.send_product_update(8).await;
        silta.advance(secs(600)).await;
        assert_eq!(silta.warehouse.codes(), ["MUKI", "PANNU-2", "POT-1"], "{fault:?}");
        assert_eq!(silta.warehouse.available("MUKI"), Some(12), "its shelf goes with it");
        assert_eq!(silta.product_task_state(7).await, "done");
    }
}

#[tokio::test]
async fn code_passed_between_products_never_collides() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "Yksi", 0);
    silta.shop.add_product(2, "B", "Kaksi", 0);
    silta.send_product_update(1).await;
    silta.send_product_update(2).await;
    // Two goes on to C, and one takes B. The news of the second change comes first.
    silta.shop.change_product_code(2, "C");
    silta.shop.change_product_code(1, "B");
    silta.send_product_update(1).await;
    assert_eq!(silta.product_task_state(1).await, "dead code_repeated", "as far as we know, two has B");
    silta.send_product_update(2).await;
    assert_eq!(silta.product_task_state(1).await, "done", "it went on by itself");
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
    silta.syncer.run_due().await.unwrap(); // the catalogue is read whole, and nothing of it sent
    assert_eq!(
        silta.warehouse.codes(),
        Vec::<String>::new(),
        "no product can be deleted there: a person says when"
    );

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
    assert_eq!(silta.warehouse.codes(), ["POT-4", "TEE"], "the rest went on");
    assert_eq!(silta.product_task_state(1).await, "dead code_repeated");
    assert_eq!(silta.product_task_state(3).await, "dead code_repeated");
    let told: String = silta
        .scalar("select detail from attempt join task on task.id = task_id where subject = 'product:1'")
        .await;
    assert!(told.contains(r#""CUP" is also "cup" of "Muki" (product:2)"#), "{told}");
}

#[tokio::test]
async fn products_wait_until_the_catalogue_was_read_once() {
    let silta = TestSilta::start_with_settings(&[("polls.compare", "0s")]).await;
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
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "CUP", "Kuppi", 0);
    silta.shop.add_product(2, "CUP", "Muki", 0);
    silta.send_product_update(1).await;
    assert_eq!(silta.warehouse_name("CUP").as_deref(), Some("Kuppi"), "nobody knew of the other yet");
    silta.send_product_update(2).await;
    assert_eq!(silta.product_task_state(2).await, "dead code_repeated");
    silta.shop.change_product_code(1, "KUPPI");
    silta.send_product_update(1).await;
    assert_eq!(silta.warehouse_name("KUPPI").as_deref(), Some("Kuppi"), "renamed");
    assert_eq!(silta.warehouse_name("CUP").as_deref(), Some("Muki"));
    assert_eq!(silta.product_task_state(2).await, "done");
    assert_eq!(silta.code_problems().await, []);

    // And so does one that is deleted in the shop.
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
    assert_eq!(silta.code_problems().await, [], "two codes alike that are nobody's here are in nobody's way");
    silta.shop.add_product(5, "kahvi", "Toinen", 0);
    silta.shop.set_supplier(5, 72);
    silta.send_product_update(5).await;
    assert_eq!(
        silta.code_problems().await.len(),
        2,
        "one of them is stored: whoever orders the code gets which?"
    );
}

#[tokio::test]
async fn refused_variation_does_not_block_the_others() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(7, "CUP", "Kuppi", 0);
    silta.shop.set_variations(7, &[(71, "CUP-A", "a"), (72, "CUP-B", "b"), (73, "CUP-C", "c")]);
    for _ in 0..2 {
        silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/products", Fault::Status(400));
    }
    silta.send_product_update(7).await;
    silta.advance(secs(600)).await;
    assert_eq!(
        silta.warehouse.codes(),
        ["CUP-A", "CUP-B", "CUP-C"],
        "refused twice, and tried with the next look"
    );
}
