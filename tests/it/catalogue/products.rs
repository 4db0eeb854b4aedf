//! Products from the shop's catalogue to the warehouse's.

use serde_json::{Value, json};
use silta::dev::sandbox::Fault;

use crate::harness::{CONNECTION, TestSilta, secs};

impl TestSilta {
    /// A minute later, sends the shop's webhook about a product and runs what is due.
    pub async fn send_product_update(&self, id: u64) {
        self.clock.advance(secs(61));
        self.send_webhook(self.shop.product_updated(id)).await;
        self.run_until_idle().await;
    }

    /// The product name at the warehouse.
    pub fn warehouse_name(&self, code: &str) -> Option<String> {
        self.warehouse.product(code).map(|product| product["name"].as_str().unwrap().to_owned())
    }

    /// State and reason of a product's newest task, separated by a space.
    pub async fn product_task_state(&self, id: u64) -> String {
        self.task_state(&format!("product:{id}")).await
    }

    /// Items whose code cannot be sent, with the reason.
    pub async fn code_problems(&self) -> Vec<(String, String)> {
        let list = self.api.get(&format!("/admin/v1/connections/{CONNECTION}/codes")).await;
        let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
        list.items().iter().map(|it| (text(it, "item"), text(it, "reason"))).collect()
    }

    /// Calls to the warehouse's product endpoint so far: reads, creations, updates.
    pub fn product_calls(&self) -> [usize; 3] {
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
    assert!(sent.get("eanCode").is_none(), "it is not even sent: {sent}");
}

#[tokio::test]
async fn unchanged_product_makes_no_warehouse_call() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(7, "CUP", "Kuppi", 0);
    silta.shop.set_variations(7, &[(71, "CUP-R", "Punainen"), (72, "CUP-S", "Sininen")]);
    silta.send_product_update(7).await;
    let before = silta.product_calls();
    silta.shop.rename_product(7, "Kuppi"); // changes only updated_at
    silta.send_product_update(7).await;
    assert_eq!(silta.product_calls(), before);
    silta.shop.set_variations(7, &[(71, "CUP-R", "Punainen"), (72, "CUP-S", "Taivaansininen")]);
    silta.send_product_update(7).await;
    let after = silta.product_calls();
    assert_eq!(
        (after[0] - before[0], after[2] - before[2]),
        (1, 1),
        "only the changed item is read and updated"
    );
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
        let silta = TestSilta::start_with_settings(&[("products.rename", "true")]).await;
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
        assert_eq!(silta.warehouse.available("MUKI"), Some(12), "its stock moves with it");
        assert_eq!(silta.product_task_state(7).await, "done");
    }
}

#[tokio::test]
async fn changed_code_is_reported_and_nothing_is_renamed_or_created() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(7, "CUP", "Kuppi", 0);
    silta.send_product_update(7).await;
    silta.warehouse.count_stock("CUP", 12);
    silta.shop.change_product_code(7, "MUKI");
    silta.send_product_update(7).await;
    assert_eq!(silta.product_task_state(7).await, "dead code_changed");
    let detail: String = silta.scalar("select detail from attempt order by ended_at desc limit 1").await;
    assert!(detail.contains(r#""MUKI""#) && detail.contains(r#""CUP""#), "{detail}");
    let report = silta.run_sync("products", false).await;
    assert_eq!(report["differences"][0]["reason"], "code_changed", "{report}");
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.codes(), ["CUP"], "neither renamed nor created twice");
    assert_eq!(silta.product_calls()[1..], [1, 0]);

    // The warehouse's support changes it by hand: the next attempt finds it.
    let mut product = silta.warehouse.product("CUP").unwrap();
    product["code"] = "MUKI".into();
    silta.warehouse.remove_product("CUP");
    silta.warehouse.add_product("MUKI", product);
    silta.shop.rename_product(7, "Muki");
    silta.send_product_update(7).await;
    assert_eq!(silta.product_task_state(7).await, "done");
    assert_eq!(silta.warehouse_name("MUKI").as_deref(), Some("Muki"));
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
        "refused twice, sent by a later attempt"
    );
}

