//! The full sync of stock, and lists that cannot be trusted.

use serde_json::{Value, json};

use crate::{
    harness::OPERATOR,
    sync::report::{differences, expected_differences, start_in_sync, start_in_sync_with},
    web::{orders::page as page_of, session::Session},
};

#[tokio::test]
async fn stock_sync_finds_all_differences_and_fixes_safe_ones() {
    let silta = start_in_sync_with(6, &[("stock.tracking", "true")]).await;
    silta.warehouse.count_stock("P-001", 4);
    silta.shop.set_quantity("P-002", 99, true);
    silta.shop.set_quantity("P-003", 10, false);
    silta.warehouse.count_stock("P-004", 0);
    silta.warehouse.receive_goods("GHOST", 2);
    silta.shop.add_product(7, "P-007", "Ei varastossa", 5);

    let preview = silta.run_sync("stock", true).await;
    let expected = expected_differences([
        ("stock:P-001", "figure_differs"),
        ("stock:P-002", "figure_differs"),
        ("stock:P-003", "figure_differs"),
        ("stock:P-004", "falls_to_zero"),
        ("stock:P-007", "missing_at_warehouse"),
        ("stock:GHOST", "unknown_in_shop"),
    ]);
    assert_eq!(differences(&preview), expected);
    assert_eq!(preview["differences"][1]["detail"], "the shop shows 99, should show 10");
    assert_eq!((preview["counts"]["same"].as_i64(), silta.run_until_idle().await), (Some(2), 0));
    let report = silta.run_sync("stock", false).await;
    assert_eq!((differences(&report), report["fixing_count"].as_i64()), (expected.clone(), Some(4)));
    silta.run_until_idle().await;
    let quantities = ["P-001", "P-002", "P-003", "P-004"].map(|code| silta.shop.quantity(code).unwrap());
    assert_eq!(quantities, [4, 10, 10, 0]);
    assert_eq!(differences(&silta.run_sync("stock", false).await), expected[4..].to_vec());
}

#[tokio::test]
async fn stock_sync_of_a_zero_feed_waits_for_approval() {
    let silta = start_in_sync(20).await;
    for id in 1..=20 {
        silta.warehouse.count_stock(&format!("P-{id:03}"), i64::from(id > 8) * 3);
    }
    let report = silta.run_sync("stock", false).await;
    assert_eq!((report["state"].as_str(), report["braked"].as_str()), (Some("done"), Some("stock_braked")));
    assert_eq!((report["waiting_count"].as_i64(), report["fixing_count"].as_i64()), (Some(20), Some(0)));
    assert_eq!(silta.run_until_idle().await, 0, "nothing is fixed while the feed is in doubt");

    let page = format!("/products/syncs/{}", report["id"].as_str().unwrap());
    let page = page_of(&Session::with(&silta, OPERATOR).await, &page).await;
    let button = page.find("Approve and fix</button>").unwrap_or_else(|| panic!("{page}"));
    let says = ["20 differences wait for your approval", "zeroes too", "For one hour from now"];
    assert!(says.iter().all(|part| page[..button].contains(part)), "what follows is said first: {page}");
    let path = format!("/admin/v1/syncs/{}/approve", report["id"].as_str().unwrap());
    assert_eq!(silta.api.post(&path, json!({})).await.status, 200);
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    let at_zero = (1..=20).filter(|id| silta.shop.quantity(&format!("P-{id:03}")) == Some(0)).count();
    assert_eq!(at_zero, 8, "the brake lets approved stock through");
    assert_eq!(silta.report(report["id"].as_str().unwrap()).await["braked"], Value::Null);
}

#[tokio::test]
async fn truncated_list_creates_and_writes_nothing() {
    let silta = start_in_sync(20).await;
    silta.warehouse.truncate_lists(Some(11));
    silta.warehouse.count_stock("P-001", 3);
    for what in ["products", "stock"] {
        let report = silta.run_sync(what, false).await;
        assert_eq!(report["braked"], "list_partial", "{what}");
        assert_eq!(report["counts"]["vanished_at_warehouse"], 9, "{what}");
        assert_eq!(silta.run_until_idle().await, 0, "{what}");
    }
    // An empty list counts as truncated too.
    silta.warehouse.truncate_lists(Some(0));
    for what in ["products", "stock"] {
        assert_eq!(silta.run_sync(what, false).await["braked"], "list_partial", "{what}");
    }
    assert_eq!(silta.shop.writes(), 0);

    silta.warehouse.truncate_lists(None);
    let report = silta.run_sync("stock", false).await;
    assert_eq!((&report["braked"], report["fixing_count"].as_i64()), (&Value::Null, Some(1)));
    silta.run_until_idle().await;
}
