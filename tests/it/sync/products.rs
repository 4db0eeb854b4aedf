//! The full sync of products: safe differences are fixed, others wait for an operator.

use serde_json::json;

use crate::{
    harness::{TestSilta, secs},
    sync::report::{differences, expected_differences, start_in_sync, start_in_sync_with},
};

#[tokio::test]
async fn requested_product_sync_uploads_the_catalogue() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "Kahvi", 0);
    silta.shop.add_product(2, "CUP", "Kuppi", 0);
    silta.shop.set_variations(2, &[(21, "CUP-R", "Punainen"), (22, "CUP-S", "Sininen")]);
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    assert!(silta.warehouse.codes().is_empty(), "a scheduled sync creates nothing in bulk");
    let waiting = silta.last_sync("products").await;
    assert_eq!((waiting["state"].as_str(), waiting["waiting_count"].as_i64()), (Some("done"), Some(3)));

    let preview = silta.run_sync("products", true).await;
    let missing = expected_differences([
        ("product:1", "missing_at_warehouse"),
        ("product:2/21", "missing_at_warehouse"),
        ("product:2/22", "missing_at_warehouse"),
    ]);
    assert_eq!(differences(&preview), missing);
    assert_eq!((silta.run_until_idle().await, preview["waiting_count"].as_i64()), (0, Some(0)), "a dry run");

    let report = silta.run_sync("products", false).await;
    assert_eq!((differences(&report), report["fixing_count"].as_i64()), (missing, Some(3)));
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.codes(), ["A", "CUP-R", "CUP-S"]);
    let fixed = silta.report(report["id"].as_str().unwrap()).await;
    assert!(fixed["differences"].as_array().unwrap().iter().all(|row| row["task_state"] == "done"));
    let again = silta.run_sync("products", false).await;
    assert_eq!((differences(&again), again["counts"]["same"].as_i64()), (vec![], Some(3)));
    assert_eq!((again["done"].as_i64(), again["total"].as_i64()), (Some(2), Some(2)));
}

#[tokio::test]
async fn approval_fixes_what_a_scheduled_sync_left_waiting() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "Kahvi", 0);
    silta.syncer.run_due().await.unwrap();
    let id = silta.last_sync("products").await["id"].as_str().unwrap().to_owned();
    let approved = silta.api.post(&format!("/admin/v1/syncs/{id}/approve"), json!({})).await;
    assert_eq!((approved.status, approved.text("/approved_by")), (200, "ops"));
    assert_eq!(silta.api.post(&format!("/admin/v1/syncs/{id}/approve"), json!({})).await.status, 409);
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.codes(), ["A"]);
    let report = silta.report(&id).await;
    assert_eq!((report["state"].as_str(), report["waiting_count"].as_i64()), (Some("done"), Some(0)));
    assert_eq!(
        silta.api.post(&format!("/admin/v1/syncs/{id}/approve"), json!({})).await.status,
        409,
        "spent"
    );
}

#[tokio::test]
async fn product_sync_finds_all_differences_and_fixes_safe_ones() {
    let silta = start_in_sync_with(6, &[("products.rename", "true")]).await;
    silta.warehouse.rename_product("P-001", "Muutettu siellä");
    silta.shop.rename_product(2, "Muutettu täällä");
    silta.shop.change_product_code(3, "P-NEW");
    silta.shop.add_product(4, "P-005", "Sama koodi", 0);
    silta.shop.remove_product(6);
    silta.warehouse.add_product("FOUND", json!({ "code": "FOUND", "name": "Tunnistamaton" }));
    silta.shop.add_product(7, "P-007", "Uusi", 0);

    let report = silta.run_sync("products", false).await;
    let expected = expected_differences([
        ("product:1", "differs_at_warehouse"),
        ("product:2", "differs_at_warehouse"),
        ("product:3", "renamed_in_shop"),
        ("product:7", "missing_at_warehouse"),
        ("product:4", "held_back"),
        ("product:5", "held_back"),
        ("FOUND", "unknown_in_shop"),
        // Product 4 is still P-004 at the warehouse; it is renamed once no other product has its new code.
        ("P-006", "unknown_in_shop"),
    ]);
    assert_eq!(differences(&report), expected);
    for row in report["differences"].as_array().unwrap() {
        assert!(!row["remedy"].as_str().unwrap().is_empty());
        let needs_operator = ["held_back", "unknown_in_shop"].contains(&row["difference"].as_str().unwrap());
        assert_eq!(row["fixing"] == true, !needs_operator, "{row}");
    }
    assert_eq!(report["differences"][0]["detail"], r#""P-001" "Tuote 1": name"#);
    let leased = report["differences"][4]["detail"].as_str().unwrap();
    assert_eq!(
        leased,
        r#""Sama koodi" (product:4) has the code "P-005", which is also "P-005" of "Tuote 5" (product:5)"#
    );
    let same_list = silta.code_problems().await;
    assert_eq!(
        same_list,
        expected_differences([("product:4", "code_repeated"), ("product:5", "code_repeated")])
    );

    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_name("P-001").as_deref(), Some("Tuote 1"));
    assert_eq!(silta.warehouse_name("P-002").as_deref(), Some("Muutettu täällä"));
    assert_eq!(silta.warehouse_name("P-NEW").as_deref(), Some("Tuote 3"));
    assert_eq!(silta.warehouse_name("P-003"), None);
    let again = silta.run_sync("products", false).await;
    assert_eq!(differences(&again), expected[4..].to_vec());
    let page = silta
        .api
        .get(&format!("/admin/v1/syncs/{}/differences?limit=2", again["id"].as_str().unwrap()))
        .await;
    assert_eq!((page.items().len(), page.body["next"].as_i64()), (2, Some(2)));
    let next = format!("/admin/v1/syncs/{}/differences?limit=200&cursor=2", again["id"].as_str().unwrap());
    assert_eq!(silta.api.get(&next).await.items().len(), 2);
}

#[tokio::test]
async fn product_missing_only_from_a_list_is_not_deleted() {
    let silta = start_in_sync(3).await;
    let entered = silta.count("item").await;
    // As if the list had been read before the products moved onto its page: none was seen lately.
    sqlx::query("update item set seen_at = now() - interval '20 years'").execute(&silta.pool).await.unwrap();
    silta.shop.remove_product(2);
    silta.run_sync("products", true).await;
    assert_eq!((entered, silta.count("item").await), (3, 2), "only the deleted product is forgotten");
    let alone = silta.sandbox.shop_server.calls.count("GET", "/api/v1/products/2");
    assert_eq!(alone, 1, "after it was read by itself");
}

#[tokio::test]
async fn sync_releases_items_withheld_for_a_deleted_product() {
    let silta = start_in_sync(1).await;
    silta.shop.add_product(2, "p-001", "Toinen", 0);
    silta.send_product_update(2).await;
    assert_eq!(silta.product_task_state(2).await, "dead code_repeated");
    silta.shop.remove_product(1);
    silta.clock.advance(secs(24 * 3600));
    silta.syncer.run_due().await.unwrap(); // a scheduled sync creates nothing in bulk
    silta.run_until_idle().await;
    assert_eq!(silta.product_task_state(2).await, "done");
    assert_eq!(silta.warehouse.codes(), ["P-001"], "it is the same code, as the warehouse spells it");
    assert_eq!(silta.warehouse_name("P-001").as_deref(), Some("Toinen"));
}