#[tokio::test]
async fn product_and_variations_are_created_then_updated() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(7, "CUP", "Kuppi", 0);
    silta.shop.set_variations(
        7,
        &[(71, "CUP-R", "Punainen"), (72, "CUP/B ä", "Sininen"), (73, "", "Koodia vailla")],
    );
    silta.send_webhook(silta.shop.product_updated(7)).await;
    silta.run_until_idle().await;
    let name = |code: &str| silta.warehouse.product(code).map(|it| it["name"].as_str().unwrap().to_owned());
    assert_eq!(name("CUP-R").as_deref(), Some("Kuppi - Punainen"));
    assert_eq!(name("CUP/B ä").as_deref(), Some("Kuppi - Sininen"));
    // The variation without a code is withheld and reported; the others are sent.
    assert_eq!(silta.task_state("product:7").await, "dead code_empty");

    silta.clock.advance(secs(60));
    silta.shop.set_variations(7, &[(71, "CUP-R", "Punainen"), (72, "CUP/B ä", "Sininen")]);
    silta.shop.rename_product(7, "Muki");
    silta.send_webhook(silta.shop.product_updated(7)).await;
    silta.run_until_idle().await;
    assert_eq!(name("CUP/B ä").as_deref(), Some("Muki - Sininen"));
    assert_eq!(silta.task_state("product:7").await, "done");
}

/// What happened to one item is known, whatever the next one's read comes to.
#[tokio::test]
async fn unreadable_next_item_leaves_no_doubt() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "Cup", 0);
    silta.shop.set_variations(1, &[(11, "A-1", "Red"), (12, "A-2", "Blue")]);
    let faults = &silta.sandbox.warehouse_server.faults;
    faults.script("GET", "/api/v1/products", Fault::Slow(std::time::Duration::ZERO)); // the first item's read
    faults.script("GET", "/api/v1/products", Fault::Status(500));
    silta.send_product_update(1).await;
    assert_eq!(silta.product_task_state(1).await, "pending vendor_failed", "not in doubt");
    assert_eq!(silta.product_calls()[1], 1, "the first was created");
    silta.advance(secs(120)).await;
    assert_eq!(silta.product_task_state(1).await, "done");
    assert_eq!(silta.product_calls()[1], 2, "each was created once");
}

#[tokio::test]
async fn unknown_creation_is_repeated_only_after_two_reads() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(7, "CUP", "Kuppi", 0);
    silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/products", Fault::DropBefore);
    silta.send_product_update(7).await;
    assert_eq!(silta.product_task_state(7).await, "in_doubt answer_lost");
    let [reads_before, creations_before, _] = silta.product_calls();
    silta.advance(secs(60)).await;
    let [reads, creations, _] = silta.product_calls();
    assert_eq!((creations - creations_before, silta.product_task_state(7).await.as_str()), (1, "done"));
    assert!(reads - reads_before >= 2, "{} reads", reads - reads_before);
}

#[tokio::test]
async fn item_is_created_at_most_five_times() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(7, "CUP", "Kuppi", 0);
    for _ in 0..5 {
        silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/products", Fault::DropBefore);
    }
    silta.send_product_update(7).await;
    silta.advance(secs(3600)).await;
    assert_eq!(silta.product_task_state(7).await, "dead repeated_too_often");
    assert_eq!(silta.product_calls()[1], 5);
}

/// Its codes stay taken: what could be read of it last is still at the warehouse.
#[tokio::test]
async fn product_with_unreadable_fields_is_neither_sent_nor_forgotten() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(7, "CUP", "Kuppi", 0);
    silta.shop.set_variations(7, &[(71, "CUP-A", "a"), (72, "CUP-B", "b")]);
    silta.send_product_update(7).await;
    for (patch, name) in [
        (json!({ "variations": "two" }), "variations"),
        (json!({ "variations": [{ "id": { "number": 1 }, "product_code": "CUP-C" }] }), "variations[0].id"),
        (json!({ "variations": [{ "id": 71, "product_code": ["CUP-A"] }] }), "variations[0].product_code"),
        (json!({ "variations": [], "product_code": { "sku": "CUP" } }), "product_code"),
    ] {
        silta.shop.patch_product(7, &patch);
        silta.send_product_update(7).await;
        assert_eq!(silta.product_task_state(7).await, "dead field_unreadable", "{patch}");
        let detail: String =
            silta.scalar("select detail from attempt order by ended_at desc, number desc limit 1").await;
        assert!(detail.ends_with(name), "{name} in {detail:?}");
        let report = silta.run_sync("products", true).await;
        let found = (&report["difference_count"], &report["differences"][0]["reason"]);
        assert_eq!(found, (&json!(1), &json!("field_unreadable")), "{report}");
        assert_eq!((silta.warehouse.codes().len(), silta.count("item").await), (2, 2), "{patch}");
    }
    silta.run_until_idle().await; // the syncs of the schedule
}
