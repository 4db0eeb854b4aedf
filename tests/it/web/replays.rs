//! Bulk replays: preview, progress, cancellation.

use serde_json::{Value, json};
use silta::dev::sandbox::OrderSpec;
use uuid::Uuid;

use crate::harness::TestSilta;

#[tokio::test]
async fn bulk_replay_has_preview_progress_and_cancel() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    let mut orders = Vec::new();
    for _ in 0..4 {
        orders.push(silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await);
    }
    let filter = json!({ "state": "dead", "reason": "shipping_unmapped" });
    let preview = silta.api.post("/admin/v1/replays", json!({ "filter": filter, "dry_run": true })).await;
    assert_eq!((preview.status, preview.body["count"].as_u64()), (200, Some(4)));
    assert_eq!(silta.count("replay").await, 0);

    let begun = silta.api.post("/admin/v1/replays", json!({ "filter": filter })).await;
    let path = format!("/admin/v1/replays/{}", begun.text("/id"));
    assert_eq!(silta.api.get(&path).await.body["open"], 4);
    let cancelled = silta.api.post(&format!("{path}/cancel"), json!({})).await;
    assert_eq!((cancelled.body["open"].as_u64(), cancelled.body["cancelled"].as_u64()), (Some(0), Some(4)));
    assert_eq!(silta.api.post(&format!("{path}/cancel"), json!({})).await.status, 409);

    let rule = json!({ "pattern": "lento*", "code": "Posti Parcel" });
    let rules = "/admin/v1/connections/shop/shipping-rules";
    assert_eq!(silta.api.put(rules, json!({ "pattern": "*", "code": "X" })).await.status, 409);
    for rule in [json!({ "pattern": "a\u{7}", "code": "X" }), json!({ "pattern": "a", "code": "X\u{85}" })] {
        assert_eq!(silta.api.put(rules, rule).await.status, 400, "control characters");
    }
    assert_eq!(silta.api.put(rules, rule).await.body["items"][0]["created_by"], "ops");
    // Replays two selected tasks; tasks cancelled meanwhile are replayed as well.
    let ids: Vec<_> = preview.body["ids"].as_array().unwrap()[..2].to_vec();
    let begun = silta.api.post("/admin/v1/replays", json!({ "ids": ids })).await;
    silta.run_until_idle().await;
    let after = silta.api.get(&format!("/admin/v1/replays/{}", begun.text("/id"))).await;
    assert_eq!((after.body["count"].as_u64(), after.body["succeeded"].as_u64()), (Some(2), Some(2)));
    let there: Vec<_> = orders.iter().map(|order| silta.warehouse_count(*order)).collect();
    assert_eq!(there, [1, 1, 0, 0]);
    // A dead task with a later attempt no longer counts; one whose replay was cancelled still does.
    let left = silta.api.post("/admin/v1/replays", json!({ "filter": filter, "dry_run": true })).await;
    assert_eq!(left.body["count"], 2, "the other two were cancelled and still need attention");
}

#[tokio::test]
async fn bulk_dry_run_selects_the_same_tasks_as_the_replay() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    let dead: String = silta.scalar("select id::text from task where state = 'dead'").await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    let open: String = silta.scalar("select id::text from task where state = 'pending'").await;
    let submit = async |ids: Value, dry_run: bool| {
        silta.api.post("/admin/v1/replays", json!({ "ids": ids, "dry_run": dry_run })).await
    };

    let unknown = json!([dead, Uuid::nil()]);
    for dry_run in [true, false] {
        assert_eq!(submit(unknown.clone(), dry_run).await.status, 404);
    }
    let known = json!([dead, open]);
    let preview = submit(known.clone(), true).await;
    assert_eq!((preview.status, &preview.body["ids"]), (200, &json!([dead])));
    assert_eq!(silta.count("replay").await, 0);
    let begun = submit(known, false).await;
    assert_eq!((begun.status, &begun.body["count"]), (201, &preview.body["count"]));
    silta.run_until_idle().await;
}
